"""An archive: from a CSV file to a CSV file with answers, and the memory that it takes."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from benchmarks.side_by_side.contenders import Contender
from benchmarks.side_by_side.process import Figures, peak_bytes, timed


def measure(kind: type[Contender], model: Path, source: Path, target: Path) -> Figures:
    """Load the model, answer the file, leave nothing behind."""
    import_module(kind.scoring)
    seconds = timed(lambda: kind.score(model, source, target))
    target.unlink()
    return {"archive_seconds": seconds, "archive_bytes": peak_bytes()}
