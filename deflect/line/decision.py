"""Decides what a probability leads to: one table of reasons, for one ticket and for millions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import numpy.typing as npt

from deflect.line.playbook import Entry, Playbook
from deflect.line.suggestion import Reason
from deflect.line.thresholds import Thresholds

#: How many categories an answer names: the most probable one and its alternatives.
N_NAMED = 3
#: Reasons by their number.
REASONS: tuple[Reason, ...] = get_args(Reason)
_CONFIDENT, _TOO_SHORT = REASONS.index("confident"), REASONS.index("too_short")
#: What str.isalnum calls a letter or a number.
_has_word = re.compile(r"[^\W_]").search

Ints = npt.NDArray[np.integer]
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
    """Tells the reason for a category and its probability: a table with one row for each outcome of the threshold."""

    def __init__(self, thresholds: Thresholds, playbook: Playbook) -> None:
        self._least = np.array(thresholds.least)
        names = [_reasons(playbook.entries.get(name), name == playbook.out_of_scope) for name in thresholds.categories]
        self._numbers = np.array([[REASONS.index(reason) for reason in pair] for pair in names], dtype=np.uint8)

    def reason(self, text: str, category: int, probability: float) -> Reason:
        """Return the reason for what is decided about one ticket."""
        if not _has_word(text):
            return "too_short"
        number = int(self._numbers[category, int(probability >= self._least[category])])
        return REASONS[number]

    def reasons(self, texts: Sequence[str], categories: Ints, probabilities: Float64s) -> Ints:
        """Return for many tickets the numbers of the reasons that ``reason`` returns for each."""
        numbers = self._numbers[categories, (probabilities >= self._least[categories]).astype(np.intp)]
        numbers[[i for i, text in enumerate(texts) if not _has_word(text)]] = _TOO_SHORT
        return numbers


def _reasons(entry: Entry | None, is_out_of_scope: bool) -> tuple[Reason, Reason]:  # noqa: FBT001  # A pair of facts.
    """Return the reasons for a category whose probability is below its threshold, and for one that reaches it."""
    if is_out_of_scope:
        return "out_of_scope", "out_of_scope"
    if entry is None:
        return "no_playbook_entry", "no_playbook_entry"
    if entry.mode == "never":
        return "category_off", "category_off"
    return ("confident" if entry.mode == "always" else "below_threshold"), "confident"


def most_probable(probabilities: Float64s) -> tuple[Ints, Float64s]:
    """Return the places of each row's largest numbers and these, largest first; of equal ones the first leads."""
    left = probabilities.copy()
    rows = np.arange(len(left))
    order = np.empty((len(left), min(N_NAMED, left.shape[1])), dtype=np.int32)
    for i in range(order.shape[1]):
        order[:, i] = left.argmax(axis=1)
        left[rows, order[:, i]] = -1
    return order, probabilities[rows[:, None], order]
