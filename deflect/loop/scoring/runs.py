"""Runs a scoring plan: blocks in, answered parts out in order, with a checkpoint every so many rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeAlias

import pyarrow as pa

from deflect.errors import ScoringError
from deflect.loop.scoring.answering import Job, Part, answer, groups
from deflect.loop.scoring.blocks import Place, TicketFile, blocks
from deflect.loop.scoring.footers import MAGIC, joined_footer, moved_groups
from deflect.loop.scoring.lines import csv_text
from deflect.loop.scoring.partial import FAULTS, GROUPS, ROWS, Partial, open_partial
from deflect.loop.scoring.plans import Plan, faults_path
from deflect.loop.scoring.sources import fingerprints
from deflect.loop.scoring.workers import in_order

#: What an interrupted run must do again at most, where the disk is as fast.
_CHECKPOINT_ROWS = 100_000
#: What a run is about, in words for people.
_ABOUT = {"source": "the source", "model": "the model", "options": "the options", "versions": "deflect or pyarrow"}

Progress: TypeAlias = Callable[[int, int, int], None]
Notify: TypeAlias = Callable[[str], None]


@dataclass
class State:
    """How far a run is, and what it has counted."""

    place: Place = field(default_factory=Place)
    n_rows: int = 0
    n_faults: int = 0
    n_groups: int = 0
    per_category: dict[str, int] = field(default_factory=dict)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> State:
        """Return the state of a checkpoint."""
        return cls(Place(**data["place"]), data["n_rows"], data["n_faults"], data["n_groups"], data["per_category"])

    def add(self, part: Part, place: Place) -> None:
        """Count a part, and go to the place behind it."""
        self.place = place
        self.n_rows += part.n_rows
        self.n_faults += len(part.faults)
        for name, count in part.per_category.items():
            self.per_category[name] = self.per_category.get(name, 0) + count


def about_run(files: list[TicketFile], model_version: str, options: list[object]) -> dict[str, object]:
    """Return what a run is about, as its journal says it: where it is the same, a run can be gone on with."""
    return {
        "source": fingerprints(files),
        "model": model_version,
        "options": json.loads(json.dumps(options)),
        "versions": [version("ticket-deflect"), pa.__version__],
    }


def changes(about: Mapping[str, object], before: Mapping[str, object]) -> str:
    """Return in words what a run is about that an earlier one was not."""
    return " and ".join(words for name, words in _ABOUT.items() if before.get(name) != about[name])


@dataclass(frozen=True)
class Run:
    """A plan, what answers it, and whom to tell about it; ``begin`` and ``end`` are for a part of the source."""

    plan: Plan
    target: Path
    job: Job
    n_workers: int = 1
    progress: Progress | None = None
    notify: Notify | None = None
    begin: Place = field(default_factory=Place)
    end: Place | None = None

    def run(self, model_version: str, options: list[object]) -> tuple[State, int]:
        """Do what is left to do; return the state at the end, and how many rows an earlier run had done."""
        files = self.plan.files[self.begin.file : None if self.end is None else self.end.file + 1]
        span = [asdict(self.begin), self.end and asdict(self.end)]
        about = about_run(files, model_version, [*options, span])
        with open_partial(self.target, about, is_kept=bool(model_version)) as partial_target:
            self._tell(partial_target, about)
            before = partial_target.state
            state = State(self.begin) if before is None else State.from_dict(before)
            n_resumed = state.n_rows
            with self._wording():
                if not partial_target.is_done:
                    self._write(partial_target, state)
                partial_target.finish(asdict(state), self.target, faults_path(self.target))
        return state, n_resumed

    def _write(self, files: Partial, state: State) -> None:
        head = self.plan.target.head()
        if files.state is None:
            files.append(ROWS, head.body)
        n_kept, n_bytes = state.n_rows, sum(file.path.stat().st_size for file in self.plan.files)
        steps = groups(blocks(self.plan.files, state.place, self.end))
        with closing(in_order(partial(answer, self.job), steps, self.n_workers)) as parts:
            for part, place in parts:
                self._append(files, state, part)
                state.add(part, place)
                if state.n_rows >= n_kept + _CHECKPOINT_ROWS and not files.is_saving:
                    files.checkpoint(asdict(state))
                    n_kept = state.n_rows
                if self.progress is not None:
                    self.progress(state.n_rows, place.n_bytes, n_bytes)
        if head.footer:
            files.append(ROWS, joined_footer(head.footer, files.content(GROUPS), state.n_groups, state.n_rows))

    def _append(self, files: Partial, state: State, part: Part) -> None:
        if part.rendered.footer:
            moved = moved_groups(part.rendered.footer, files.size(ROWS) - len(MAGIC), state.n_groups)
            files.append(GROUPS, b"".join(moved))
            state.n_groups += len(moved)
        files.append(ROWS, part.rendered.body)
        if part.faults:
            head = [] if state.n_faults else [("file", "line", "reason")]
            rows = [(self.plan.shown(number), fault.line, fault.reason) for number, fault in part.faults]
            files.append(FAULTS, csv_text([*head, *rows]).encode())

    def _tell(self, files: Partial, about: Mapping[str, object]) -> None:
        if self.notify is None:
            return
        if files.before is not None:
            what = changes(about, files.before)
            self.notify(f"an earlier run was interrupted, but {what} changed since: starting afresh")
        elif files.state is not None:
            self.notify(f"going on behind row {files.state['n_rows']:,}, where an earlier run was interrupted")

    @contextmanager
    def _wording(self) -> Iterator[None]:
        """Turn what can happen to a run from outside into one sentence."""
        again = "Run the same again: it goes on from the last checkpoint."
        try:
            yield
        except OSError as error:
            msg = f"{self.target} must be written. Got: {error.strerror or error}. Mend it. {again}"
            raise ScoringError(msg) from error
