"""Makes a deflector from labelled tickets in one go: cut, fit, evaluate, fit again, promise."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from sklearn.base import clone

from deflect.errors import TrainingDataError
from deflect.line.deflector import Deflector
from deflect.loop.classifier import TicketClassifier
from deflect.loop.evaluation import Report, evaluate
from deflect.loop.promises import fit_thresholds
from deflect.loop.splits import Split, split_tickets
from deflect.loop.vocabulary import Progress, quiet

if TYPE_CHECKING:
    from deflect.line.playbook import Playbook
    from deflect.line.thresholds import Thresholds

#: With fewer tickets in a category nothing can be learned, calibrated and tested.
_LEAST_TICKETS = 3
#: A subject of one word ("Help") says too little. Half a ticket's weight did as well as a whole one's on real posts.
_LEAST_SUBJECT_WORDS = 2
_SUBJECT_WEIGHT = 0.5


@dataclass(frozen=True)
class Plan:
    """How to train: the classifier, unfitted, and the parameters of ``split_tickets`` and ``fit_thresholds``.

    ``subject`` names the column of the subject line, if there is one. Each subject is then learned once more by itself:
    it says what the writer thinks the ticket is about, which a long pasted log in the body would drown.
    """

    classifier: TicketClassifier = field(default_factory=TicketClassifier)
    time: str | None = None
    requester: str | None = None
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2)
    random_state: int = 0
    target_precision: float = 0.9
    confidence: float = 0.95
    per: Literal["overall", "category"] = "category"
    least_probability: float = 0.0
    subject: str | None = "subject"


@dataclass(frozen=True, eq=False)
class Training:
    """A deflector, the parts it was made from, and how a classifier that learned from train alone does on test."""

    deflector: Deflector
    split: Split
    report: Report


def train_deflector(frame: pd.DataFrame, playbook: Playbook, plan: Plan, *, progress: Progress = quiet) -> Training:
    """Cut tickets into train, calibration and test, and make a deflector and an honest report of them.

    ``frame`` has the columns ``text`` and ``category`` of ``read_tickets``. The report is of a classifier that learned
    from train. The deflector's classifier then learns from train and test together, since more tickets make it better;
    its thresholds are fitted on the calibration part, which it has never seen, so its promise is as good as any.
    """
    counts = frame["category"].value_counts()
    small = [f"{name} ({count})" for name, count in counts.items() if count < _LEAST_TICKETS]
    if small:
        msg = (
            f"Each category must have at least {_LEAST_TICKETS} tickets: to learn, to calibrate and to test on. "
            f"Got {', '.join(small)}. Add tickets, or put these under another category."
        )
        raise TrainingDataError(msg)
    split = split_tickets(
        frame, time=plan.time, requester=plan.requester, fractions=plan.fractions, random_state=plan.random_state
    )
    first = _fitted(plan, split.train, progress)
    test = split.test
    report = evaluate(first, _promised(plan, first, split), test["text"], test["category"].to_numpy())
    final = _fitted(plan, pd.concat((split.train, split.test)), progress)
    return Training(Deflector(final, _promised(plan, final, split), playbook), split, report)


def _fitted(plan: Plan, tickets: pd.DataFrame, progress: Progress) -> TicketClassifier:
    classifier: TicketClassifier = clone(plan.classifier)
    texts, categories = tickets["text"], tickets["category"]
    weights = np.ones(len(tickets))
    if plan.subject is not None and plan.subject in tickets:
        subjects = tickets[plan.subject].fillna("").astype(str)
        is_telling = subjects.map(lambda subject: len(subject.split()) >= _LEAST_SUBJECT_WORDS)
        texts = pd.concat((texts, subjects[is_telling]))
        categories = pd.concat((categories, categories[is_telling]))
        weights = np.concatenate((weights, np.full(int(is_telling.sum()), _SUBJECT_WEIGHT)))
    return classifier.fit(texts, categories.to_numpy(), weights, progress=progress)


def _promised(plan: Plan, classifier: TicketClassifier, split: Split) -> Thresholds:
    return fit_thresholds(
        classifier,
        split.calibration["text"],
        split.calibration["category"].to_numpy(),
        target_precision=plan.target_precision,
        confidence=plan.confidence,
        per=plan.per,
        least_probability=plan.least_probability,
    )
