"""fastText, by its own Python binding."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from benchmarks.side_by_side.contenders import Contender

_MODEL, _NAMES = "model.bin", "names.json"
_LABEL = "__label__"


class FastText(Contender):
    """Averaged vectors of words and word pairs."""

    package = "fasttext"
    setting = (
        "`train_supervised(wordNgrams=2, dim=100, epoch=25, lr=0.5, thread=2)`, texts in lower case without "
        "punctuation; its table of 2,000,000 buckets is what makes its model large"
    )
    first_answer = f"""
import json, re, sys
import fasttext
model = fasttext.load_model(sys.argv[1] + "/{_MODEL}")
text = " ".join(re.findall(r"\\w+", sys.argv[2].lower()))
label = model.f.predict(text + "\\n", 1, 0.0, "strict")[0][1]
json.load(open(sys.argv[1] + "/{_NAMES}"))[int(label[{len(_LABEL)}:])]
"""

    def fit(self, texts: list[str], labels: list[str]) -> None:
        """Learn."""
        import fasttext  # Only `make bench` installs it: it has to be compiled.

        self.names = sorted(set(labels))
        numbers = {name: number for number, name in enumerate(self.names)}
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "train.txt")
            with path.open("w", encoding="utf-8") as file:
                rows = zip(texts, labels, strict=True)
                file.writelines(f"{_LABEL}{numbers[label]} {_cleaned(text)}" for text, label in rows)
            self.model = fasttext.train_supervised(
                str(path), wordNgrams=2, dim=100, epoch=25, lr=0.5, thread=2, verbose=0
            )

    def predict(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the label of each text; ``model.predict`` itself does not work with NumPy 2."""
        labels, _ = self.model.f.multilinePredict([_cleaned(text) for text in texts], 1, 0.0, "strict")
        # A text without a known word has no label.
        return [self.names[int(label[0][len(_LABEL) :])] if label else "" for label in labels]

    def save(self, folder: Path) -> None:
        """Write the model and the names of its labels."""
        self.model.save_model(str(folder / _MODEL))
        (folder / _NAMES).write_text(json.dumps(self.names), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read them."""
        import fasttext

        loaded = cls()
        loaded.model = fasttext.load_model(str(folder / _MODEL))
        loaded.names = json.loads((folder / _NAMES).read_text(encoding="utf-8"))
        return loaded


def _cleaned(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower())) + "\n"


CONTENDER = FastText
