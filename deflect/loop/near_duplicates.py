"""Finds tickets that are nearly the same text: one of them in training and another in a test would fool the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from deflect.line.hashing import Ints, PrefixHash, UInt64s
from deflect.line.text import chunks, find_words

#: Tickets whose sets of character 5-grams have at least this Jaccard similarity are near-duplicates.
SIMILARITY = 0.7
_GRAM = 5
# 20 bands of 3: a pair of similarity 0.5 meets in some band with probability 1 - (1 - 0.5**3)**20 = 0.93, one of 0.7
# with 0.9997 (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4.2).
_N_BANDS = 20
_BAND_ROWS = 3
#: How many of its neighbours a signature is compared with, of those that agree in a band.
_REACH = 32


def near_duplicate_groups(texts: Sequence[str], similarity: float = SIMILARITY) -> Ints:
    """Return the number of each ticket's group, (n_tickets,); tickets without near-duplicates are groups of one.

    Groups are connected components: A like B and B like C puts A, B and C together. Method: MinHash signatures (Broder,
    "On the resemblance and containment of documents", 1997) of character 5-grams, compared where a band is equal.
    """
    if not len(texts):
        return np.empty(0, dtype=np.int64)
    signatures = np.concatenate([_signatures(chunk) for chunk in chunks(texts)])
    # Equal signatures are one; sorted, so that the order of the tickets plays no part.
    different, firsts, numbers = np.unique(signatures, axis=0, return_index=True, return_inverse=True)
    links = [firsts[pairs[:, _similarity(different, pairs) >= similarity]] for pairs in _candidates(different)]
    links.append(np.stack((firsts[numbers.ravel()], np.arange(len(texts)))))
    return connected(np.concatenate(links, axis=1), len(texts))


def connected(pairs: Ints, n: int) -> Ints:
    """Return the number of the connected component of each of n things, given links (2, n_links)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(pairs.shape[1], dtype=bool), (pairs[0], pairs[1])), shape=(n, n))
    groups: Ints = connected_components(links, directed=False)[1].astype(np.int64)
    return groups


def _signatures(texts: Sequence[str]) -> UInt64s:
    """Return the MinHash signature of each ticket, (n_tickets, n_bands * band_rows)."""
    words = find_words(texts)
    # From the edge before a ticket to the edge behind it.
    ends = words.ticket_ends + 1
    starts = np.concatenate(([0], ends[:-1] - 1))
    n_grams = np.maximum(ends - starts - _GRAM + 1, 1)
    firsts = np.cumsum(n_grams) - n_grams
    begins = np.arange(n_grams.sum()) + np.repeat(starts - firsts, n_grams)
    hashes = PrefixHash(words.buffer)(begins, np.minimum(begins + _GRAM, np.repeat(ends, n_grams)))
    factors = np.random.default_rng(5).integers(2**63, size=_N_BANDS * _BAND_ROWS, dtype=np.uint64) * 2 + 1
    return np.column_stack([np.minimum.reduceat(hashes * factor, firsts) for factor in factors])


def _candidates(signatures: UInt64s) -> Iterator[Ints]:
    """Return pairs (2, n) of different signatures that agree in a band and are near each other there."""
    for start in range(0, signatures.shape[1], _BAND_ROWS):
        keys = (signatures[:, start : start + _BAND_ROWS] * np.array([1, 3, 5], dtype=np.uint64)).sum(axis=1)
        order = np.argsort(keys, kind="stable")
        ranked = keys[order]
        for distance in range(1, _REACH + 1):
            lower = np.flatnonzero(ranked[distance:] == ranked[:-distance])
            if not len(lower):
                break
            yield np.stack((order[lower], order[lower + distance]))


def _similarity(signatures: UInt64s, pairs: Ints) -> npt.NDArray[np.float64]:
    """Return the estimated Jaccard similarity of pairs of tickets: the share of equal places of their signatures."""
    shares: npt.NDArray[np.float64] = (signatures[pairs[0]] == signatures[pairs[1]]).mean(axis=1)
    return shares
