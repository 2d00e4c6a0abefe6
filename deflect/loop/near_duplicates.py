"""Finds tickets that are nearly the same text: one of them in training and another in a test would fool the test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from deflect.line.hashing import Ints, PrefixHash, UInt64s
from deflect.line.text import chunks, find_words

_GRAM = 5
#: Short tickets are near-duplicates from the first similarity on, long ones from the second; in between, where about
#: this many character 5-grams differ (an exchanged word makes up to 20). Two short questions that share all but two
#: words are one question; two long mails that share their greeting and their signature are not one mail.
_LOOSE, _STRICT = 0.5, 0.9
_MOST_DIFFERENT = 33
# 20 bands of 3: a pair of similarity 0.5 meets in some band with probability 1 - (1 - 0.5**3)**20 = 0.93, one of 0.7
# with 0.9997 (Leskovec, Rajaraman, Ullman: Mining of Massive Datasets, section 3.4.2).
_N_BANDS = 20
_BAND_ROWS = 3
#: How many of its neighbours a signature is compared with, of those that agree in a band.
_REACH = 32


def near_duplicate_groups(texts: Sequence[str], similarity: float | None = None) -> Ints:
    """Return the number of each ticket's group, (n_tickets,); tickets without near-duplicates are groups of one.

    Two tickets are near-duplicates when the Jaccard similarity of their sets of character 5-grams is ``similarity`` or
    more; None (default) asks for 0.5 of short tickets, for 0.9 of long ones (``least_similarity``).
    Groups are connected components: A like B and B like C puts A, B and C together. Method: MinHash signatures (Broder,
    "On the resemblance and containment of documents", 1997) of character 5-grams, compared where a band is equal.
    """
    if not len(texts):
        return np.empty(0, dtype=np.int64)
    parts = [minhash_signatures(chunk) for chunk in chunks(texts)]
    signatures, n_grams = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    # Equal signatures are one; sorted, so that the order of the tickets plays no part.
    different, firsts, numbers = np.unique(signatures, axis=0, return_index=True, return_inverse=True)
    least = least_similarity(n_grams[firsts]) if similarity is None else np.full(len(firsts), similarity)
    links = []
    for pairs in _candidates(different):
        is_near = _similarity(different, pairs) >= least[pairs].max(axis=0)
        links.append(firsts[pairs[:, is_near]])
    links.append(np.stack((firsts[numbers.ravel()], np.arange(len(texts)))))
    return connected(np.concatenate(links, axis=1), len(texts))


def least_similarity(n_grams: Ints) -> npt.NDArray[np.float64]:
    """Return the similarity from which on tickets of so many 5-grams are near-duplicates."""
    return np.clip((2 * n_grams - _MOST_DIFFERENT) / (2 * n_grams + _MOST_DIFFERENT), _LOOSE, _STRICT)


def connected(pairs: Ints, n: int) -> Ints:
    """Return the number of the connected component of each of n things, given links (2, n_links)."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(pairs.shape[1], dtype=bool), (pairs[0], pairs[1])), shape=(n, n))
    groups: Ints = connected_components(links, directed=False)[1].astype(np.int64)
    return groups


def minhash_signatures(texts: Sequence[str]) -> tuple[UInt64s, Ints]:
    """Return the MinHash signature of each ticket, (n_tickets, n_bands * band_rows), and its number of 5-grams."""
    words = find_words(texts)
    # From the edge before a ticket to the edge behind it.
    starts, ends = words.edges[:-1], words.edges[1:] + 1
    n_grams = np.maximum(ends - starts - _GRAM + 1, 1)
    firsts = np.cumsum(n_grams) - n_grams
    begins = np.arange(n_grams.sum()) + np.repeat(starts - firsts, n_grams)
    hashes = PrefixHash(words.buffer)(begins, np.minimum(begins + _GRAM, np.repeat(ends, n_grams)))
    # The factors below take their minima from the upper bits, so that these must depend on all bits and the lower too.
    hashes ^= hashes >> np.uint64(32)
    factors = np.random.default_rng(5).integers(2**63, size=_N_BANDS * _BAND_ROWS, dtype=np.uint64) * 2 + 1
    return np.column_stack([np.minimum.reduceat(hashes * factor, firsts) for factor in factors]), n_grams


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
