"""Puts each ticket of a stream into a group of tickets that are nearly the same text, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from deflect.incidents.rates import Stream
from deflect.line.text import clip
from deflect.loop.near_duplicates import least_similarity, minhash_signatures

#: So many groups are remembered; the one that has been without a ticket for longest goes first.
_MAX_GROUPS = 2_048
_N_CHARACTERS = 4_000


class SimilarGroups:
    """The groups, each with the MinHash signature of its first ticket; what is nearly that text belongs to it."""

    def __init__(self) -> None:
        self._signatures = np.zeros((0, 0), dtype=np.uint64)
        self._n_grams = np.zeros(_MAX_GROUPS, dtype=np.int64)
        self._used = np.zeros(_MAX_GROUPS, dtype=np.int64)
        self._streams: list[Stream] = []
        self._n_seen = 0

    def stream_of(self, text: str, new_stream: Callable[[], Stream]) -> Stream:
        """Return the stream of the group that a ticket belongs to; one that is like no other begins a group."""
        rows, sizes = minhash_signatures([clip(text)[:_N_CHARACTERS]])
        if not self._signatures.size:
            self._signatures = np.zeros((_MAX_GROUPS, rows.shape[1]), dtype=np.uint64)
        self._n_seen += 1
        place = self._nearest(rows[0], int(sizes[0]))
        if place is None:
            place = len(self._streams) if len(self._streams) < _MAX_GROUPS else int(self._used.argmin())
            self._signatures[place], self._n_grams[place] = rows[0], sizes[0]
            self._streams[place : place + 1] = [new_stream()]
        self._used[place] = self._n_seen
        return self._streams[place]

    def _nearest(self, row: np.ndarray[tuple[int], np.dtype[np.uint64]], size: int) -> int | None:
        n = len(self._streams)
        if not n:
            return None
        similarity = (self._signatures[:n] == row).mean(axis=1)
        place = int(similarity.argmax())
        least = least_similarity(np.array([size, self._n_grams[place]])).max()
        return place if similarity[place] >= least else None
