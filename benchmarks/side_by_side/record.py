"""What was measured: one record for each figure, kept as a table that every page and plot is made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd


@dataclass(frozen=True)
class Record:
    """One figure: what an experiment found for a contender on a task."""

    experiment: str
    task: str
    n_tickets: int
    n_categories: int
    contender: str
    quantity: str
    value: float


def write_records(path: Path, found: Iterable[Record]) -> None:
    """Write records as CSV."""
    frame = pd.DataFrame([asdict(record) for record in found])
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, float_format="%.6g", lineterminator="\n")


def read_records(path: Path) -> pd.DataFrame:
    """Read records as a frame with a column for each field."""
    return pd.read_csv(path)
