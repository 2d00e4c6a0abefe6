"""The tickets that are measured on: a folder with train.csv and test.csv, which every process reads by itself."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.side_by_side.generated import Archive, Labelled

_COLUMNS = ("text", "label")
#: How many tickets a model of generated tickets is tested on.
_N_TEST = 20_000
#: No ticket of any data set is longer.
_MAX_CHARACTERS = 1 << 30


@dataclass(frozen=True)
class Task:
    """Tickets to learn from and tickets to answer; models are put beside them."""

    name: str
    folder: Path
    n_tickets: int
    n_categories: int

    @property
    def train(self) -> Path:
        """Return the file to learn from."""
        return self.folder / "train.csv"

    @property
    def test(self) -> Path:
        """Return the file to answer."""
        return self.folder / "test.csv"

    def model(self, contender: str) -> Path:
        """Return the folder of a contender's model."""
        return self.folder / contender


def read_labelled(path: Path) -> Labelled:
    """Read texts and labels with nothing but the standard library, so that memory is the contender's own."""
    csv.field_size_limit(_MAX_CHARACTERS)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [(row["text"], row["label"]) for row in csv.DictReader(file)]
    return [text for text, _ in rows], [label for _, label in rows]


def write_labelled(path: Path, blocks: Iterable[Labelled]) -> int:
    """Write texts and labels, block by block; return how many."""
    n_rows = 0
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_COLUMNS)
        for texts, labels in blocks:
            writer.writerows(zip(texts, labels, strict=True))
            n_rows += len(texts)
    return n_rows


def generated_task(scratch: Path, n_tickets: int, n_categories: int = 12) -> Task:
    """Write a task of generated tickets."""
    train, test = Archive(n_tickets, n_categories), Archive(_N_TEST, n_categories, seed=1)
    folder = scratch / f"generated-{n_tickets}-{n_categories}"
    return _written("generated", folder, train.blocks(), test.blocks(), n_categories)


def starter_task(scratch: Path) -> Task:
    """Write a task of the starter tickets: no near-duplicate and no requester is in both of its files."""
    from deflect import read_tickets, split_tickets

    tickets = read_tickets("data/starter_tickets.csv")
    parts = split_tickets(tickets, requester="requester", fractions=(0.8, 0.0, 0.2))
    train, test = ((part["text"].tolist(), part["category"].tolist()) for part in (parts.train, parts.test))
    return _written("starter tickets", scratch / "starter", [train], [test], tickets["category"].nunique())


def data_set_tasks(scratch: Path, names: Iterable[str]) -> Iterator[Task]:
    """Write the tasks of the data sets that lie in the folder DEFLECT_DATASETS, as NAME/NAME.csv.gz."""
    import pandas as pd

    root = os.environ.get("DEFLECT_DATASETS")
    paths = [Path(root, name, f"{name}.csv.gz") for name in names] if root else []
    for path in filter(Path.is_file, paths):
        frame = pd.read_csv(path, dtype=str).dropna(subset=["text", "label"])
        frame = frame[frame["label"].isin(frame.loc[frame["split"] == "train", "label"])]
        train, test = (
            (part["text"].tolist(), part["label"].tolist())
            for part in (frame[frame["split"] == split] for split in ("train", "test"))
        )
        name = path.parent.name
        yield _written(name, scratch / name, [train], [test], frame["label"].nunique())


def _written(name: str, folder: Path, train: Iterable[Labelled], test: Iterable[Labelled], n_categories: int) -> Task:
    folder.mkdir(parents=True)
    n_tickets = write_labelled(folder / "train.csv", train)
    write_labelled(folder / "test.csv", test)
    return Task(name, folder, n_tickets, n_categories)
