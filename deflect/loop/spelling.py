"""Hashes words that are spelled out, and cuts them into n-grams."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deflect.line.grams import gram_hashes, gram_share
from deflect.line.hashing import Ints, PrefixHash, UInt64s
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


def _joined(words: Sequence[bytes]) -> tuple[npt.NDArray[np.uint8], Ints, Ints]:
    """Return words in one buffer, with edges before, between and behind them, and where each starts and ends."""
    edge = bytes([EDGE])
    buffer = np.frombuffer(edge + edge.join(words) + edge, dtype=np.uint8)
    n_bytes = np.fromiter(map(len, words), dtype=np.int64, count=len(words))
    ends = np.cumsum(n_bytes + 1)
    return buffer, ends - n_bytes, ends
