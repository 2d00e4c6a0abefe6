"""Hashes words that are spelled out, and cuts them into n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from deflect.line.grams import gram_hashes, gram_share
from deflect.line.hashing import SPREAD, Ints, PrefixHash, UInt64s, mix
from deflect.line.scorer import Float32s
from deflect.line.text import EDGE

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


def word_hashes(words: Sequence[bytes]) -> UInt64s:
    """Return the hash that the line gives each word."""
    buffer, starts, ends = _joined(words)
    return PrefixHash(buffer)(starts, ends)


def gram_matrix(words: Sequence[bytes]) -> tuple[UInt64s, csr_matrix]:
    """Return the n-grams of words, sorted by hash, and a matrix with a unit row for each word."""
    from scipy.sparse import csr_matrix

    buffer, starts, ends = _joined(words)
    begins, hashes = gram_hashes(buffer, PrefixHash(buffer), starts, ends)
    different, columns = np.unique(hashes, return_inverse=True)
    shares = np.repeat(gram_share(begins), np.diff(begins))
    # Also those of one word alone: they are what a typo of that word has in common with it.
    grams = csr_matrix((shares, columns, begins), shape=(len(words), len(different)))
    grams.sum_duplicates()
    return different, grams


class Alike(NamedTuple):
    """N-grams that exactly the same words have are one feature: ``groups[i]`` is that of n-gram i, of ``sizes`` many.

    Learning ends with the same weight for each n-gram of a group, since nothing tells them apart. One feature whose
    length is the root of the group's size stands for them: the scores and the penalty are the same.
    """

    groups: Ints
    sizes: Ints

    def each(self, learned: Float32s) -> Float32s:
        """Return what was learned of each n-gram, (n_grams, n_categories), from that of their groups."""
        shares: Float32s = learned / np.sqrt(self.sizes).astype(np.float32)[:, None]
        return shares[self.groups]


def merged(grams: csr_matrix) -> tuple[Alike, csr_matrix]:
    """Put n-grams together that the same words have, (n_words, n_groups), the groups of most words first."""
    from scipy.sparse import csr_matrix

    columns = grams.tocsc()
    columns.sort_indices()
    # A column is told from others by a sum over its words, each a number of its own, that cannot be equal by chance.
    codes = mix(np.arange(1, grams.shape[0] + 1, dtype=np.uint64) * SPREAD)[columns.indices]
    codes *= columns.data.view(np.uint32)  # More than 1 / sqrt(n) where a word has an n-gram twice.
    begins = columns.indptr[:-1]
    sums = np.add.reduceat(codes, begins) if len(begins) else codes
    _, firsts, groups, sizes = np.unique(sums, return_index=True, return_inverse=True, return_counts=True)
    order = np.argsort(-np.diff(columns.indptr)[firsts], kind="stable")
    numbers = np.argsort(order, kind="stable")
    lengths = np.sqrt(sizes[order]).astype(np.float32)
    matrix = csr_matrix(columns[:, firsts[order]])
    matrix.data *= lengths[matrix.indices]
    return Alike(numbers[groups], sizes[order]), matrix


def _joined(words: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], Ints, Ints]:
    """Return words in one buffer, with edges before, between and behind them, and where each starts and ends."""
    edge = bytes([EDGE])
    buffer = np.frombuffer(edge + edge.join(words) + edge, dtype=np.uint8)
    n_bytes = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    ends = np.cumsum(n_bytes + 1)
    return buffer, ends - n_bytes, ends
