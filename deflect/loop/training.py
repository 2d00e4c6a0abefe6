"""Makes a deflector from labelled tickets in one go: cut, fit, promise, evaluate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from deflect.errors import TrainingDataError
from deflect.line.deflector import Deflector
from deflect.loop.classifier import TicketClassifier
from deflect.loop.evaluation import Report, evaluate
from deflect.loop.promises import fit_thresholds
from deflect.loop.splits import Split, split_tickets
from deflect.loop.vocabulary import Progress, quiet

if TYPE_CHECKING:
    import pandas as pd

    from deflect.line.playbook import Playbook

#: With fewer tickets than this in a category nothing can be learned, calibrated and tested.
_LEAST_TICKETS = 3


@dataclass(frozen=True, eq=False)
class Training:
    """A deflector, the parts it was made from, and how it does on the test part."""

    deflector: Deflector
    classifier: TicketClassifier
    split: Split
    report: Report


def train_deflector(
    frame: pd.DataFrame,
    playbook: Playbook,
    *,
    target_precision: float = 0.9,
    confidence: float = 0.95,
    per: Literal["overall", "category"] = "category",
    time: str | None = None,
    requester: str | None = None,
    random_state: int = 0,
    progress: Progress = quiet,
) -> Training:
    """Cut tickets, fit a classifier on train, promise on calibration, evaluate on test.

    ``frame`` has the columns ``text`` and ``category`` of ``read_tickets``; the other parameters are those of
    ``split_tickets`` and ``fit_thresholds``.
    """
    counts = frame["category"].value_counts()
    small = [f"{name} ({count})" for name, count in counts.items() if count < _LEAST_TICKETS]
    if small:
        msg = (
            f"Each category must have at least {_LEAST_TICKETS} tickets, one each to learn, to calibrate and to test on. "
            f"Got {', '.join(small)}. Add tickets, or put these under another category."
        )
        raise TrainingDataError(msg)
    split = split_tickets(frame, time=time, requester=requester, random_state=random_state)
    classifier = TicketClassifier(random_state=random_state)
    classifier.fit(split.train["text"], split.train["category"].to_numpy(), progress=progress)
    calibration, test = split.calibration, split.test
    thresholds = fit_thresholds(
        classifier,
        calibration["text"],
        calibration["category"].to_numpy(),
        target_precision=target_precision,
        confidence=confidence,
        per=per,
    )
    report = evaluate(classifier, thresholds, test["text"], test["category"].to_numpy())
    return Training(Deflector(classifier, thresholds, playbook), classifier, split, report)
