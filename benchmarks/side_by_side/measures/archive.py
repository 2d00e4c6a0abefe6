"""An archive: from a CSV file to a CSV file with answers, with the memory of all processes that work on it."""

from __future__ import annotations

from contextlib import suppress
from importlib import import_module
from pathlib import Path
from threading import Event, Thread

import psutil

from benchmarks.side_by_side.contenders import Contender
from benchmarks.side_by_side.process import Figures, peak_bytes, timed

_EVERY_SECONDS = 0.2


def measure(kind: type[Contender], model: Path, source: Path, target: Path) -> Figures:
    """Load the model, answer the file, leave nothing behind."""
    import_module(kind.scoring)
    peaks, is_done = [0.0], Event()
    watcher = Thread(target=_watch, args=(is_done, peaks))
    watcher.start()
    seconds = timed(lambda: kind.score(model, source, target))
    is_done.set()
    watcher.join()
    target.unlink()
    return {"archive_seconds": seconds, "archive_bytes": max(*peaks, peak_bytes())}


def _watch(is_done: Event, peaks: list[float]) -> None:
    """Note the memory of this process and of all below it, pages that several share divided among them."""
    own = psutil.Process()
    while not is_done.wait(_EVERY_SECONDS):
        with suppress(psutil.NoSuchProcess):  # One that ended meanwhile has no more memory.
            peaks.append(sum(one.memory_full_info().pss for one in (own, *own.children(recursive=True))))
