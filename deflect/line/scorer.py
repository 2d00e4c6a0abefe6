"""Scores tickets by adding rows: all that the model knows about a word or a word pair lies in one row of a table."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from deflect.errors import EncoderError
from deflect.line.grams import gram_hashes, gram_share
from deflect.line.hashing import SPREAD, Ints, PrefixHash, SlotTable, UInt64s
from deflect.line.kernel import Kernel, compiled
from deflect.line.phrases import find_phrases, spelled
from deflect.line.text import Words, chunks, find_words, joined

if TYPE_CHECKING:
    from deflect.line.encoder import Encoder, EncoderPart

Float16s = npt.NDArray[np.float16]
Float32s = npt.NDArray[np.float32]
Float64s = npt.NDArray[np.float64]

#: From this many tickets on, threads are worth their start, and without the kernel sparse products the import of
#: scipy.sparse, which a form must never wait for.
_BATCH_FROM = 256
_N_THREADS = min(8, os.cpu_count() or 1)
#: What a row counts that stands so many times in a ticket: 1 + ln(count), and nothing where it does not stand.
_DAMPED = np.concatenate(([0], 1 + np.log(np.arange(1, 257)))).astype(np.float32)
#: Chosen on the validation part of clinc150.
_NOVELTY_WEIGHT = np.float32(1)
_LEAST_KNOWN = np.float32(0.01)
#: As many slots of eight bytes stay in the cache, so that each key can have its own.
_MAX_SLOTS = 1 << 20


def damped(counts: Ints) -> Float32s:
    """Return sub-linear term frequencies, 1 + ln(count), up to a count of 256; 0 stays 0."""
    return _DAMPED.take(counts, mode="clip")


def last_equals(keys: Ints, n_keys: int) -> Ints:
    """Return for each key, of those below ``n_keys``, the place where the same key stands last.

    Each key writes its place to a slot of a table, and reads there who was last. In a small table with fewer slots than
    keys that may be another key, with which it shares its slot by chance; those keys try again with other slots. That
    is five times as fast as sorting.
    """
    if n_keys <= _MAX_SLOTS:
        table = np.empty(n_keys, dtype=np.int64)
        table[keys] = np.arange(len(keys))
        return table.take(keys)
    bits = (2 * len(keys)).bit_length()
    slots = ((keys.view(np.uint64) * SPREAD) >> np.uint64(64 - bits)).view(np.int64)
    table = np.empty(1 << bits, dtype=np.int32)
    table[slots] = np.arange(len(keys), dtype=np.int32)
    lasts = table.take(slots).astype(np.int64)
    strangers = np.flatnonzero(keys.take(lasts) != keys)
    if len(strangers):
        again = (keys.take(strangers).view(np.uint64) * SPREAD).view(np.int64)
        lasts[strangers] = strangers.take(last_equals(again, n_keys))
    return lasts


class Scored(NamedTuple):
    """What a scorer says about tickets: ``margins`` (n_tickets, n_categories), and ``novelty`` (n_tickets,).

    The novelty of a ticket is how much of it training never saw, from 0 to 1: see ``novelty``.
    """

    margins: Float32s
    novelty: Float32s

    @property
    def certainty(self) -> Float32s:
        """Return what is left of each ticket's margins when the unknown in it takes its share, (n_tickets,).

        Known words alone may point to one category, whatever the others say: the root of 1 - novelty keeps such a
        ticket from being too sure. It tells tickets of no category from others better (docs/measurements.md). It is
        never nothing, so that the most probable category is the one with the largest margin.
        """
        return np.sqrt(np.maximum(1 - self.novelty, _LEAST_KNOWN))

    @property
    def scope(self) -> Float32s:
        """Return how much each ticket speaks for any category at all, (n_tickets,).

        It tells tickets of no category from others better than the highest probability does, which is high where one
        category is merely likelier than the rest (docs/measurements.md).
        """
        score: Float32s = self.margins.max(axis=1, initial=-np.inf) - _NOVELTY_WEIGHT * self.novelty
        return score


class Found(NamedTuple):
    """The rows of a chunk, in the order of the places of ``Phrases``, without pairs never seen.

    Ticket t has the rows from ``begins[t]`` to ``begins[t + 1]``. A row has the factor for its count where it stands
    last in its ticket, and 0 elsewhere. Behind the rows of the table come those of ``unseen`` words, (n_unseen,
    n_categories). Row i belongs to what stands at ``places[i]``.
    """

    words: Words
    places: Ints
    begins: Ints
    rows: Ints
    factors: Float32s
    unseen: Float32s


def novelty(unseen: Float64s, n_known: Ints, n_words: Ints) -> Float32s:
    """Return 1 - (1 - unseen) * sqrt(known), (n_tickets,): how much of tickets training never saw.

    ``unseen`` is the share of a ticket's squared norm that comes from words that training never saw; known is the share
    of its pairs, beginnings and ends that it did see, ``n_known``, one more added to both. A ticket of no category is
    new in the way its words stand together, even where they are known. A ticket without words has no novelty.
    """
    known = (n_known + 1) / (n_words + 2 + 2 * (n_words > 1))
    new = 1 - (1 - unseen) * np.sqrt(known)
    new[n_words == 0] = 0
    return new.astype(np.float32)


def add_rows(begins: Ints, rows: Ints, factors: Float32s, table: Float32s, *, is_batch: bool) -> Float32s:
    """Return the sum of the rows from ``begins[i]`` to ``begins[i + 1]``, each times its factor, for each i.

    Rows are added one after the other, by either way: the size of a batch must not change the last bit.
    """
    if is_batch:
        from scipy.sparse import csr_array

        places = (rows.astype(np.int32), begins.astype(np.int32))
        return np.asarray(csr_array((factors, *places), shape=(len(begins) - 1, len(table))) @ table)
    scaled = table.take(rows, axis=0)
    scaled *= factors[:, None]
    if len(begins) == 2:
        return np.add.reduce(scaled, axis=0, keepdims=True)
    return np.stack([np.add.reduce(scaled[start:end], axis=0) for start, end in pairwise(begins.tolist())])


def softmax(scores: Float64s) -> Float64s:
    """Return each row's exponentials, scaled to sum to 1."""
    shares = scores - np.maximum.reduce(scores, axis=1, keepdims=True)
    np.exp(shares, out=shares)
    shares /= np.add.reduce(shares, axis=1, keepdims=True)
    return shares


@dataclass(frozen=True, eq=False)
class Scorer:
    """A trained model folded into tables. It needs NumPy and nothing else; ``TicketClassifier`` makes it.

    With n words and pairs, g character n-grams and k categories: ``slots`` finds the row of a word or pair in ``table``
    (n + 1, k), whose last row is zero and stands for whatever training never saw. A word that has no row is put
    together from its n-grams by ``gram_slots`` and ``gram_table`` (g + 1, k). ``squares`` (n + 2,) has what each row
    adds to the squared norm of a ticket: nothing the last but one, and the last what a word adds that has no row.
    ``rarities`` (n + 2,) has in the same order how rare it was in the training tickets, its idf over that of what they
    do not have: 1 is for words that training never saw, the last among them. A margin is the sum of a ticket's rows
    over its norm, plus ``intercept`` (k,); ``sharpness`` is the inverse temperature of the softmax that turns margins
    into probabilities, for a ticket without novelty. ``encoder_part`` is there where the model learned with an encoder,
    and adds to the margins.
    """

    categories: tuple[str, ...]
    slots: SlotTable
    table: Float32s
    squares: Float32s
    rarities: Float32s
    gram_slots: SlotTable
    gram_table: Float16s
    intercept: Float32s
    sharpness: float
    encoder_part: EncoderPart | None = None

    def __post_init__(self) -> None:
        k, n_rows = len(self.categories), len(self.table)
        dense = self.table[:1] if self.encoder_part is None else self.encoder_part.weights
        tables = ((self.table, 2, k), (self.gram_table, 2, k), (dense, 2, k))
        wanted = (*tables, (self.squares, 1, n_rows + 1), (self.rarities, 1, n_rows + 1), (self.intercept, 1, k))
        if any(array.ndim != n_dims or array.shape[-1] != width or not len(array) for array, n_dims, width in wanted):
            msg = f"The arrays of a scorer must fit its {k} categories. They do not."
            raise ValueError(msg)

    def __getstate__(self) -> dict[str, object]:
        """Return what is pickled: another process has its own kernel."""
        return {field.name: getattr(self, field.name) for field in fields(self)}

    @property
    def nowhere(self) -> int:
        """Return the row that stands for what training never saw."""
        return len(self.table) - 1

    def with_encoder(self, encoder: Encoder | None) -> Scorer:
        """Return the scorer with the encoder that it needs; itself where it needs none.

        Raises
        ------
        EncoderError
            The encoder is missing, another one than the model learned with, or not needed.

        """
        if self.encoder_part is not None:
            return replace(self, encoder_part=self.encoder_part.with_encoder(encoder))
        if encoder is not None:
            msg = f"This model needs no encoder. Got one, {type(encoder).__name__}. Leave it out."
            raise EncoderError(msg)
        return self

    def scored(self, texts: Sequence[str], *, n_threads: int = _N_THREADS) -> Scored:
        """Return the margins and the novelty of tickets."""
        scored = self._table_scored(texts, n_threads)
        if self.encoder_part is None or not len(texts):
            return scored
        return Scored(scored.margins + self.encoder_part.margins(texts), scored.novelty)

    def _table_scored(self, texts: Sequence[str], n_threads: int) -> Scored:
        margins = np.empty((len(texts), len(self.categories)), dtype=np.float32)
        whole = Scored(margins, np.empty(len(texts), dtype=np.float32))
        if len(texts) >= _BATCH_FROM:
            self._score_batch(texts, whole, n_threads)
        elif len(texts):
            self._score(texts, whole, is_batch=False)
        return whole

    def margins(self, texts: Sequence[str]) -> Float32s:
        """Return the margin of each category for each ticket, (n_tickets, n_categories)."""
        return self.scored(texts).margins

    def probabilities(self, texts: Sequence[str]) -> Float64s:
        """Return the probability of each category for each ticket, (n_tickets, n_categories); each row sums to 1."""
        return self.calibrated(self.scored(texts))

    def calibrated(self, scored: Scored) -> Float64s:
        """Return the probabilities that margins stand for."""
        logits = np.multiply(scored.margins, self.sharpness, dtype=np.float64)
        logits *= scored.certainty[:, None]
        return softmax(logits)

    def rarity(self, words: Sequence[str]) -> Float64s:
        """Return how rare each word is in the training tickets, (n_words,): its idf over that of a word not seen there.

        It lies in (0, 1], 1 for a word that training never saw, and is 0 for what holds no word.
        """
        found = find_words(words)
        rows = self.slots.find(PrefixHash(found.buffer)(found.starts, found.ends), self.nowhere)
        found_rarities = self.rarities.take(np.where(rows == self.nowhere, len(self.rarities) - 1, rows))
        rarities = np.zeros(len(words))
        owners = np.repeat(np.arange(len(words)), np.diff(found.begins))
        np.maximum.at(rarities, owners, found_rarities)
        return rarities

    def contributions(self, text: str) -> tuple[list[str], Float32s]:
        """Return the different words and pairs of a ticket, and what each adds to each margin, (n, n_categories).

        Words come as the model reads them: in lower case, without accents. Pairs that training never saw are left out.
        """
        found = self._find([text], is_batch=False)
        lasts = found.factors.nonzero()[0]
        rows, factors = found.rows.take(lasts), found.factors.take(lasts)
        own = self.table.take(np.minimum(rows, self.nowhere), axis=0)
        is_unseen = rows > self.nowhere
        own[is_unseen] = found.unseen[rows[is_unseen] - self.nowhere - 1]
        own *= (factors / np.sqrt(self._squares(found)[0]))[:, None]
        return spelled(found.words, found.places.take(lasts)), own

    @cached_property
    def _kernel(self) -> Kernel | None:
        library = compiled()
        return None if library is None else Kernel(library, self, _DAMPED)

    def _score_batch(self, texts: Sequence[str], out: Scored, n_threads: int) -> None:
        """Write down what there is to say about many tickets."""

        def score(chunk: Sequence[str], start: int) -> None:
            part = slice(start, start + len(chunk))
            self._score(chunk, Scored(out.margins[part], out.novelty[part]), is_batch=True)

        parts = list(chunks(texts))
        starts = accumulate(map(len, parts[:-1]), initial=0)
        if n_threads == 1:
            for chunk, start in zip(parts, starts, strict=True):
                score(chunk, start)
            return
        from concurrent.futures import ThreadPoolExecutor  # A form, which asks for one ticket, need not wait for it.

        # The kernel, NumPy and SciPy release the interpreter lock in all that takes long here.
        with ThreadPoolExecutor(n_threads) as pool:
            for _ in pool.map(score, parts, starts):
                pass  # What fails in a thread is raised here.

    def _score(self, texts: Sequence[str], out: Scored, *, is_batch: bool) -> None:
        """Write down what there is to say about a chunk of tickets."""
        if self._kernel is not None:
            self._kernel.score(joined(texts), out.margins, out.novelty)
            return
        found = self._find(texts, is_batch=is_batch)
        begins, rows, factors, nowhere = found.begins, found.rows, found.factors, self.nowhere
        if not len(found.unseen):
            sums = add_rows(begins, rows, factors, self.table, is_batch=is_batch)
        else:
            sums = add_rows(begins, np.minimum(rows, nowhere), factors, self.table, is_batch=is_batch)
            rest = np.flatnonzero(rows > nowhere)
            numbers = rows.take(rest) - (nowhere + 1)
            sums += add_rows(rest.searchsorted(begins), numbers, factors.take(rest), found.unseen, is_batch=is_batch)
        squares, out.novelty[:] = self._squares(found)
        sums /= np.sqrt(squares)[:, None]
        np.add(sums, self.intercept, out=out.margins)

    def _squares(self, found: Found) -> tuple[Float32s, Float32s]:
        """Return the squared norm of each ticket, 1 for one without words, and its novelty."""
        squares = self.squares.take(found.rows, mode="clip")  # All unseen words have the last, with a row or without.
        is_unseen = self.rarities.take(found.rows, mode="clip") >= 1
        squares *= found.factors
        squares *= found.factors
        # One after the other, as the kernel adds them.
        n_rows = np.diff(found.begins)
        tickets = np.repeat(np.arange(len(n_rows)), n_rows)
        sums = np.bincount(tickets, weights=squares, minlength=len(n_rows))
        sums[n_rows == 0] = 1
        unseen = np.zeros(len(n_rows))
        if is_unseen.any():
            squares *= is_unseen
            unseen = np.bincount(tickets, weights=squares, minlength=len(n_rows)) / sums
        n_words = np.diff(found.words.begins)  # Each word has a row.
        return sums.astype(np.float32), novelty(unseen, n_rows - n_words, n_words)

    def _find(self, texts: Sequence[str], *, is_batch: bool) -> Found:
        """Find the row of each word and pair, and what each counts in its ticket."""
        words = find_words(texts)
        prefix = PrefixHash(words.buffer)
        own = prefix(words.starts, words.ends)
        phrases = find_phrases(words, own)
        rows = self.slots.find(phrases.hashes, self.nowhere)
        rows[phrases.empty] = self.nowhere
        own_rows, unseen = self._number_unseen(words, prefix, own, rows.take(phrases.words), is_batch=is_batch)
        rows[phrases.words] = own_rows
        places = (rows != self.nowhere).nonzero()[0]
        rows, begins = rows.take(places), places.searchsorted(phrases.begins)
        n_rows = self.nowhere + 1 + len(unseen)
        keys = rows
        if len(texts) > 1:
            # One range of keys for each ticket; which of them are equal does not depend on the other tickets.
            keys = rows + np.repeat(np.arange(len(texts)) * n_rows, np.diff(begins))
        lasts = last_equals(keys, n_rows * len(texts))
        return Found(words, places, begins, rows, damped(np.bincount(lasts, minlength=len(rows))), unseen)

    def _number_unseen(
        self, words: Words, prefix: PrefixHash, hashes: UInt64s, rows: Ints, *, is_batch: bool
    ) -> tuple[Ints, Float32s]:
        """Give words that training never saw the numbers behind the table, and put their rows together from n-grams."""
        places = np.flatnonzero(rows == self.nowhere)
        if not len(places):
            return rows, np.empty((0, len(self.categories)), dtype=np.float32)
        # The few that a ticket has are numbered sooner so than by np.unique.
        numbers: dict[int, int] = {}
        own = [numbers.setdefault(key, len(numbers)) for key in hashes.take(places).tolist()]
        rows[places] = self.nowhere + 1 + np.array(own)
        chosen = np.empty(len(numbers), dtype=np.int64)
        chosen[own] = places
        begins, grams = gram_hashes(words.buffer, prefix, words.starts.take(chosen), words.ends.take(chosen))
        found = self.gram_slots.find(grams, len(self.gram_table) - 1)
        # Half precision is enough for the parts of a word, and half of the memory to wait for.
        parts, ones = self.gram_table.take(found, axis=0).astype(np.float32), np.ones(len(found), dtype=np.float32)
        unseen = add_rows(begins, np.arange(len(found)), ones, parts, is_batch=is_batch)
        unseen *= gram_share(begins)[:, None]
        return rows, unseen


class Trained(Protocol):
    """What a classifier must have to be put into a Deflector; a fitted TicketClassifier has it."""

    scorer_: Scorer
    fingerprint_: str
