"""Counts which ticket has which hash how often, in little more memory than the answer takes."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from deflect.line.hashing import Ints, UInt64s

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_Number = TypeVar("_Number", bound=np.generic)

#: Hashes that were counted are merged with the others when they are this many, or as many as the others.
_LEAST_MERGED = 1 << 20


class Counts:
    """Which ticket has which hash how often, collected chunk by chunk.

    Of each chunk four arrays are kept, each behind that of the chunk before: its different hashes, sorted; the number
    of entries of each of its tickets; and of each entry, ticket by ticket, the place among these hashes and the count.
    """

    def __init__(self) -> None:
        self._hashes = _Growing(np.uint64)
        self._n_entries = _Growing(np.int32)
        self._places = _Growing(np.int32)
        # A ticket has fewer words than it has characters, of which 40,000 are read.
        self._counts = _Growing(np.uint16)
        self._ends = [_End(0, 0, 0)]
        self._known = _Known(np.empty(0, dtype=np.uint64), np.empty(0, dtype=np.int32))
        self._fresh: list[_Known] = []

    def add(self, hashes: UInt64s, tickets: Ints, n_tickets: int) -> None:
        """Count a chunk of ``n_tickets``: ``hashes[i]`` stands in ticket ``tickets[i]`` of the chunk."""
        different, numbers = np.unique(hashes, return_inverse=True)
        keys, counts = np.unique(tickets * len(different) + numbers, return_counts=True)
        rows, places = np.divmod(keys, max(1, len(different)))
        self._hashes.extend(different)
        self._n_entries.extend(np.bincount(rows, minlength=n_tickets))
        self._places.extend(places)
        self._counts.extend(counts)
        self._ends.append(_End(len(self._hashes), len(self._n_entries), len(self._places)))
        self._fresh.append(_Known(different, np.bincount(places, minlength=len(different)).astype(np.int32)))
        if sum(len(fresh.hashes) for fresh in self._fresh) >= max(_LEAST_MERGED, len(self._known.hashes)):
            self._merge()

    def matrix(self, min_df: int, most: int | None = None) -> tuple[UInt64s, csr_matrix]:
        """Return the hashes that at least ``min_df`` tickets have, sorted, and the counts (n_tickets, n_hashes).

        Where these are more than ``most``, ``min_df`` is raised until they are not.
        """
        from scipy.sparse import csr_matrix

        self._merge()
        kept, n_with = self._known.of_at_least(min_df, most)
        n_kept = int(n_with.sum(dtype=np.int64))
        columns, data = np.empty(n_kept, dtype=np.int32), np.empty(n_kept, dtype=np.float32)
        begins = np.zeros(len(self._n_entries) + 1, dtype=np.int64)
        done = 0
        for start, end in pairwise(self._ends):
            of_hash = _columns(kept, self._hashes.values[start.hashes : end.hashes])
            found = of_hash[self._places.values[start.entries : end.entries]]
            is_kept = found >= 0
            n_before = np.concatenate(([0], np.cumsum(is_kept)))
            own = slice(done, done + int(n_before[-1]))
            columns[own] = found[is_kept]
            data[own] = self._counts.values[start.entries : end.entries][is_kept]
            ends = np.cumsum(self._n_entries.values[start.tickets : end.tickets])
            begins[start.tickets + 1 : end.tickets + 1] = done + n_before[ends]
            done = own.stop
        return kept, csr_matrix((data, columns, begins), shape=(len(self._n_entries), len(kept)))

    def _merge(self) -> None:
        self._known = _merged([self._known, *self._fresh])
        self._fresh = []


class _End(NamedTuple):
    """How many hashes, tickets and entries there are at the end of a chunk."""

    hashes: int
    tickets: int
    entries: int


class _Growing(Generic[_Number]):
    """An array that grows in place: many small ones would leave holes in memory when they go."""

    def __init__(self, dtype: type[_Number]) -> None:
        self._room: npt.NDArray[_Number] = np.empty(0, dtype=dtype)
        self._n = 0

    def __len__(self) -> int:
        return self._n

    @property
    def values(self) -> npt.NDArray[_Number]:
        """Return what was put in."""
        return self._room[: self._n]

    def extend(self, values: npt.NDArray[np.generic]) -> None:
        """Put values behind the others."""
        end = self._n + len(values)
        if end > len(self._room):
            self._room.resize(end + end // 4, refcheck=False)
        self._room[self._n : end] = values
        self._n = end


class _Known(NamedTuple):
    """Different hashes, sorted, and how many tickets have each."""

    hashes: UInt64s
    n_with: npt.NDArray[np.int32]

    def of_at_least(self, min_df: int, most: int | None) -> _Known:
        """Return those that at least ``min_df`` tickets have; see ``Counts.matrix``."""
        if most is not None and np.count_nonzero(self.n_with >= min_df) > most:
            min_df = int(np.partition(self.n_with, -most - 1)[-most - 1]) + 1
        is_kept = self.n_with >= min_df
        return _Known(self.hashes[is_kept], self.n_with[is_kept])


def _merged(parts: list[_Known]) -> _Known:
    """Return the hashes of all parts, and how many tickets of all have each."""
    hashes = np.concatenate([part.hashes for part in parts])
    order = np.argsort(hashes, kind="stable")  # It merges what is sorted already.
    hashes = hashes[order]
    n_with = np.concatenate([part.n_with for part in parts])[order]
    starts = np.flatnonzero(np.concatenate((np.ones(min(1, len(hashes)), dtype=np.bool_), hashes[1:] != hashes[:-1])))
    return _Known(hashes[starts], np.add.reduceat(n_with, starts) if len(starts) else n_with)


def _columns(kept: UInt64s, hashes: UInt64s) -> npt.NDArray[np.int32]:
    """Return the place of each hash among those kept, -1 where it is not."""
    places = np.searchsorted(kept, hashes).astype(np.int32)
    if not len(kept):
        return np.full(len(hashes), -1, dtype=np.int32)
    is_kept = kept.take(places, mode="clip") == hashes
    return np.where(is_kept, places, np.int32(-1))
