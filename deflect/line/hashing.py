"""Hashes any stretch of a buffer with two look-ups, and finds hashes in a table that rejects what it never saw."""

from __future__ import annotations

from itertools import count

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
#: Next to 2**64 over the golden ratio: the products of small numbers and it lie far apart.
SPREAD = np.uint64(_BASE)
_LOW = np.uint64(0xFFFFFFFF)
#: What each seed does to a hash. Half a million hashes need about 50 of these; if none fits, the table is doubled.
_SPREADS = np.arange(256, dtype=np.uint64) * SPREAD


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
        np.add.accumulate(buffer * up[: len(buffer)], out=self._sums[1:])

    def __call__(self, starts: Ints, ends: Ints) -> UInt64s:
        """Return the hash of each ``buffer[start:end]``."""
        hashes = self._sums.take(ends)
        hashes -= self._sums.take(starts)
        hashes *= self._down.take(starts)
        return mix(hashes)


def mix(hashes: UInt64s) -> UInt64s:
    """Spread each hash so that its upper half depends on all of its bits, and its lower half on both halves."""
    mixed = hashes >> _HALF
    mixed ^= hashes
    mixed *= _MIX
    return mixed


def pair(left: UInt64s, right: UInt64s) -> UInt64s:
    """Return the hash of each ordered pair of hashes; these are mixed, so their pair is."""
    return left * _LEFT + right


class SlotTable:
    """Finds the row of a hash; a hash that was never put in is found to be absent.

    Hash and displace (Belazzougui, Botelho and Dietzfelbinger, "Hash, displace, and compress", ESA 2009): the upper
    bits of a hash choose a bucket, and the seed of its bucket chooses its slot, so that no two hashes share one and
    each look-up is one step, with nothing to repeat. A slot is one number, with the lower half of the hash as a
    fingerprint, and the row. So an unknown hash passes for a known one in about one of 2**32 look-ups.
    """

    EMPTY = np.uint64(0xFFFFFFFFFFFFFFFF)

    def __init__(self, slots: UInt64s, seeds: npt.NDArray[np.uint8]) -> None:
        if any(array.ndim != 1 or len(array) < 2 for array in (slots, seeds)):
            msg = f"A slot table must have two slots and two seeds or more. Got {slots.shape} and {seeds.shape}."
            raise ValueError(msg)
        self.slots = slots
        self.seeds = seeds
        # There are 2**bits of each; 64 - bits is what bit_length says of a power of two.
        self.slot_shift = np.uint64(65 - len(slots).bit_length())
        self.seed_shift = np.uint64(65 - len(seeds).bit_length())

    @classmethod
    def build(cls, hashes: UInt64s) -> SlotTable:
        """Lay out a table in which ``hashes[i]``, all of them different, is found as row i."""
        for bits in count(max(4, (len(hashes) * 3 // 2).bit_length())):
            table = cls(np.full(1 << bits, cls.EMPTY), np.zeros(1 << (bits - 2), dtype=np.uint8))
            if table._has_placed(hashes):
                break
        return table

    def _has_placed(self, hashes: UInt64s) -> bool:
        """Place all hashes; say whether there is a seed for each bucket."""
        order = np.argsort(hashes)
        buckets = (hashes[order] >> self.seed_shift).view(np.int64)
        sizes = np.bincount(buckets, minlength=len(self.seeds))
        # Large buckets first, while there is room: the small ones fit in between.
        for size in range(int(sizes.max(initial=0)), 0, -1):
            chosen = np.flatnonzero(sizes == size)
            members = np.searchsorted(buckets, chosen)[:, None] + np.arange(size)
            if not self._has_seeds(chosen, order[members], hashes):
                return False
        return True

    def _has_seeds(self, buckets: Ints, rows: Ints, hashes: UInt64s) -> bool:
        """Find a seed for each bucket with which the rows in it, (n_buckets, size), meet empty slots only."""
        for seed in range(len(_SPREADS)):
            if not len(buckets):
                return True
            keys = hashes[rows]
            places = self._places(keys, _SPREADS[seed : seed + 1])
            # Each writes its number where it wants to be; who finds all of its numbers again stays there.
            numbers = np.arange(places.size).reshape(places.shape)
            claims = np.full(len(self.slots), -1)
            claims[places] = numbers
            is_placed = ((claims[places] == numbers) & (self.slots[places] == self.EMPTY)).all(axis=1)
            self.slots[places[is_placed]] = ((keys[is_placed] & _LOW) << _HALF) | rows[is_placed].astype(np.uint64)
            self.seeds[buckets[is_placed]] = seed
            buckets, rows = buckets[~is_placed], rows[~is_placed]
        return not len(buckets)

    def _places(self, hashes: UInt64s, spreads: UInt64s) -> Ints:
        """Return the slots of hashes, given what the seeds of their buckets spread them by."""
        places = hashes ^ spreads
        places *= _MIX
        places >>= self.slot_shift
        return places.view(np.int64)

    def find(self, hashes: UInt64s, absent: int) -> Ints:
        """Return the row of each hash, ``absent`` where it is unknown; every row is below ``absent``."""
        # The shifts leave no place outside; "wrap" spares the look whether there is one.
        seeds = self.seeds.take((hashes >> self.seed_shift).view(np.int64), mode="wrap")
        found = self.slots.take(self._places(hashes, _SPREADS.take(seeds)), mode="wrap")
        # Equal fingerprints cancel out, and what is left is the row; all else is larger than any row.
        found ^= hashes << _HALF
        return np.minimum(found, np.uint64(absent), out=found).view(np.int64)
