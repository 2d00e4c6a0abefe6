"""Answering: how many tickets a second in a batch, how right, and with how much memory."""

from __future__ import annotations

from pathlib import Path

from benchmarks.side_by_side.contenders import Contender
from benchmarks.side_by_side.process import Figures, peak_bytes, timed
from benchmarks.side_by_side.tasks import read_labelled

_N_TEXTS = 40_000
_ROUNDS = 3
#: Slow contenders get fewer rounds: at least one, and none after this time.
_ENOUGH_SECONDS = 5.0


def measure(kind: type[Contender], model: Path, test: Path) -> Figures:
    """Answer the test tickets, as often as it takes to make 40,000."""
    texts, labels = read_labelled(test)
    contender = kind.load(model)
    answers = contender.predict(texts)
    batch = (texts * (1 + _N_TEXTS // len(texts)))[:_N_TEXTS]
    spent: list[float] = []
    while len(spent) < _ROUNDS and sum(spent) < _ENOUGH_SECONDS:
        spent.append(timed(lambda: contender.predict(batch)))
    accuracy = sum(answer == label for answer, label in zip(answers, labels, strict=True)) / len(labels)
    return {"tickets_per_second": len(batch) / min(spent), "accuracy": accuracy, "answering_bytes": peak_bytes()}
