"""Public data sets for the benchmarks of accuracy: they lie in the folder DEFLECT_DATASETS, not in the repository."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

#: What a data set calls tickets of no category.
_OUTSIDE = ("oos", "no_nodes_detected", "out_of_scope", "none")
_FILES = {"clinc150": "clinc150/clinc150_full"}


@dataclass(frozen=True, eq=False)
class DataSet:
    """Training and test tickets (columns text and label), and test texts ``outside`` of all categories."""

    name: str
    train: pd.DataFrame
    test: pd.DataFrame
    outside: list[str]


def read_set(name: str) -> DataSet:
    """Read a data set with its own cut."""
    root = os.environ.get("DEFLECT_DATASETS")
    if not root:
        sys.exit("DEFLECT_DATASETS must name the folder of the data sets. It is not set.")
    frame = pd.read_csv(Path(root, _FILES.get(name, f"{name}/{name}") + ".csv.gz"))
    frame = frame[frame["label"].notna()].assign(text=frame["text"].fillna("").astype(str))
    frame["label"] = frame["label"].astype(str)
    is_outside = frame["label"].str.lower().isin(_OUTSIDE)
    is_train, is_test = frame["split"] == "train", frame["split"] == "test"
    tickets = frame[["text", "label"]]
    return DataSet(
        name,
        tickets[is_train & ~is_outside],
        tickets[is_test & ~is_outside],
        frame.loc[is_test & is_outside, "text"].tolist(),
    )


def few(frame: pd.DataFrame, n: int, draw: int) -> pd.DataFrame:
    """Return at most n random tickets of each category."""
    order = np.random.default_rng(draw).permutation(len(frame))
    return frame.iloc[order].groupby("label").head(n)
