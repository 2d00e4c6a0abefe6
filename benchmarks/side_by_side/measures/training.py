"""Training: how long, how much memory, how large the model is."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from benchmarks.side_by_side.contenders import Contender
from benchmarks.side_by_side.process import Figures, peak_bytes, timed
from benchmarks.side_by_side.tasks import read_labelled


def measure(kind: type[Contender], train: Path, model: Path) -> Figures:
    """Learn from a file and save the model."""
    texts, labels = read_labelled(train)
    import_module(kind.learning)
    contender = kind()
    seconds = timed(lambda: contender.fit(texts, labels))
    peak = peak_bytes()
    model.mkdir()
    contender.save(model)
    n_bytes = sum(file.stat().st_size for file in model.rglob("*") if file.is_file())
    return {"training_seconds": seconds, "training_bytes": peak, "model_bytes": n_bytes}
