"""Decides what a probability leads to: one table of reasons, for one ticket and for millions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from deflect.line.playbook import Entry, Playbook
from deflect.line.suggestion import Reason
from deflect.line.text import BYTES, EDGE
from deflect.line.text_column import TextColumn
from deflect.line.thresholds import Thresholds

#: How many categories an answer names: the most probable one and its alternatives.
N_NAMED = 3
#: Reasons by their number.
REASONS: tuple[Reason, ...] = get_args(Reason)
#: The outcome of a ticket whose scope score is too low; 0 and 1 are those of the threshold.
_OUTSIDE = 2
_CONFIDENT, _TOO_SHORT = REASONS.index("confident"), REASONS.index("too_short")
#: What str.isalnum calls a letter or a number.
_has_word = re.compile(r"[^\W_]").search
_N_ASCII = 0x80

Ints = npt.NDArray[np.integer]
Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Decisions:
    """What is decided about many tickets, in columns.

    ``order`` has the places of each ticket's most probable categories in ``categories``, at most three, and
    ``probabilities`` theirs, (n_tickets, n_named). ``reasons`` are numbers of ``REASONS``, (n_tickets,).
    """

    categories: tuple[str, ...]
    order: Ints
    probabilities: Float64s
    reasons: Ints
    model_version: str

    @property
    def is_suggested(self) -> npt.NDArray[np.bool_]:
        """Tell for each ticket whether its category is to be suggested."""
        suggested: npt.NDArray[np.bool_] = self.reasons == _CONFIDENT
        return suggested


class Rule:
    """Tells the reason for a category: a table with a row for each, and a column for each outcome.

    The outcomes are a probability below the threshold, one that reaches it, and a ticket that speaks for no category.
    """

    def __init__(self, thresholds: Thresholds, playbook: Playbook) -> None:
        self._least = np.array(thresholds.least)
        self._least_scope = -np.inf if thresholds.scope is None else thresholds.scope.least
        names = [_reasons(playbook.entries.get(name), name == playbook.out_of_scope) for name in thresholds.categories]
        self._numbers = np.array([[REASONS.index(reason) for reason in row] for row in names], dtype=np.uint8)

    def reason(self, text: str, category: int, probability: float, scope: float) -> Reason:
        """Return the reason for what is decided about one ticket, whose scope score is ``scope``."""
        if not _has_word(text):
            return "too_short"
        outcome = _OUTSIDE if scope < self._least_scope else int(probability >= self._least[category])
        return REASONS[int(self._numbers[category, outcome])]

    def reasons(self, texts: Sequence[str], categories: Ints, probabilities: Float64s, scope: Float32s) -> Ints:
        """Return for many tickets the numbers of the reasons that ``reason`` returns for each."""
        outcomes = np.where(scope < self._least_scope, _OUTSIDE, probabilities >= self._least[categories])
        numbers = self._numbers[categories, outcomes]
        numbers[[i for i in _places_to_look(texts) if not _has_word(texts[i])]] = _TOO_SHORT
        return numbers


def _places_to_look(texts: Sequence[str]) -> Iterable[int]:
    """Return the places of texts that may have no word; most begin with one, which is seen without making a str."""
    if not isinstance(texts, TextColumn):
        return range(len(texts))
    begins_word = np.frombuffer(BYTES, np.uint8) != EDGE
    begins_word[_N_ASCII:] = False  # Such a byte begins any character that is not ASCII.
    places: list[int] = np.flatnonzero(~begins_word[texts.first_bytes]).tolist()
    return places


def _reasons(entry: Entry | None, is_out_of_scope: bool) -> tuple[Reason, Reason, Reason]:  # noqa: FBT001  # A pair of facts.
    """Return the reasons for a category, one for each outcome."""
    if is_out_of_scope:
        return "out_of_scope", "out_of_scope", "out_of_scope"
    if entry is None:
        return "no_playbook_entry", "no_playbook_entry", "no_playbook_entry"
    if entry.mode == "never":
        return "category_off", "category_off", "category_off"
    if entry.mode == "always":
        return "confident", "confident", "confident"
    return "below_threshold", "confident", "out_of_scope"


def most_probable(probabilities: Float64s) -> tuple[Ints, Float64s]:
    """Return the places of each row's largest numbers and these, largest first; of equal ones the first leads."""
    left = probabilities.copy()
    rows = np.arange(len(left))
    order = np.empty((len(left), min(N_NAMED, left.shape[1])), dtype=np.int32)
    for i in range(order.shape[1]):
        order[:, i] = left.argmax(axis=1)
        left[rows, order[:, i]] = -1
    return order, probabilities[rows[:, None], order]
