"""Lets a slow and accurate classifier teach the fast table: what it makes of tickets without a category."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.base import clone

from deflect.errors import ParameterError
from deflect.line.encoder import Encoder
from deflect.line.hashing import Ints
from deflect.line.scorer import Float64s
from deflect.loop.classifier import TicketClassifier
from deflect.loop.texts import as_texts
from deflect.loop.vocabulary import Progress, quiet

#: What the teacher holds for less probable is left out: a row for next to nothing. With 0.05 the table was too sure.
_LEAST_PROBABILITY = 0.02


def distil(
    classifier: TicketClassifier,
    X: Iterable[str],
    y: npt.ArrayLike,
    *,
    teacher: Encoder,
    unlabelled: Iterable[str],
    sample_weight: npt.ArrayLike | None = None,
    progress: Progress = quiet,
) -> TicketClassifier:
    """Fit a classifier on labelled tickets and on what a teacher makes of tickets without a category.

    When to use it: with few labelled tickets, many others, and an encoder that is too slow to answer with. The teacher
    is the same classifier with the encoder, fitted on the labelled tickets. Of each ticket without a category the
    classifier learns every category that the teacher holds for possible, as much as it is probable. It is calibrated on
    such tickets alone: what the teacher learned of the labelled ones has found its way into all others.

    Parameters
    ----------
    classifier
        The classifier, without an encoder; it is copied.
    X, y, sample_weight
        The labelled tickets, as for ``TicketClassifier.fit``.
    teacher
        The encoder, such as one of ``load_encoder``.
    unlabelled
        Texts of other tickets, (n_unlabelled,), none of which the classifier will be tested on.
    progress
        As for ``TicketClassifier.fit``.

    Returns
    -------
    The fitted copy. It needs no encoder.

    Raises
    ------
    ParameterError
        The classifier has an encoder, or there is nothing without a category.

    Examples
    --------
    >>> from deflect import load_encoder
    >>> classifier = distil(
    ...     TicketClassifier(), texts, categories, teacher=load_encoder("models/minilm"), unlabelled=others
    ... )  # doctest: +SKIP

    """
    if classifier.encoder is not None:
        msg = "The classifier that is taught must have no encoder. Got one. Leave it out, or pass it as the teacher."
        raise ParameterError(msg)
    others = as_texts(unlabelled)
    if not others:
        msg = "unlabelled must hold tickets. Got none. Leave out the teacher, or name a file of tickets."
        raise ParameterError(msg)
    texts = as_texts(X)
    labels = np.asarray(y)
    weights = np.ones(len(texts)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    expert = clone(classifier).set_params(encoder=teacher).fit(texts, labels, weights, progress=progress)
    guesses = guess(expert, others)
    student: TicketClassifier = clone(classifier)
    return student.fit(
        [*texts, *guesses.texts],
        np.concatenate((labels, guesses.categories)),
        np.concatenate((weights, guesses.probabilities)),
        groups=np.concatenate((np.full(len(texts), -1), guesses.tickets)),
        progress=progress,
    )


@dataclass(frozen=True, eq=False)
class Guesses:
    """What a teacher makes of tickets: for each category that a ticket may have its number, text and probability."""

    tickets: Ints
    texts: list[str]
    categories: npt.NDArray[np.generic]
    probabilities: Float64s


def guess(teacher: TicketClassifier, texts: Sequence[str]) -> Guesses:
    """Return the categories that the teacher holds for possible, at least one of each ticket."""
    probabilities = teacher.predict_proba(texts)
    is_best = probabilities == probabilities.max(axis=1, keepdims=True)
    tickets, numbers = np.nonzero((probabilities >= _LEAST_PROBABILITY) | is_best)
    return Guesses(
        tickets, [texts[i] for i in tickets.tolist()], teacher.classes_[numbers], probabilities[tickets, numbers]
    )
