"""Learns the weights: a linear model with one weight column for each category, all columns solved side by side.

The loss is the squared hinge, one category against the rest, with an L2 penalty: what LIBLINEAR calls L2-loss SVM
(Fan et al., "LIBLINEAR: a library for large linear classification", JMLR 2008). The method is truncated Newton in the
primal (Keerthi and DeCoste, "A modified finite Newton method for fast solution of large scale linear SVMs", JMLR
2005): conjugate gradients for the step, a line search for its length. A mild diagonal preconditioner (Hsia, Chiang and
Lin, "Preconditioned conjugate gradient methods in truncated Newton frameworks for large-scale linear classification",
ACML 2018) saves up to a third of the gradients. The features of a ticket factor into tickets
times words and words times n-grams, so no matrix of tickets times n-grams is ever made, and one sparse product serves
all categories.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt
from threadpoolctl import threadpool_limits

from deflect.line.hashing import Ints
from deflect.line.scorer import Float32s

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_MAX_CONJUGATE_STEPS = 15
_MAX_HALVINGS = 8
#: The greatest number of columns that are solved together. What belongs to a row should fill a line of the cache, 16
#: numbers: 77 categories take 0.20 ms a column in blocks of 20, and 0.29 in blocks of 13, 33 take 11 ms, and 12 in
#: blocks of 8, where a forward and a backward product and the steps between are counted.
_BLOCK = 20
#: A Newton step is good enough when so much of its equation is left, as a square.
_RESIDUAL = 0.2
#: How far the preconditioner goes from the identity, 0, to the diagonal, 1. A row has unit length, so the diagonal says
#: little: 1 takes several times as long as 0, while 0.003 takes 0.6, 0.9 and 0.7 of the steps on support_tickets,
#: banking77 and firefox_support; 0.001 to 0.01 are alike.
_DIAGONAL_SHARE = 0.003


class Blocks(NamedTuple):
    """The blocks of a weight table: words, n-grams, pairs, dimensions of vectors, what is encoded, the intercept."""

    words: Float32s
    grams: Float32s
    pairs: Float32s
    vectors: Float32s
    encoded: Float32s
    intercept: Float32s


@dataclass(frozen=True, eq=False)
class Design:
    """The features of tickets, as a product of sparse matrices that is never multiplied out.

    ``words`` (n_tickets, n_words) and ``pairs`` (n_tickets, n_pairs) carry idf and norm; ``grams`` (n_words, n_groups)
    carries the weight of the n-gram block. ``vectors`` (n_owners, n_dims), which is dense, carries that of the vectors;
    ``owners`` are the words that they belong to. ``encoded`` (n_tickets, n_encoded), dense, is what an encoder says of
    the tickets: nothing, n_encoded = 0, where there is none. A last feature, 1 for every ticket, is the intercept.
    """

    words: csr_matrix
    grams: csr_matrix
    pairs: csr_matrix
    vectors: Float32s
    owners: Ints
    encoded: Float32s

    @property
    def n_features(self) -> int:
        """Return the number of rows that a weight table has."""
        return sum(self._widths) + 1

    @property
    def _widths(self) -> tuple[int, ...]:
        """Return the number of features of each block but the intercept."""
        return tuple(int(block.shape[1]) for block in (self.words, self.grams, self.pairs, self.vectors, self.encoded))

    @cached_property
    def _words_of_grams(self) -> csr_matrix:
        """Return the transposed ``grams``, row by row: there are so many n-grams that columns would be slow to fill."""
        return self.grams.T.tocsr()

    def rows(self, chosen: npt.NDArray[np.bool_] | Ints) -> Design:
        """Return the design of some of the tickets."""
        return replace(self, words=self.words[chosen], pairs=self.pairs[chosen], encoded=self.encoded[chosen])

    def blocks(self, weights: Float32s) -> Blocks:
        """Cut a weight table into views of its blocks."""
        words, grams, pairs, vectors, encoded, intercept = np.split(weights, np.cumsum(self._widths))
        return Blocks(words, grams, pairs, vectors, encoded, intercept[0])

    def word_rows(self, part: Blocks) -> Float32s:
        """Return all that is learned of each word, (n_words, n_categories)."""
        rows: Float32s = self.grams @ part.grams
        rows += part.words
        rows[self.owners] += self.vectors @ part.vectors
        return rows

    def squares(self) -> Float32s:
        """Return the sum of the squares of each feature over the tickets, as if each had one word, (n_features, 1)."""
        words = np.asarray(self.words.power(2).sum(axis=0)).ravel()
        pairs = np.asarray(self.pairs.power(2).sum(axis=0)).ravel()
        grams, vectors = self.grams.power(2).T @ words, (self.vectors**2).T @ words[self.owners]
        blocks = (words, grams, pairs, vectors, (self.encoded**2).sum(axis=0), (self.words.shape[0],))
        return np.concatenate(blocks).astype(np.float32)[:, None]

    def forward(self, weights: Float32s) -> Float32s:
        """Return features @ weights, (n_tickets, n_categories)."""
        part = self.blocks(weights)
        scores: Float32s = self.words @ self.word_rows(part)
        scores += self.pairs @ part.pairs
        if len(part.encoded):
            scores += self.encoded @ part.encoded
        scores += part.intercept
        return scores

    def backward(self, scores: Float32s) -> Float32s:
        """Return features.T @ scores, (n_features, n_categories)."""
        weights = np.empty((self.n_features, scores.shape[1]), dtype=np.float32)
        part = self.blocks(weights)
        part.words[:] = self.words.T @ scores
        part.grams[:] = self._words_of_grams @ part.words
        part.pairs[:] = self.pairs.T @ scores
        part.vectors[:] = self.vectors.T @ part.words[self.owners]
        part.encoded[:] = self.encoded.T @ scores
        part.intercept[:] = scores.sum(axis=0)
        return weights


@dataclass(frozen=True, eq=False)
class Solution:
    """Weights (n_features, n_categories) and how they were found."""

    weights: Float32s
    n_iterations: int
    has_converged: bool


def _columns_dot(left: Float32s, right: Float32s) -> Float32s:
    """Return the inner product of each pair of columns."""
    product: Float32s = np.einsum("ij,ij->j", left, right)
    return product


class SquaredHinge:
    """Half the squared norm of the weights plus the cost-weighted squared hinge of every ticket and category."""

    def __init__(self, design: Design, signs: Float32s, costs: Float32s, squares: Float32s | None = None) -> None:
        self.design = design
        self.signs = signs
        self.costs = costs  # (n_tickets, n_categories) or (n_tickets, 1); already times 2 * C.
        self.squares = design.squares() if squares is None else squares

    def columns(self, chosen: npt.NDArray[np.int64]) -> SquaredHinge:
        """Return the objective of some of the columns."""
        costs = self.costs if self.costs.shape[1] == 1 else np.ascontiguousarray(self.costs[:, chosen])
        return SquaredHinge(self.design, np.ascontiguousarray(self.signs[:, chosen]), costs, self.squares)

    def scales(self, curvature: Float32s) -> Float32s:
        """Return the preconditioner: the inverse of the identity and a little of the Hessian's diagonal, roughly."""
        scales: Float32s = self.squares * (np.float32(_DIAGONAL_SHARE) * curvature.mean(axis=0))
        scales += 1
        np.reciprocal(scales, out=scales)
        return scales

    def gradient(self, weights: Float32s, scores: Float32s) -> tuple[Float32s, Float32s]:
        """Return the gradient and the curvature of each ticket and category: its cost inside the margin, else 0."""
        curvature = np.where(self.signs * scores < 1, self.costs, np.float32(0))
        return weights + self.design.backward(curvature * (scores - self.signs)), curvature

    def losses(self, scores: Float32s) -> Float32s:
        """Return the loss of each column without its penalty."""
        gaps = np.maximum(1 - self.signs * scores, 0)
        losses: Float32s = (0.5 * self.costs * gaps * gaps).sum(axis=0)
        return losses


def solve(
    objective: SquaredHinge,
    *,
    start: Float32s | None = None,
    tol: float,
    max_iter: int,
    progress: Callable[[float], None] = lambda _: None,
) -> Solution:
    """Minimise the objective, from ``start`` or from zero, until every column's gradient is ``tol`` of its first.

    Columns do not depend on each other, so blocks of them are solved side by side. A block is small enough that what
    belongs to one row stays together in the cache, and the same whatever the number of threads.
    """
    n_categories = objective.signs.shape[1]
    blocks = np.array_split(np.arange(n_categories), min(n_categories, 2 * -(-n_categories // (2 * _BLOCK))))
    left = dict.fromkeys(range(len(blocks)), 1.0)

    def solve_block(number: int) -> Solution:
        def report(own: float) -> None:
            left[number] = own
            progress(max(left.values()))

        columns = blocks[number]
        begin = None if start is None else np.ascontiguousarray(start[:, columns])
        return _solve_block(objective.columns(columns), begin, tol, max_iter, report)

    # NumPy and SciPy release the interpreter lock in all that takes long here. More threads, of the matrix library,
    # would only stand in the way of these.
    with threadpool_limits(1, "blas"), ThreadPoolExecutor(os.cpu_count()) as pool:
        solutions = list(pool.map(solve_block, range(len(blocks))))
    return Solution(
        np.concatenate([solution.weights for solution in solutions], axis=1),
        max(solution.n_iterations for solution in solutions),
        has_converged=all(solution.has_converged for solution in solutions),
    )


def _solve_block(
    objective: SquaredHinge, start: Float32s | None, tol: float, max_iter: int, progress: Callable[[float], None]
) -> Solution:
    design = objective.design
    n_categories = objective.signs.shape[1]
    zero = np.zeros((design.n_features, n_categories), dtype=np.float32)
    weights = zero.copy() if start is None else start
    first = np.linalg.norm(objective.gradient(zero, np.zeros_like(objective.signs))[0], axis=0)
    scores = design.forward(weights)
    for iteration in range(max_iter):
        gradient, curvature = objective.gradient(weights, scores)
        left = float((np.linalg.norm(gradient, axis=0) / np.maximum(first, 1e-12)).max())
        progress(left)
        if left < tol:
            return Solution(weights, iteration, has_converged=True)
        step, change = _newton_step(objective, gradient, curvature)
        length = _step_length(objective, _Point(weights, scores, gradient), step, change)
        weights += length * step
        scores += length * change
    return Solution(weights, max_iter, has_converged=False)


def _newton_step(objective: SquaredHinge, gradient: Float32s, curvature: Float32s) -> tuple[Float32s, Float32s]:
    """Return the step that roughly solves (I + X' curvature X) step = -gradient, and X @ step: conjugate gradients."""
    design, scales = objective.design, objective.scales(curvature)
    step = np.zeros_like(gradient)
    change = np.zeros_like(curvature)
    residual = -gradient
    scaled = scales * residual
    direction = scaled.copy()
    square = first = _columns_dot(residual, scaled)
    for _ in range(_MAX_CONJUGATE_STEPS):
        forward = design.forward(direction)
        product = design.backward(curvature * forward)
        product += direction
        # A column that is solved to the last digit stands still, lest it divide nothing by nothing.
        is_moving = square > 1e-12 * first
        length = np.where(is_moving, square / np.maximum(_columns_dot(direction, product), 1e-30), 0).astype(np.float32)
        # These tables are large: everything happens in place, and product is scratch from here on.
        forward *= length
        change += forward
        product *= length
        residual -= product
        np.multiply(direction, length, out=product)
        step += product
        np.multiply(scales, residual, out=scaled)
        before, square = square, _columns_dot(residual, scaled)
        if (square < _RESIDUAL * first).all():
            break
        direction *= (square / np.maximum(before, 1e-30)).astype(np.float32)
        direction += scaled
    return step, change


@dataclass(frozen=True, eq=False)
class _Point:
    """Where the solver stands."""

    weights: Float32s
    scores: Float32s
    gradient: Float32s


def _step_length(objective: SquaredHinge, point: _Point, step: Float32s, change: Float32s) -> Float32s:
    """Halve each column's step until its objective falls enough (Armijo's rule)."""
    slope = _columns_dot(point.gradient, step)
    cross, square = _columns_dot(point.weights, step), _columns_dot(step, step)
    before = objective.losses(point.scores)
    length = np.ones(step.shape[1], dtype=np.float32)
    for _ in range(_MAX_HALVINGS):
        penalty = length * cross + 0.5 * length**2 * square
        is_short = objective.losses(point.scores + length * change) + penalty > before + 1e-4 * length * slope
        if not is_short.any():
            break
        length[is_short] *= np.float32(0.5)
    return length
