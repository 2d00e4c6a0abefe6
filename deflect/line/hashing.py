"""Hashes any stretch of a buffer with two look-ups, and finds hashes in a table that rejects what it never saw."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

UInt64s = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]

# An odd base has an inverse modulo 2**64, which is what takes a stretch's position out of its hash.
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 2**64)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_LEFT = np.uint64(0xA24BAED4963EE407)
_HALF = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


def _powers(base: int, n: int) -> UInt64s:
    powers = np.full(n, base, dtype=np.uint64)
    powers[0] = 1
    return np.cumprod(powers)


class _Powers:
    """Powers of the base and of its inverse, grown when a longer buffer comes."""

    def __init__(self) -> None:
        self._both = _powers(_BASE, 1), _powers(_INVERSE, 1)

    def reach(self, n: int) -> tuple[UInt64s, UInt64s]:
        both = self._both
        if len(both[0]) < n:
            size = 1 << (n - 1).bit_length()
            # Two threads may both do this, each for arrays of its own; one assignment keeps the two of a pair together.
            self._both = both = _powers(_BASE, size), _powers(_INVERSE, size)
        return both


_POWERS = _Powers()


class PrefixHash:
    """Hashes of stretches of one buffer, by a prefix sum of byte * base**position in wrapping integers.

    Rabin and Karp's rolling hash in prefix form ("Efficient randomized pattern-matching algorithms", 1987), followed by
    a mixing step, since the low bits of a product modulo 2**64 depend on few of the bytes.
    """

    def __init__(self, buffer: npt.NDArray[np.uint8]) -> None:
        up, self._down = _POWERS.reach(len(buffer) + 1)
        self._sums = np.empty(len(buffer) + 1, dtype=np.uint64)
        self._sums[0] = 0
        np.cumsum(buffer * up[: len(buffer)], out=self._sums[1:])

    def __call__(self, starts: Ints, ends: Ints) -> UInt64s:
        """Return the hash of each ``buffer[start:end]``."""
        return mix((self._sums[ends] - self._sums[starts]) * self._down[starts])


def mix(hashes: UInt64s) -> UInt64s:
    """Spread each hash over all 64 bits."""
    hashes = (hashes ^ (hashes >> _HALF)) * _MIX
    return hashes ^ (hashes >> _HALF)


def pair(left: UInt64s, right: UInt64s) -> UInt64s:
    """Return the hash of each ordered pair of hashes."""
    return mix(left * _LEFT + right)


class SlotTable:
    """Finds the row of a hash; a hash that was never put in is found to be absent.

    Open addressing with linear probing (Knuth, The Art of Computer Programming 3, section 6.4), laid out at once from
    the sorted hashes. The upper half of a hash chooses its home; a slot is one number with the lower half of the hash
    as a fingerprint, and the row. So an unknown hash passes for a known one in about one of 2**32 probes.
    """

    EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)

    def __init__(self, slots: UInt64s) -> None:
        self.slots = slots
        # There are 2**bits homes and fewer than as many slots behind them.
        self._shift = np.uint64(65 - len(slots).bit_length())

    @classmethod
    def build(cls, hashes: UInt64s) -> SlotTable:
        """Lay out a table in which ``hashes[i]``, all of them different, is found as row i."""
        bits = max(4, (2 * len(hashes)).bit_length())
        homes = (hashes >> np.uint64(64 - bits)).astype(np.int64)
        order = np.argsort(hashes)
        steps = np.arange(len(hashes))
        # In the order of their hashes, each sits at its home or right behind the one before it.
        places = np.maximum.accumulate(homes[order] - steps) + steps
        # The slots behind the homes make probing end at an empty slot, and need no wrap-around.
        n_slots = max((1 << bits) + 1, int(places.max(initial=0)) + 2)
        slots = np.full(n_slots, cls.EMPTY, dtype=np.uint64)
        slots[places] = ((hashes[order] & _LOW) << _HALF) | order.astype(np.uint64)
        return cls(slots)

    def find(self, hashes: UInt64s, absent: int) -> Ints:
        """Return the row of each hash, ``absent`` where it is unknown."""
        places = (hashes >> self._shift).view(np.int64)
        # Equal fingerprints cancel out, and what is left is the row.
        wanted = hashes << _HALF
        found = self.slots.take(places)
        rows = found ^ wanted
        # No row is _LOW: that is an empty slot met by a hash whose lower half is all ones.
        pending = np.flatnonzero(rows >= _LOW)
        found, places, wanted = found.take(pending), places.take(pending), wanted.take(pending)
        rows[pending] = absent
        while len(pending):
            is_next = np.flatnonzero(found != self.EMPTY)
            pending, places, wanted = pending.take(is_next), places.take(is_next) + 1, wanted.take(is_next)
            found = self.slots.take(places)
            matched = found ^ wanted
            is_hit = matched < _LOW
            rows[pending[is_hit]] = matched[is_hit]
            found[is_hit] = self.EMPTY
        return rows.view(np.int64)
