"""Reads the training tickets once and keeps what learning needs: words, pairs, n-grams, and who has which."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deflect.line.grams import gram_hashes, gram_share
from deflect.line.hashing import PrefixHash, UInt64s, pair
from deflect.line.scorer import Float32s
from deflect.line.text import EDGE, Words, chunks, find_words
from deflect.loop.counts import Counts

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Progress = Callable[[str, int, int], None]


def quiet(_stage: str, _done: int, _total: int) -> None:
    """Say nothing: the progress of a caller that shows none."""


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The words, pairs and n-grams of the training tickets.

    ``word_counts`` (n_tickets, n_words) and ``pair_counts`` (n_tickets, n_pairs) are sparse; ``grams`` (n_words,
    n_grams) has a unit row for each word. Words and pairs come in the order of their hashes.
    """

    n_tickets: int
    word_hashes: UInt64s
    pair_hashes: UInt64s
    gram_hashes: UInt64s
    word_counts: csr_matrix
    pair_counts: csr_matrix
    grams: csr_matrix

    @property
    def word_idf(self) -> Float32s:
        """Return ln((1 + n_tickets) / (1 + n_tickets with the word)) + 1 for each word."""
        return self._idf(self.word_counts)

    @property
    def pair_idf(self) -> Float32s:
        """Return the same for each pair."""
        return self._idf(self.pair_counts)

    @property
    def unseen_idf(self) -> float:
        """Return the same for a word that no ticket has."""
        return float(np.log(1 + self.n_tickets) + 1)

    def _idf(self, counts: csr_matrix) -> Float32s:
        n_with = np.bincount(counts.indices, minlength=counts.shape[1])
        return (np.log((1 + self.n_tickets) / (1 + n_with)) + 1).astype(np.float32)


def read_vocabulary(
    texts: Sequence[str], *, min_pair_df: int, max_pairs: int | None = None, progress: Progress = quiet
) -> Vocabulary:
    """Read the tickets chunk by chunk; of the pairs keep those of ``min_pair_df`` tickets, at most ``max_pairs``."""
    words, pairs = Counts(), Counts()
    spelled: dict[int, bytes] = {}
    n_done = 0
    for chunk in chunks(texts):
        found = find_words(chunk)
        hashes, tickets = PrefixHash(found.buffer)(found.starts, found.ends), found.tickets
        has_next = np.flatnonzero(tickets[1:] == tickets[:-1])
        words.add(hashes, tickets, len(chunk))
        pairs.add(pair(hashes[has_next], hashes[has_next + 1]), tickets[has_next], len(chunk))
        _spell(found, hashes, spelled)
        n_done += len(chunk)
        progress("reading", n_done, len(texts))
    word_hashes, word_counts = words.matrix(1)
    del words  # An archive of millions of tickets has no memory to waste.
    pair_hashes, pair_counts = pairs.matrix(min_pair_df, max_pairs)
    del pairs
    gram_keys, grams = _gram_matrix([spelled[key] for key in word_hashes.tolist()])
    return Vocabulary(len(texts), word_hashes, pair_hashes, gram_keys, word_counts, pair_counts, grams)


def _spell(words: Words, hashes: UInt64s, spelled: dict[int, bytes]) -> None:
    """Remember the spelling of each word that was not met before."""
    different, firsts = np.unique(hashes, return_index=True)
    raw = words.buffer.tobytes()
    starts, ends = words.starts[firsts].tolist(), words.ends[firsts].tolist()
    for key, start, end in zip(different.tolist(), starts, ends, strict=True):
        if key not in spelled:
            spelled[key] = raw[start:end]


def _gram_matrix(words: Sequence[bytes]) -> tuple[UInt64s, csr_matrix]:
    """Return the n-grams of words, sorted by hash, and a matrix with a unit row for each word."""
    from scipy.sparse import csr_matrix

    edge = bytes([EDGE])
    buffer = np.frombuffer(edge + edge.join(words) + edge, dtype=np.uint8)
    n_bytes = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    ends = np.cumsum(n_bytes + 1)
    begins, hashes = gram_hashes(buffer, PrefixHash(buffer), ends - n_bytes, ends)
    different, columns = np.unique(hashes, return_inverse=True)
    shares = np.repeat(gram_share(begins), np.diff(begins))
    # Also those of one word alone: they are what a typo of that word has in common with it.
    grams = csr_matrix((shares, columns, begins), shape=(len(words), len(different)))
    grams.sum_duplicates()
    return different, grams
