"""Keeps a target that is not whole yet beside its place, with a journal: a run that was killed goes on from there."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from deflect.errors import ScoringError

#: The files that grow: the target, the list of its faults, and what Parquet's footer will say of its row groups.
ROWS, FAULTS, GROUPS = "rows", "faults", "groups"
_FILES = (ROWS, FAULTS, GROUPS)
_JOURNAL = "journal"
_DONE = "is_done"


class Partial:
    """Files that only grow, and a journal of how far they are known to be good.

    The first line of the journal says what the run is about. Every other line is a checkpoint: the run's state and the
    length of each file, written when all of that is on the disk. What stands behind the last whole line is dropped, so
    it does not matter where a run was killed. ``state`` is that of the last checkpoint, None where there is none;
    ``before`` is what an earlier run was about, if that was something else. A thread waits for the disk, which may take
    longer than the rows between two checkpoints, while the files grow on.
    """

    def __init__(self, folder: Path, about: Mapping[str, object], journal: BinaryIO) -> None:
        self.state: Mapping[str, object] | None = None
        self.before: Mapping[str, object] | None = None
        self._folder = folder
        self._journal = journal
        self._thread = ThreadPoolExecutor(1)
        self._saving: Future[None] | None = None
        lines = _whole_lines(journal)
        if lines and lines[0] == about:
            self.state = lines[-1] if len(lines) > 1 else None
        elif lines:
            self.before = lines[0]
        self._sizes = dict.fromkeys(_FILES, 0) if self.state is None else _sizes(self.state)
        if self.state is None:
            self._journal.seek(0)
            self._journal.truncate()
            self._write(about)
        self._files = {} if self.is_done else {name: _cut(folder / name, size) for name, size in self._sizes.items()}

    @property
    def is_done(self) -> bool:
        """Say whether all was written, and only the last moves may be missing."""
        return self.state is not None and bool(self.state.get(_DONE))

    def size(self, name: str) -> int:
        """Return how long a file is."""
        return self._sizes[name]

    def append(self, name: str, raw: bytes) -> None:
        """Write behind the end of a file."""
        self._files[name].write(raw)
        self._sizes[name] += len(raw)

    def content(self, name: str) -> bytes:
        """Return all that a file holds."""
        self._files[name].flush()
        return (self._folder / name).read_bytes()

    @property
    def is_saving(self) -> bool:
        """Say whether the last checkpoint is not on the disk yet."""
        return self._saving is not None and not self._saving.done()

    def checkpoint(self, state: Mapping[str, object]) -> None:
        """Begin to save: a run that is killed when this is on the disk goes on from here. One at a time."""
        self._settle()
        for file in self._files.values():
            file.flush()
        self._saving = self._thread.submit(self._save, {**state, "sizes": dict(self._sizes)})

    def finish(self, state: Mapping[str, object], target: Path, faults: Path) -> None:
        """Put the files in their places; an empty list of faults removes an older one."""
        if not self.is_done:
            self.checkpoint({**state, _DONE: True})
        self._settle()
        self.close()
        rows, listed = self._folder / ROWS, self._folder / FAULTS
        if listed.exists() and not listed.stat().st_size:
            faults.unlink(missing_ok=True)
        elif listed.exists():
            listed.replace(faults)
        if rows.exists():
            rows.replace(target)
        shutil.rmtree(self._folder)

    def close(self) -> None:
        """Close the files that grow, once the last checkpoint is saved."""
        self._thread.shutdown()
        for file in self._files.values():
            file.close()

    def _settle(self) -> None:
        """Wait until the last checkpoint is saved; raise what kept it from that."""
        if self._saving is not None:
            self._saving.result()

    def _save(self, line: Mapping[str, object]) -> None:
        for file in self._files.values():
            os.fsync(file.fileno())
        self._write(line)
        self.state = line

    def _write(self, line: Mapping[str, object]) -> None:
        self._journal.write(json.dumps(line).encode() + b"\n")
        self._journal.flush()
        os.fsync(self._journal.fileno())


@contextmanager
def open_partial(target: Path, about: Mapping[str, object], *, is_kept: bool) -> Iterator[Partial]:
    """Open what an earlier run left of a target, or begin; one run at a time. After an error it stays, if kept."""
    folder = target.with_name(f".{target.name[:200]}.partial")
    folder.mkdir(exist_ok=True)
    try:
        with (folder / _JOURNAL).open("a+b") as journal:
            _lock(journal, target)
            partial = Partial(folder, about, journal)
            try:
                yield partial
            finally:
                partial.close()
                is_kept = is_kept and partial.state is not None
    finally:
        if not is_kept:
            shutil.rmtree(folder, ignore_errors=True)


def _whole_lines(journal: BinaryIO) -> list[dict[str, object]]:
    """Return the lines of a journal, and cut off a last one that was not written to its end."""
    journal.seek(0)
    lines: list[dict[str, object]] = []
    end = 0
    for raw in journal:
        try:
            line = json.loads(raw) if raw.endswith(b"\n") else None
        except ValueError:
            line = None
        if not isinstance(line, dict):
            break
        lines.append(line)
        end += len(raw)
    journal.seek(end)
    journal.truncate()
    return lines


def _sizes(state: Mapping[str, object]) -> dict[str, int]:
    sizes = state["sizes"]
    return dict(sizes) if isinstance(sizes, dict) else {}


def _cut(path: Path, size: int) -> BinaryIO:
    """Open a file to write on behind its first so many bytes."""
    file = path.open("ab")
    file.truncate(size)
    return file


def _lock(journal: BinaryIO, target: Path) -> None:
    """Keep a second run away from the same target; the lock ends with the process, however that ends."""
    if sys.platform == "win32":
        return
    import fcntl

    try:
        fcntl.flock(journal, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        msg = (
            f"{target} must be written by one run at a time. Another one is at it. Wait for it, or name another target."
        )
        raise ScoringError(msg) from error
