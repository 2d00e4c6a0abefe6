"""Reads the training tickets once and keeps what learning needs: words, pairs, n-grams, and who has which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deflect.line.hashing import Ints, PrefixHash, UInt64s
from deflect.line.phrases import find_phrases
from deflect.line.scorer import Float32s
from deflect.line.text import Words, chunks, find_words
from deflect.loop.alike import Alike, merged
from deflect.loop.counts import Counts
from deflect.loop.spelling import gram_matrix
from deflect.loop.word_vectors import WordVectors, no_word_vectors

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from deflect.loop.encoding import EncodedTickets

Progress = Callable[[str, int, int], None]


def quiet(_stage: str, _done: int, _total: int) -> None:
    """Say nothing: the progress of a caller that shows none."""


@dataclass(frozen=True, eq=False)
class Further:
    """Words that have a vector, but no training ticket; ``grams`` (n, n_grams) are those of their n-grams that have."""

    hashes: UInt64s
    grams: csr_matrix
    vectors: Float32s


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The words, pairs and n-grams of the training tickets. Pairs are whatever ``Phrases`` has beside words.

    ``word_counts`` (n_tickets, n_words) and ``pair_counts`` (n_tickets, n_groups) are sparse, as are the shares that
    ``grams`` have in words (n_words, n_groups). Pairs of the same tickets are one column, as n-grams of the same words:
    ``pair_alike`` and ``gram_alike`` tell which. ``vectors[i]``, of n_dims numbers, belongs to word ``owners[i]``.
    Words, pairs and n-grams come in the order of their hashes. ``encoded`` is what an encoder says of the tickets, if
    there is one.
    """

    n_tickets: int
    word_hashes: UInt64s
    pair_hashes: UInt64s
    gram_hashes: UInt64s
    word_counts: csr_matrix
    pair_counts: csr_matrix
    pair_alike: Alike
    gram_alike: Alike
    grams: csr_matrix
    vectors: Float32s
    owners: Ints
    further: Further
    encoded: EncodedTickets | None = None

    @property
    def word_idf(self) -> Float32s:
        """Return ln((1 + n_tickets) / (1 + n_tickets with the word)) + 1 for each word."""
        return self._idf(self.word_counts)

    @property
    def pair_idf(self) -> Float32s:
        """Return the same for each group of pairs."""
        return self._idf(self.pair_counts)

    @property
    def unseen_idf(self) -> float:
        """Return the same for a word that no ticket has."""
        return float(np.log(1 + self.n_tickets) + 1)

    def _idf(self, counts: csr_matrix) -> Float32s:
        n_with = np.bincount(counts.indices, minlength=counts.shape[1])
        return (np.log((1 + self.n_tickets) / (1 + n_with)) + 1).astype(np.float32)


def read_vocabulary(
    texts: Sequence[str],
    word_vectors: WordVectors | None = None,
    *,
    min_pair_df: int,
    most: int | None = None,
    progress: Progress = quiet,
) -> Vocabulary:
    """Read the tickets chunk by chunk.

    Of the pairs keep those of ``min_pair_df`` tickets, at most ``most``; of the words that have a vector but no ticket
    the ``most`` most frequent.
    """
    words, pairs = Counts(), Counts()
    spelled: dict[int, bytes] = {}
    n_done = 0
    for chunk in chunks(texts):
        found = find_words(chunk)
        hashes = PrefixHash(found.buffer)(found.starts, found.ends)
        words.add(hashes, found.tickets, len(chunk))
        _add_pairs(pairs, found, hashes)
        _spell(found, hashes, spelled)
        n_done += len(chunk)
        progress("reading", n_done, len(texts))
    word_hashes, word_counts = words.matrix(1)
    del words  # An archive of millions of tickets has no memory to waste.
    pair_hashes, pair_counts = pairs.matrix(min_pair_df, most)
    del pairs
    pair_alike, pair_counts = merged(pair_counts)
    gram_keys, grams = gram_matrix([spelled[key] for key in word_hashes.tolist()])
    gram_alike, grams = merged(grams)
    word_vectors = word_vectors or no_word_vectors()
    places = word_vectors.places(word_hashes)
    owners = np.flatnonzero(places < len(word_vectors.words))
    return Vocabulary(
        n_tickets=len(texts),
        word_hashes=word_hashes,
        pair_hashes=pair_hashes,
        gram_hashes=gram_keys,
        word_counts=word_counts,
        pair_counts=pair_counts,
        pair_alike=pair_alike,
        gram_alike=gram_alike,
        grams=grams,
        vectors=word_vectors.rows(places[owners]),
        owners=owners,
        further=_further(word_vectors, np.setdiff1d(np.arange(len(word_vectors.words)), places)[:most], gram_keys),
    )


def _add_pairs(pairs: Counts, words: Words, own: UInt64s) -> None:
    """Count whatever stands in tickets beside the words themselves."""
    phrases = find_phrases(words, own)
    is_pair = np.ones(len(phrases.hashes), dtype=bool)
    is_pair[phrases.words] = False
    is_pair[phrases.empty] = False
    tickets = np.repeat(np.arange(len(phrases.begins) - 1), np.diff(phrases.begins))
    pairs.add(phrases.hashes[is_pair], tickets[is_pair], len(phrases.begins) - 1)


def _further(word_vectors: WordVectors, places: Ints, gram_keys: UInt64s) -> Further:
    """Return some words of the vectors, with those of their n-grams that are known."""
    from scipy.sparse import csr_matrix

    own_keys, grams = word_vectors.grams
    is_known = np.isin(own_keys, gram_keys, assume_unique=True)
    own = grams[places][:, is_known]
    columns = np.searchsorted(gram_keys, own_keys[is_known])
    own = csr_matrix((own.data, columns[own.indices], own.indptr), shape=(len(places), len(gram_keys)))
    return Further(word_vectors.hashes[places], own, word_vectors.rows(places))


def _spell(words: Words, hashes: UInt64s, spelled: dict[int, bytes]) -> None:
    """Remember the spelling of each word that was not met before."""
    different, firsts = np.unique(hashes, return_index=True)
    raw = words.buffer.tobytes()
    starts, ends = words.starts[firsts].tolist(), words.ends[firsts].tolist()
    for key, start, end in zip(different.tolist(), starts, ends, strict=True):
        if key not in spelled:
            spelled[key] = raw[start:end]
