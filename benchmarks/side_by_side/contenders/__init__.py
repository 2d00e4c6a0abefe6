"""The contenders: four ways to learn categories from tickets, each behind the same few methods."""

from __future__ import annotations

import csv
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import ClassVar, Self

#: Where each contender lives; only the one that is measured is imported.
CONTENDERS = {
    "deflect": "benchmarks.side_by_side.contenders.ours",
    "fastText": "benchmarks.side_by_side.contenders.fast_text",
    "scikit-learn": "benchmarks.side_by_side.contenders.scikit_learn",
    "spaCy": "benchmarks.side_by_side.contenders.spacy_words",
}
OURS = "deflect"
#: As many tickets of an archive are answered at once.
_CHUNK = 20_000


class Contender(ABC):
    """Learns from texts and labels, and answers texts with labels.

    ``package`` is its name on PyPI, ``setting`` says how it is set. ``first_answer`` is a whole program: it imports no
    more than it needs, loads the model at ``argv[1]`` and answers the text ``argv[2]``. ``learning`` and ``scoring``
    are the modules that only ``fit`` and only ``score`` import, which no clock should count.
    """

    package: ClassVar[str]
    setting: ClassVar[str]
    first_answer: ClassVar[str]
    learning: ClassVar[str] = "builtins"
    scoring: ClassVar[str] = "builtins"

    @abstractmethod
    def fit(self, texts: list[str], labels: list[str]) -> None:
        """Learn."""

    @abstractmethod
    def predict(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the label of each text."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Write the model into an empty folder."""

    @classmethod
    @abstractmethod
    def load(cls, folder: Path) -> Self:
        """Read the model that ``save`` wrote."""

    @classmethod
    def score(cls, model: Path, source: Path, target: Path) -> None:
        """Answer each ticket of a CSV file with the columns text and label into another, in constant memory."""
        contender = cls.load(model)
        with (
            source.open(encoding="utf-8", newline="") as tickets,
            target.open("w", encoding="utf-8", newline="") as out,
        ):
            rows, writer = csv.DictReader(tickets), csv.writer(out)
            writer.writerow([*(rows.fieldnames or ()), "answer"])
            for chunk in _chunks(rows):
                answers = contender.predict([row["text"] for row in chunk])
                writer.writerows([*row.values(), answer] for row, answer in zip(chunk, answers, strict=True))


def _chunks(rows: Iterator[dict[str, str]]) -> Iterator[list[dict[str, str]]]:
    while chunk := list(islice(rows, _CHUNK)):
        yield chunk


def contender(name: str) -> type[Contender]:
    """Return the contender of a name."""
    found: type[Contender] = import_module(CONTENDERS[name]).CONTENDER
    return found
