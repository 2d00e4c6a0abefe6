"""One ticket at a time: what the writer of a ticket waits for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.side_by_side.contenders import Contender
from benchmarks.side_by_side.process import Figures, timed
from benchmarks.side_by_side.tasks import read_labelled

_N_TEXTS = 2_000
_N_WARM = 50


def measure(kind: type[Contender], model: Path, test: Path) -> Figures:
    """Answer tickets one by one."""
    texts = read_labelled(test)[0][:_N_TEXTS]
    contender = kind.load(model)
    for text in texts[:_N_WARM]:
        contender.predict([text])
    spent = [timed(lambda text=text: contender.predict([text])) for text in texts]
    p50, p99 = np.percentile(spent, (50, 99)).tolist()
    return {"p50_seconds": p50, "p99_seconds": p99}
