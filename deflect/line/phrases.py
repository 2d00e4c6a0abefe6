"""Says what stands in a ticket: its words, the pairs of neighbours, and what it begins and ends with.

A ticket is read as if one more word stood before it and one behind it, which no ticket can contain. These make pairs
with the first and the last word, and threes with the first two and the last two. How a question begins tells what is
asked: in five folds that brought trec 0.7 points, support_tickets and corefx_issues 0.2 (docs/measurements.md).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from deflect.line.hashing import Ints, UInt64s, pair
from deflect.line.text import Words

#: What stands before and behind a ticket: any numbers, here the fractions of the roots of 2 and 3. Also in kernel.c.
BEFORE, BEHIND = np.uint64(0x6A09E667F3BCC909), np.uint64(0xBB67AE8584CAA73B)


class Phrases(NamedTuple):
    """What stands in a chunk of tickets, one hash for each place.

    Ticket t has the places from ``begins[t]`` to ``begins[t + 1]``: what its first two words are; for each word, that
    before the first included, the pair with the next, and behind it the next word itself; what its last two words are.
    Word i stands at ``words[i]``; nothing stands at the places ``empty``.
    """

    hashes: UInt64s
    begins: Ints
    words: Ints
    empty: Ints


def find_phrases(words: Words, own: UInt64s) -> Phrases:
    """Return what stands in tickets whose words have the hashes ``own``, (n_words,)."""
    if len(words.begins) == 2:
        return _of_one(own)
    n_words = np.diff(words.begins)
    n_tickets = len(n_words)
    # Each ticket has two words more, the one before it and the one behind it; each word has two places.
    begins = words.begins + 2 * np.arange(n_tickets + 1)
    before, behind = begins[:-1], begins[1:] - 1
    inner = np.arange(1, len(own) + 1) + 2 * words.tickets
    every = np.empty(begins[-1], dtype=np.uint64)
    every[inner], every[before], every[behind] = own, BEFORE, BEHIND
    hashes = np.zeros((len(every), 2), dtype=np.uint64)
    hashes[:, 0] = every
    hashes[:-1, 1] = pair(every[:-1], every[1:])
    has_two = n_words > 1
    first, last = before[has_two], behind[has_two]
    hashes[first, 0] = pair(hashes[first, 1], every[first + 2])
    hashes[last, 0] = pair(hashes[last - 2, 1], every[last])
    short, blank = ~has_two, n_words == 0
    empty = np.concatenate((2 * behind + 1, 2 * before[short], 2 * behind[short], 2 * before[blank] + 1))
    return Phrases(hashes.ravel(), 2 * begins, 2 * inner, empty)


def _of_one(own: UInt64s) -> Phrases:
    """Return the same for a form's ticket, which has no time for what finds the borders of many."""
    n_words = len(own)
    hashes = np.zeros((n_words + 2, 2), dtype=np.uint64)
    every = hashes[:, 0]
    every[0], every[1:-1], every[-1] = BEFORE, own, BEHIND
    hashes[:-1, 1] = pair(every[:-1], every[1:])
    n_places = 2 * n_words + 4
    if n_words > 1:
        empty = [n_places - 1]
        first = pair(hashes[:1, 1], every[2:3])
        every[-1:] = pair(hashes[-3:-2, 1], every[-1:])
        every[:1] = first
    else:
        empty = [0, 4, 5] if n_words else [0, 1, 2, 3]
    return Phrases(hashes.ravel(), np.array((0, n_places)), np.arange(2, n_places - 2, 2), np.array(empty))


def spelled(words: Words, places: Ints) -> list[str]:
    """Return what stands at places of the only ticket of a chunk; dots are what a beginning and an end leave out."""
    raw = words.buffer.tobytes()
    spans = zip(words.starts.tolist(), words.ends.tolist(), strict=True)
    every = ["…", *(raw[start:end].decode("utf-8", "replace") for start, end in spans), "…"]
    return [_spelled(every, *divmod(place, 2)) for place in places.tolist()]


def _spelled(every: list[str], i: int, is_pair: int) -> str:
    if i == 0:
        return " ".join([*every[1 : 3 - is_pair], every[0]])
    if i == len(every) - 1:
        return " ".join([every[i], *every[i - 2 : i]])
    if i == len(every) - 2 and is_pair:
        return f"{every[i + 1]} {every[i]}"
    return " ".join(every[i : i + 1 + is_pair])
