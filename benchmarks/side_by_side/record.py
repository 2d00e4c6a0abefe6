"""What was measured: one record for each figure, kept as a table that every page and plot is made from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
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
    """Write records as CSV, each as soon as it is found: a run of hours may end early."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Record))
        for record in found:
            writer.writerow([*astuple(record)[:-1], f"{record.value:.6g}"])
            file.flush()


def read_records(path: Path) -> pd.DataFrame:
    """Read records as a frame with a column for each field."""
    return pd.read_csv(path)
