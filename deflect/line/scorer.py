"""Scores tickets by adding rows: all that the model knows about a word or a word pair lies in one row of a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deflect.line.grams import gram_hashes, gram_share
from deflect.line.hashing import Ints, PrefixHash, SlotTable, UInt64s, pair
from deflect.line.text import Words, chunks, find_words

Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]

#: From this many tickets on, sparse products are worth the import of scipy.sparse, which a form must never wait for.
_SPARSE_FROM = 256
_N_THREADS = min(8, os.cpu_count() or 1)
_DAMPED = (1 + np.log(np.arange(1, 257))).astype(np.float32)


@dataclass(frozen=True, slots=True)
class Entries:
    """What a chunk says: ticket ``tickets[i]`` has row ``rows[i]`` ``counts[i]`` times; sorted, each once."""

    tickets: Ints
    rows: Ints
    counts: Ints

    @classmethod
    def counted(cls, tickets: Ints, rows: Ints, n_rows: int) -> Entries:
        """Count how often each row stands in each ticket; rows are below ``n_rows``."""
        n_bits = n_rows.bit_length()
        keys = (tickets << n_bits) | rows
        if len(keys) and (int(tickets.max()) + 1) << n_bits <= 1 << 32:
            keys = keys.astype(np.uint32)  # Sorts twice as fast.
        keys.sort()
        is_first = np.ones(len(keys), dtype=bool)
        np.not_equal(keys[1:], keys[:-1], out=is_first[1:])
        firsts = np.flatnonzero(is_first)
        counts = np.empty_like(firsts)
        np.subtract(firsts[1:], firsts[:-1], out=counts[:-1])
        counts[-1:] = len(keys) - firsts[-1:]
        keys = keys.take(firsts).astype(np.int64)
        return cls(keys >> n_bits, keys & ((1 << n_bits) - 1), counts)


def damped(counts: Ints) -> Float32s:
    """Return sub-linear term frequencies, 1 + ln(count), up to a count of 256."""
    return _DAMPED.take(np.minimum(counts, len(_DAMPED)) - 1)


class ChunkHashes:
    """The hashes of a chunk's words, followed by those of its pairs of neighbouring words."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.words: Words = find_words(texts)
        self.prefix = PrefixHash(self.words.buffer)
        hashes = self.prefix(self.words.starts, self.words.ends)
        tickets = self.words.tickets
        has_next = np.flatnonzero(tickets[1:] == tickets[:-1])
        self.n_words = len(hashes)
        self.pair_starts: Ints = has_next
        self.hashes: UInt64s = np.concatenate((hashes, pair(hashes[has_next], hashes[has_next + 1])))
        self.tickets: Ints = np.concatenate((tickets, tickets[has_next]))

    def spelled(self) -> list[str]:
        """Return each word, followed by each pair with a space between."""
        raw = self.words.buffer.tobytes()
        spans = zip(self.words.starts.tolist(), self.words.ends.tolist(), strict=True)
        words = [raw[start:end].decode("utf-8", "replace") for start, end in spans]
        return words + [f"{words[i]} {words[i + 1]}" for i in self.pair_starts.tolist()]


def add_rows(tickets: Ints, rows: Ints, factors: Float32s, table: Float32s, n_tickets: int) -> Float32s:
    """Return the sum of each ticket's rows of a table, each row times its factor; ``tickets`` is sorted."""
    if n_tickets >= _SPARSE_FROM:
        from scipy.sparse import csr_array

        begins = np.searchsorted(tickets, np.arange(n_tickets + 1)).astype(np.int32)
        shape = (n_tickets, len(table))
        return np.asarray(csr_array((factors, rows.astype(np.int32), begins), shape=shape) @ table)
    if n_tickets == 1:
        return np.asarray((table.take(rows, axis=0) * factors[:, None]).sum(axis=0, keepdims=True))
    width = table.shape[1]
    places = (tickets * width)[:, None] + np.arange(width)
    sums = np.zeros(n_tickets * width, dtype=np.float32)
    # In order, as SciPy adds them, which reduceat does not: a batch's size must not change the last bit.
    np.add.at(sums, places.ravel(), (table.take(rows, axis=0) * factors[:, None]).ravel())
    return sums.reshape(n_tickets, width)


def softmax(scores: Float64s) -> Float64s:
    """Return each row's exponentials, scaled to sum to 1."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Float64s = powers / powers.sum(axis=1, keepdims=True)
    return shares


@dataclass(frozen=True, eq=False)
class Scorer:
    """A trained model folded into tables. It needs NumPy and nothing else; ``TicketClassifier`` makes it.

    With n words and pairs, g character n-grams and k categories: ``slots`` finds the row of a word or pair in ``table``
    (n + 1, k + 1). Its last column is what a row adds to the squared norm of a ticket; its last row is zero and stands
    for whatever training never saw. A word that has no row is put together from its n-grams by ``gram_slots`` and
    ``gram_table`` (g + 1, k), and adds ``unseen_square``. A margin is the sum of a ticket's rows over its norm, plus
    ``intercept`` (k,); ``sharpness`` is the inverse temperature of the softmax that turns margins into probabilities.
    """

    categories: tuple[str, ...]
    slots: SlotTable
    table: Float32s
    gram_slots: SlotTable
    gram_table: Float32s
    intercept: Float32s
    unseen_square: float
    sharpness: float

    @property
    def nowhere(self) -> int:
        """Return the row that stands for what training never saw."""
        return len(self.table) - 1

    def margins(self, texts: Sequence[str]) -> Float32s:
        """Return the margin of each category for each ticket, (n_tickets, n_categories)."""
        runs = list(chunks(texts))
        if len(runs) < 2:
            return self._chunk_margins(texts) if runs else np.empty((0, len(self.categories)), np.float32)
        # NumPy and SciPy release the interpreter lock in all that takes long here.
        with ThreadPoolExecutor(min(len(runs), _N_THREADS)) as pool:
            return np.concatenate(list(pool.map(self._chunk_margins, runs)))

    def probabilities(self, texts: Sequence[str]) -> Float64s:
        """Return the probability of each category for each ticket, (n_tickets, n_categories); each row sums to 1."""
        return softmax(self.margins(texts).astype(np.float64) * self.sharpness)

    def contributions(self, text: str) -> tuple[list[str], Float32s]:
        """Return the different words and pairs of a ticket, and what each adds to each margin, (n, n_categories).

        Words come as the model reads them: in lower case, without accents. Pairs that training never saw are left out.
        """
        hashes = ChunkHashes([text])
        rows, unseen = self._find_rows(hashes)
        entries = self._entries(hashes, rows, len(unseen))
        # One ticket's entries come in the order of their rows, as unique's do.
        firsts = np.unique(rows, return_index=True)[1]
        spelled = hashes.spelled()
        names = [spelled[i] for i in firsts.tolist() if rows[i] != self.nowhere]
        own = self.table.take(np.minimum(entries.rows, self.nowhere), axis=0)
        own[entries.rows > self.nowhere] = unseen
        factors = damped(entries.counts)
        norm = _norms((factors * factors) @ own[:, -1:])
        scaled: Float32s = own[:, :-1] * (factors / norm)[:, None]
        return names, scaled

    def _chunk_margins(self, texts: Sequence[str]) -> Float32s:
        n_tickets, nowhere = len(texts), self.nowhere
        hashes = ChunkHashes(texts)
        rows, unseen = self._find_rows(hashes)
        entries = self._entries(hashes, rows, len(unseen))
        factors = damped(entries.counts)
        sums = add_rows(entries.tickets, np.minimum(entries.rows, nowhere), factors, self.table, n_tickets)
        if len(unseen):
            rest = np.flatnonzero(entries.rows > nowhere)
            numbers = entries.rows[rest] - nowhere - 1
            sums += add_rows(entries.tickets[rest], numbers, factors[rest], unseen, n_tickets)
        # The sums hold factor * square of each entry, the norm wants factor**2 * square: not the same for repeats.
        repeated = np.flatnonzero(entries.counts > 1)
        factor, row = factors[repeated], entries.rows[repeated]
        squares = np.where(row > nowhere, np.float32(self.unseen_square), self.table[np.minimum(row, nowhere), -1])
        extra = np.bincount(entries.tickets[repeated], (factor * factor - factor) * squares, minlength=n_tickets)
        margins: Float32s = sums[:, :-1] / _norms(sums[:, -1] + extra)[:, None] + self.intercept
        return margins

    def _entries(self, hashes: ChunkHashes, rows: Ints, n_unseen: int) -> Entries:
        """Count the words and pairs of each ticket, without the pairs that training never saw."""
        known = np.flatnonzero(rows != self.nowhere)
        return Entries.counted(hashes.tickets.take(known), rows.take(known), len(self.table) + n_unseen)

    def _find_rows(self, hashes: ChunkHashes) -> tuple[Ints, Float32s]:
        """Return the row of each word and pair, and the rows of unseen words, which come behind the table's own.

        An unseen pair has the row ``nowhere``. Unseen words are numbered by their hash, so that a ticket's rows are
        added in one and the same order whatever other tickets are in its chunk.
        """
        rows = self.slots.find(hashes.hashes, self.nowhere)
        places = np.flatnonzero(rows[: hashes.n_words] == self.nowhere)
        _, firsts, numbers = np.unique(hashes.hashes[places], return_index=True, return_inverse=True)
        rows[places] = len(self.table) + numbers
        first = places[firsts]
        return rows, self._unseen_rows(hashes, hashes.words.starts[first], hashes.words.ends[first])

    def _unseen_rows(self, hashes: ChunkHashes, starts: Ints, ends: Ints) -> Float32s:
        """Put the rows of words together from their n-grams, (n_words, n_categories + 1)."""
        n_words, n_grams = len(starts), len(self.gram_table)
        rows = np.full((n_words, self.table.shape[1]), np.float32(self.unseen_square))
        if n_words:
            owners, grams = gram_hashes(hashes.words.buffer, hashes.prefix, starts, ends)
            entries = Entries.counted(owners, self.gram_slots.find(grams, n_grams - 1), n_grams)
            shares = gram_share(owners, n_words).take(entries.tickets)
            rows[:, :-1] = add_rows(entries.tickets, entries.rows, shares, self.gram_table, n_words)
        return rows


def _norms(squares: npt.NDArray[np.floating]) -> Float32s:
    """Return the norms of tickets; 1 for a ticket without words."""
    return np.sqrt(np.where(squares > 0, squares, 1)).astype(np.float32)
