"""The page: docs/benchmarks.md, made from the records alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import pandas as pd

from benchmarks.side_by_side.contenders import CONTENDERS, OURS, contender
from benchmarks.side_by_side.measures.first_answer import STARTER, UNIT
from benchmarks.side_by_side.units import QUANTITIES, rate, ratio, seconds, size

_SIDE_BY_SIDE = tuple(name for name in QUANTITIES if not name.startswith("archive"))


def ratios(found: pd.DataFrame) -> str:
    """Return the table that says on each data set how many times better deflect is than each of the others."""
    rows = []
    for task in _by_task(found):
        own = task.contenders.loc[OURS]
        for name, other in task.contenders.drop(OURS).iterrows():
            cells = ["" if pd.isna(other[q]) else QUANTITIES[q].compared(own[q], other[q]) for q in _SIDE_BY_SIDE]
            rows.append([task.name, f"{task.n_tickets:,}", str(task.n_categories), str(name), *cells])
    return _table(["tickets of", "learned from", "categories", "against", *_names(_SIDE_BY_SIDE)], rows)


def page(found: pd.DataFrame, machine: str, versions: str) -> str:
    """Return the whole page."""
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "`make bench` writes this page, `make bench FULL=1` with the large sizes, from",
            "[figures.csv](benchmarks/figures.csv).",
            "",
            f"Machine: {machine}",
            "",
            f"Versions: {versions}.",
            "",
            "## How many times better deflect is",
            "Times are theirs over ours, rates ours over theirs, so more is better for deflect and below 1 is worse;",
            "accuracy is the difference in points. All contenders learned and answered the same texts, in one run.",
            "",
            ratios(found),
            "",
            "![Accuracy against speed](benchmarks/accuracy.svg)",
            "",
            "## The same in figures",
            _figures(found),
            "",
            "## Cold start",
            f'"{STARTER}" is `Deflector.load()`; the others load what they learned from these tickets.',
            "",
            _cold_starts(found),
            "",
            "## Larger archives to learn from",
            "Generated tickets of 26 words in 12 categories.",
            "",
            "![Training time and memory against the number of tickets](benchmarks/training.svg)",
            "",
            _sweep(found, "training", lambda task: task.n_tickets, "tickets"),
            "",
            "## More categories",
            "![Training time and speed against the number of categories](benchmarks/categories.svg)",
            "",
            _sweep(found, "categories", lambda task: task.n_categories, "categories"),
            "",
            "## Larger archives to answer",
            "From a CSV file to a CSV file with answers: deflect by `score_file`, which also writes probability,",
            "decision and alternatives; the others 20,000 rows at a time, and the category alone.",
            "",
            "![Time and memory against the number of tickets](benchmarks/archives.svg)",
            "",
            _archives(found),
            "",
            "## How it is measured",
            *_METHOD,
            "",
            *(f"- **{name}**: {contender(name).setting}." for name in CONTENDERS),
            "",
        ]
    )


_METHOD = (
    "- Each contender learns, answers and starts in processes of its own, and gets raw `str`.",
    "- Memory is the peak of the whole process, the texts included; of an archive, of all processes that work on it.",
    "- Batch: 40,000 texts, the best of up to three rounds in each of two processes, contenders taking turns. deflect",
    "  uses all cores; the others have no threads for this.",
    "- One ticket: 2,000 tickets, each in a call of its own.",
    "- Cold start: a new process that imports, loads the model and answers once; the median of seven, taking turns.",
    "- Data sets: the starter tickets of this repository; what `DEFLECT_DATASETS` has (their own cut into train and",
    "  test); and generated tickets: words by Zipf's law, of which 12 % belong to a category, 3 % of the labels wrong.",
    "  They have about twice as many different words and word pairs as real tickets: the harder case.",
    "- One of the others that would take some minutes on a size is left out there.",
)


class _Measured(NamedTuple):
    """What was measured on one task: a row for each contender, a column for each quantity."""

    name: str
    n_tickets: int
    n_categories: int
    figures: pd.DataFrame

    @property
    def contenders(self) -> pd.DataFrame:
        """Return the contenders' rows, without those of other processes."""
        return self.figures.loc[[name for name in CONTENDERS if name in self.figures.index]]


def _by_task(found: pd.DataFrame, experiment: str = "data sets") -> Iterator[_Measured]:
    """Yield what an experiment measured, task by task, in the order of measuring."""
    own = found[found["experiment"] == experiment]
    quantities = [name for name in QUANTITIES if name in set(own["quantity"])]
    for (name, n_tickets, n_categories), rows in own.groupby(["task", "n_tickets", "n_categories"], sort=False):
        values = rows.pivot_table(index="contender", columns="quantity", values="value", sort=False)
        yield _Measured(str(name), n_tickets, n_categories, values.reindex(columns=quantities))


def _figures(found: pd.DataFrame) -> str:
    rows = [
        [task.name, str(name), *_shown(row)] for task in _by_task(found) for name, row in task.contenders.iterrows()
    ]
    return _table(["tickets of", "contender", *_names(_SIDE_BY_SIDE)], rows)


def _cold_starts(found: pd.DataFrame) -> str:
    """Return how long the first answer takes, also in units of `import numpy` and of deflect's."""
    rows = []
    for task in _by_task(found):
        seconds_of = task.figures["first_answer_seconds"].dropna().sort_values()
        for name, spent in seconds_of.items():
            ratios_ = [ratio(seconds_of[UNIT], spent), ratio(seconds_of[OURS], spent)]
            rows.append([task.name, str(name), seconds(spent), *ratios_])
    return _table(["tickets of", "process", "median", f"against {UNIT}", "against deflect"], rows)


def _sweep(found: pd.DataFrame, experiment: str, size_of: Callable[[_Measured], int], head: str) -> str:
    tasks = list(_by_task(found, experiment))
    rows = [
        [f"{size_of(task):,}", str(name), *_shown(row)] for task in tasks for name, row in task.contenders.iterrows()
    ]
    return _table([head, "contender", *_names(tasks[0].figures)], rows)


def _archives(found: pd.DataFrame) -> str:
    rows = []
    for task in _by_task(found, "archives"):
        own = task.figures.loc[OURS]
        for name, row in task.contenders.iterrows():
            spent, memory = row["archive_seconds"], row["archive_bytes"]
            cells = [seconds(spent), rate(task.n_tickets / spent), size(memory)]
            rows.append([f"{task.n_tickets:,}", str(name), *cells, ratio(own["archive_seconds"], spent)])
    return _table(["tickets", "contender", "time", "tickets/s", "memory", "against deflect"], rows)


def _names(quantities: Iterable[str]) -> list[str]:
    return [QUANTITIES[name].name for name in quantities]


def _shown(row: pd.Series) -> list[str]:
    return ["" if pd.isna(value) else QUANTITIES[str(name)].shown(value) for name, value in row.items()]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [list(head), ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
