"""deflect, as `deflect train` sets it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np

from benchmarks.side_by_side.contenders import Contender
from deflect import Deflector, Thresholds
from deflect.line.encoder import Encoder
from deflect.line.playbook import parse_playbook
from deflect.line.thresholds import Threshold

_ENTRY = '[categories."{}"]\nowner = "team"\nreviewed_on = 2026-11-23\nlead = "Please see our help page."\n'
#: A promise of nothing: every answer is shown, so that loading is measured with a threshold and an answer.
_ANY = Threshold(None, 0.0, 0.5, 0.5, 1, 1, 1, 0.5, 1)


class Ours(Contender):
    """Rows of words, word pairs and character n-grams."""

    package = "ticket-deflect"
    setting = "`TicketClassifier()` as it is: words, word pairs and character 2-5-grams"
    first_answer = "import sys, deflect; deflect.Deflector.load(sys.argv[1]).suggest(sys.argv[2])"
    learning = "deflect.loop.classifier"
    scoring = "deflect.loop.batch"

    def __init__(self, encoder: Encoder | None = None) -> None:
        self.encoder = encoder

    def fit(self, texts: list[str], labels: list[str]) -> None:
        """Learn."""
        from deflect import TicketClassifier  # scikit-learn is for learning only: answering must not load it.

        classifier = TicketClassifier(encoder=self.encoder).fit(texts, labels)
        categories = classifier.scorer_.categories
        playbook = parse_playbook("format = 1\n" + "".join(map(_ENTRY.format, categories)))
        self.deflector = Deflector(classifier, Thresholds("overall", categories, (_ANY,)), playbook)

    def predict(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the label of each text, as ``TicketClassifier.predict`` does."""
        scorer = self.deflector.scorer
        answers: list[str] = np.array(scorer.categories)[scorer.margins(texts).argmax(axis=1)].tolist()
        return answers

    def save(self, folder: Path) -> None:
        """Write the bundle."""
        self.deflector.save(folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the bundle."""
        loaded = cls()
        loaded.deflector = Deflector.load(folder)
        return loaded

    @classmethod
    def score(cls, model: Path, source: Path, target: Path) -> None:
        """Answer a file by deflect's own command for it."""
        from deflect import score_file

        score_file(source, target, model=model, text="text")


CONTENDER = Ours
