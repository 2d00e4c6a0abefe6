"""spaCy: its bag-of-words text categorizer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import spacy
from spacy.training import Example
from spacy.util import minibatch

from benchmarks.side_by_side.contenders import Contender

_EPOCHS = 5
_BATCH = 256
_MODEL = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "length": 262_144,  # spaCy's default size of the hashed table.
    "ngram_size": 2,
    "no_output_layer": False,
}


class SpacyWords(Contender):
    """Hashed words and word pairs, and one layer."""

    package = "spacy"
    setting = f"`spacy.TextCatBOW.v3`, exclusive, words and pairs, a blank English pipeline, {_EPOCHS} epochs"
    first_answer = """
import sys, spacy
cats = spacy.load(sys.argv[1])(sys.argv[2]).cats
max(cats, key=cats.get)
"""

    def fit(self, texts: list[str], labels: list[str]) -> None:
        """Learn."""
        self.pipeline = spacy.blank("en")
        self.pipeline.add_pipe("textcat", config={"model": _MODEL})
        categories = sorted(set(labels))
        examples = [
            Example.from_dict(self.pipeline.make_doc(text), {"cats": {name: name == label for name in categories}})
            for text, label in zip(texts, labels, strict=True)
        ]
        optimizer = self.pipeline.initialize(lambda: examples)
        shuffle = random.Random(0).shuffle  # noqa: S311  # The order of training examples is no secret.
        for _ in range(_EPOCHS):
            shuffle(examples)
            for batch in minibatch(examples, _BATCH):
                self.pipeline.update(batch, sgd=optimizer)

    def predict(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the label of each text."""
        return [_best(document.cats) for document in self.pipeline.pipe(texts, batch_size=_BATCH)]

    def save(self, folder: Path) -> None:
        """Write the pipeline."""
        self.pipeline.to_disk(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read it."""
        loaded = cls()
        loaded.pipeline = spacy.load(folder)
        return loaded


def _best(cats: dict[str, float]) -> str:
    return max(cats, key=lambda name: cats[name])


CONTENDER = SpacyWords
