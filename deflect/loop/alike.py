"""Puts features together that nothing tells apart: pairs of the same tickets, n-grams of the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deflect.line.hashing import Ints, UInt64s
from deflect.line.scorer import Float32s

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix


class Alike(NamedTuple):
    """Features that are the same everywhere are one: ``groups[i]`` is that of feature i, of ``sizes`` many.

    Learning ends with the same weight for each feature of a group, since nothing tells them apart. One feature, longer
    by the root of the group's size, ``lengths``, stands for them: the scores and the penalty are the same.
    """

    groups: Ints
    sizes: Ints

    @property
    def lengths(self) -> Float32s:
        """Return how many times as long as one of its features each group is."""
        return np.sqrt(self.sizes).astype(np.float32)

    def each(self, learned: Float32s) -> Float32s:
        """Return what was learned of each feature, (n, n_categories), from that of their groups."""
        shares: Float32s = learned / self.lengths[:, None]
        return shares[self.groups]


def merged(matrix: csr_matrix) -> tuple[Alike, csr_matrix]:
    """Return which columns of a matrix are the same, and each of them once, those of most rows first."""
    codes = _codes(matrix)
    _, firsts, groups, sizes = np.unique(codes, return_index=True, return_inverse=True, return_counts=True)
    n_rows = np.bincount(matrix.indices, minlength=matrix.shape[1])[firsts]
    order = np.lexsort((firsts, -n_rows))
    numbers = np.argsort(order, kind="stable")
    return Alike(numbers[groups], sizes[order]), matrix[:, firsts[order]]


def _codes(matrix: csr_matrix) -> UInt64s:
    """Return a number for each column that no other one has by chance: the sum over its rows, a random one for each."""
    from scipy.sparse import csr_matrix

    of_rows = np.random.default_rng(0).integers(2**64, size=matrix.shape[0], dtype=np.uint64)
    values = 2 * matrix.data.view(np.uint32).astype(np.uint64) + 1  # Odd, so that no bit of a row's number is lost.
    return np.asarray(csr_matrix((values, matrix.indices, matrix.indptr), shape=matrix.shape).T @ of_rows)
