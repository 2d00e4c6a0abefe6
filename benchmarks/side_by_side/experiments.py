"""The experiments: which contender is measured on which tickets, in which order."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.side_by_side.contenders import CONTENDERS, OURS
from benchmarks.side_by_side.generated import Archive
from benchmarks.side_by_side.measures.first_answer import first_answers
from benchmarks.side_by_side.process import Figures, in_own_process
from benchmarks.side_by_side.record import Record
from benchmarks.side_by_side.tasks import Task, data_set_tasks, generated_task, starter_task, write_labelled

#: Answering is measured twice, contenders taking turns, and the better one counts: other processes come and go.
_ROUNDS = 2
#: Starting and starting again takes long: it is measured on the starter tickets and on one data set more.
_N_COLD_STARTS = 2
_BETTER: dict[str, Callable[[float, float], float]] = {"tickets_per_second": max}


@dataclass(frozen=True)
class Sizes:
    """How much is measured. The others are spared the sizes that would take them longer than ``patience_seconds``."""

    data_sets: tuple[str, ...] = ("support_tickets", "banking77")
    training: tuple[int, ...] = (10_000, 30_000, 100_000)
    archives: tuple[int, ...] = (10_000, 30_000, 100_000)
    categories: tuple[int, ...] = (2, 8, 32, 128, 500)
    n_tickets_of_categories: int = 10_000
    n_generated: int = 20_000
    patience_seconds: float = 30.0


QUICK = Sizes()
FULL = Sizes(
    data_sets=("support_tickets", "banking77", "firefox_support"),
    training=(10_000, 30_000, 100_000, 300_000, 1_000_000, 2_000_000),
    archives=(10_000, 30_000, 100_000, 500_000, 1_000_000, 5_000_000),
    n_tickets_of_categories=50_000,
    patience_seconds=240.0,
)
#: Enough to see that everything works.
TINY = Sizes(
    data_sets=(),
    training=(200, 400),
    archives=(200, 400),
    categories=(2, 4),
    n_tickets_of_categories=200,
    n_generated=400,
)


def experiments(scratch: Path, sizes: Sizes) -> Iterator[Record]:
    """Measure everything."""
    generated = generated_task(scratch, sizes.n_generated)
    tasks = [starter_task(scratch), *data_set_tasks(scratch, sizes.data_sets), generated]
    yield from _side_by_side(tasks)
    yield from _archives(scratch, generated, sizes)
    growing = (generated_task(scratch / "growing", n_tickets) for n_tickets in sizes.training)
    yield from _sweep("training", growing, sizes.patience_seconds)
    wide = (generated_task(scratch / "wide", sizes.n_tickets_of_categories, n) for n in sizes.categories)
    yield from _sweep("categories", wide, sizes.patience_seconds)


def _side_by_side(tasks: Sequence[Task]) -> Iterator[Record]:
    """Measure each contender in every way on each data set."""
    for task in tasks:
        for name in CONTENDERS:
            yield from _found("data sets", task, name, _train(task, name))
        for measure in ("answering", "one_ticket"):
            best: dict[str, Figures] = {}
            for name in (*CONTENDERS,) * _ROUNDS:
                best[name] = _better(best.get(name, {}), in_own_process(measure, name, task.model(name), task.test))
            for name, figures in best.items():
                yield from _found("data sets", task, name, figures)
    for task in tasks[:_N_COLD_STARTS]:
        _say(task, "first answers", "in turn")
        for name, seconds in first_answers({name: task.model(name) for name in CONTENDERS}).items():
            yield from _found("data sets", task, name, {"first_answer_seconds": seconds})


def _sweep(experiment: str, tasks: Iterable[Task], patience_seconds: float) -> Iterator[Record]:
    """Train and answer on one task after the other, each larger than the one before."""
    patience = _Patience(patience_seconds)
    for task in tasks:
        size = task.n_tickets * task.n_categories
        for name in patience.willing(size):
            figures = _train(task, name)
            patience.note(name, size, figures["training_seconds"])
            figures |= in_own_process("answering", name, task.model(name), task.test)
            yield from _found(experiment, task, name, figures)
        shutil.rmtree(task.folder)  # A model of fastText has 800 MB.


def _archives(scratch: Path, trained: Task, sizes: Sizes) -> Iterator[Record]:
    """Answer archives with the models of one task."""
    patience = _Patience(sizes.patience_seconds)
    for n_tickets in sizes.archives:
        source = scratch / f"archive-{n_tickets}.csv"
        write_labelled(source, Archive(n_tickets, trained.n_categories, seed=2).blocks())
        task = replace(trained, n_tickets=n_tickets)
        for name in patience.willing(n_tickets):
            _say(task, name, "archive")
            figures = in_own_process("archive", name, trained.model(name), source, scratch / f"{name}.csv")
            patience.note(name, n_tickets, figures["archive_seconds"])
            yield from _found("archives", task, name, figures)
        source.unlink()


class _Patience:
    """Leaves the others out of sizes that would take them too long, judged by their last size."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._rates: dict[str, float] = {}

    def willing(self, size: int) -> list[str]:
        """Return deflect, and the others that would be through with a size in time."""
        return [name for name in CONTENDERS if name == OURS or self._rates.get(name, 0) * size <= self._seconds]

    def note(self, name: str, size: int, seconds: float) -> None:
        """Note how long a contender took."""
        self._rates[name] = seconds / size


def _train(task: Task, name: str) -> Figures:
    _say(task, name, "training")
    return in_own_process("training", name, task.train, task.model(name))


def _better(left: Figures, right: Figures) -> Figures:
    """Return the better of two figures, for each quantity: of most the smaller."""
    return {quantity: _BETTER.get(quantity, min)(left.get(quantity, value), value) for quantity, value in right.items()}


def _found(experiment: str, task: Task, name: str, figures: Figures) -> Iterator[Record]:
    for quantity, value in figures.items():
        yield Record(experiment, task.name, task.n_tickets, task.n_categories, name, quantity, value)


def _say(task: Task, name: str, measure: str) -> None:
    sys.stderr.write(f"{task.name}, {task.n_tickets:,} tickets, {task.n_categories} categories: {name}, {measure}\n")
