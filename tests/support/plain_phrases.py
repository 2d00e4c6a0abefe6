"""What stands in a ticket beside its words, by definition, one ticket at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import pairwise

import numpy as np

from deflect.line.hashing import UInt64s, pair
from deflect.line.phrases import BEFORE, BEHIND

#: Stand for the word before a ticket and for the one behind it.
BEGIN, END = "<begin>", "<end>"


def phrases_of(words: Sequence[str]) -> list[tuple[str, ...]]:
    """Return the pairs of neighbours, of the words before and behind a ticket too, and its first and last threes."""
    every = [BEGIN, *words, END]
    pairs: list[tuple[str, ...]] = list(pairwise(every)) if words else []
    return [*pairs, tuple(every[:3]), tuple(every[-3:])] if len(words) > 1 else pairs


def hash_of_phrase(phrase: Sequence[str], hash_of: Callable[[str], UInt64s]) -> UInt64s:
    """Return the hash of words that stand side by side."""
    edges = {BEGIN: np.array([BEFORE]), END: np.array([BEHIND])}
    return reduce(pair, [edges[word] if word in edges else hash_of(word) for word in phrase])
