"""Makes a deflector from labelled tickets in one go: cut, fit, evaluate, fit again, promise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from sklearn.base import clone

from deflect.errors import ParameterError, TrainingDataError
from deflect.line.deflector import Deflector
from deflect.line.encoder import Encoder
from deflect.line.hashing import Ints
from deflect.loop.classifier import TicketClassifier
from deflect.loop.distilling import distil
from deflect.loop.encoding import remembering
from deflect.loop.evaluation import Report, evaluate
from deflect.loop.incident_windows import IncidentWindow, fit_incident_prior, mark, training_weights
from deflect.loop.near_duplicates import near_duplicate_groups
from deflect.loop.promises import LEAST_PROBABILITY, fit_thresholds
from deflect.loop.scope import fit_scope
from deflect.loop.splits import Split, read_times, split_tickets
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
    it says what the writer thinks the ticket is about, which a long pasted log in the body would drown. ``windows`` are
    past incidents; they need a column of the ``time``. An encoder as ``teacher`` labels the tickets
    that are ``unlabelled``, texts without a category, and the classifier learns from these too (``distil``).
    """

    classifier: TicketClassifier = field(default_factory=TicketClassifier)
    time: str | None = None
    requester: str | None = None
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2)
    random_state: int = 0
    target_precision: float = 0.9
    confidence: float = 0.95
    per: Literal["overall", "category"] = "category"
    least_probability: float = LEAST_PROBABILITY
    subject: str | None = "subject"
    windows: tuple[IncidentWindow, ...] = ()
    teacher: Encoder | None = None
    unlabelled: Sequence[str] = ()


@dataclass(frozen=True, eq=False)
class Training:
    """A deflector, the parts it was made from, and how a classifier that learned from train alone does on test.

    ``n_marked`` tickets were written during past incidents: they are in train only, with little weight.
    ``n_taught`` tickets without a category were learned from, as the teacher guessed them.
    """

    deflector: Deflector
    split: Split
    report: Report
    n_marked: int = 0
    n_taught: int = 0


def train_deflector(frame: pd.DataFrame, playbook: Playbook, plan: Plan, *, progress: Progress = quiet) -> Training:
    """Cut tickets into train, calibration and test, and make a deflector and an honest report of them.

    ``frame`` has the columns ``text`` and ``category`` of ``read_tickets``. The report is of a classifier that learned
    from train. The deflector's classifier then learns from train and test together, since more tickets make it better;
    its thresholds are fitted on the calibration part, which it has never seen, so its promise is as good as any.

    Tickets that were written during one of the plan's incidents are kept out of calibration and test: promise and
    report are about ordinary days. Those of train and test are learned from with little weight. Tickets without a
    category that are near-duplicates of tickets of calibration or test are left out.
    """
    if (plan.teacher is None) != (not plan.unlabelled):
        msg = "A teacher needs tickets without a category, and they need a teacher. Got one of both. Add the other."
        raise ParameterError(msg)
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
    encoder, plan = plan.classifier.encoder, _prepared(plan, split)
    first = _fitted(plan, split.train, progress)
    test = _ordinary(plan, split.test)
    promised = replace(split, calibration=_ordinary(plan, split.calibration), test=test)
    thresholds = _promised(plan, first, promised.calibration, playbook)
    report = evaluate(first, thresholds, test["text"], test["category"].to_numpy())
    final = _fitted(plan, pd.concat((split.train, split.test)), progress)
    numbers = _marked(plan, frame)
    prior = fit_incident_prior(frame["category"].tolist(), numbers, plan.windows) if plan.windows else None
    thresholds = _promised(plan, final, promised.calibration, playbook)
    final.scorer_ = final.scorer_.with_encoder(encoder)  # Without the memory.
    deflector = Deflector(final, thresholds, playbook, incident_prior=prior)
    return Training(deflector, promised, report, int((numbers >= 0).sum()), len(plan.unlabelled))


def _prepared(plan: Plan, split: Split) -> Plan:
    """Return the plan with encoders that remember, and without unlabelled tickets that it will be measured on."""
    if plan.classifier.encoder is not None:
        plan = replace(plan, classifier=clone(plan.classifier).set_params(encoder=remembering(plan.classifier.encoder)))
    if plan.teacher is None:
        return plan
    held_out = [*split.calibration["text"], *split.test["text"]]
    groups = near_duplicate_groups([*held_out, *plan.unlabelled])
    is_near = np.isin(groups[len(held_out) :], groups[: len(held_out)])
    unlabelled = [text for text, drop in zip(plan.unlabelled, is_near.tolist(), strict=True) if not drop]
    if not unlabelled:
        msg = "Some tickets without a category must be new. All are near-duplicates of calibration or test tickets."
        raise ParameterError(msg)
    return replace(plan, teacher=remembering(plan.teacher), unlabelled=unlabelled)


def _marked(plan: Plan, tickets: pd.DataFrame) -> Ints:
    """Return the number of the incident that each ticket was written in, -1 for none."""
    if not plan.windows:
        return np.full(len(tickets), -1)
    if plan.time is None:
        msg = (
            "Past incidents need the times of the tickets. Got no column of the time. Name it, as in time='created_at'."
        )
        raise ParameterError(msg)
    return mark(read_times(tickets[plan.time]), plan.windows)


def _ordinary(plan: Plan, tickets: pd.DataFrame) -> pd.DataFrame:
    return tickets[_marked(plan, tickets) < 0]


def _fitted(plan: Plan, tickets: pd.DataFrame, progress: Progress) -> TicketClassifier:
    classifier: TicketClassifier = clone(plan.classifier)
    texts, categories = tickets["text"], tickets["category"]
    weights = training_weights(_marked(plan, tickets), categories.tolist())
    if plan.subject is not None and plan.subject in tickets:
        subjects = tickets[plan.subject].fillna("").astype(str)
        is_telling = subjects.map(lambda subject: len(subject.split()) >= _LEAST_SUBJECT_WORDS)
        texts = pd.concat((texts, subjects[is_telling]))
        categories = pd.concat((categories, categories[is_telling]))
        weights = np.concatenate((weights, weights[is_telling.to_numpy(dtype=bool)] * _SUBJECT_WEIGHT))
    if plan.teacher is None:
        return classifier.fit(texts, categories.to_numpy(), weights, progress=progress)
    return distil(
        classifier,
        texts,
        categories.to_numpy(),
        teacher=plan.teacher,
        unlabelled=plan.unlabelled,
        sample_weight=weights,
        progress=progress,
    )


def _promised(plan: Plan, classifier: TicketClassifier, calibration: pd.DataFrame, playbook: Playbook) -> Thresholds:
    texts, categories = calibration["text"], calibration["category"]
    thresholds = fit_thresholds(
        classifier,
        texts,
        categories.to_numpy(),
        target_precision=plan.target_precision,
        confidence=plan.confidence,
        per=plan.per,
        least_probability=plan.least_probability,
    )
    is_outside = categories == playbook.out_of_scope
    return replace(
        thresholds, scope=fit_scope(classifier.scorer_, texts[~is_outside].tolist(), texts[is_outside].tolist())
    )
