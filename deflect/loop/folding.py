"""Weighs words by idf and norm before learning, and multiplies the learned weights out into rows after it.

``weigh`` and ``fold_model`` are the two halves of one definition of a ticket's features:

    x(ticket) = [ sum over its different words w of (1 + ln count) * f(w)
                | (1 + ln count) * idf(pair) for each of its pairs of neighbouring words ] / norm
    f(w)      = [ idf(w) * one-hot(w)  |  gram_weight * idf(w) * unit vector of w's n-grams ]
    norm      = sqrt( sum of (1 + ln count)^2 * |f(w)|^2  +  sum of (1 + ln count)^2 * idf(pair)^2 )

A new block of a word's features, such as a word vector, becomes one more term of f(w), here and nowhere else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from deflect.line.hashing import SlotTable
from deflect.line.scorer import Float32s, Scorer, damped
from deflect.loop.solver import Design

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from deflect.loop.vocabulary import Vocabulary

#: A ticket of pairs alone does not exist; this keeps rounding from dividing by nothing.
_MOST_LOST = 0.9


def weigh(vocabulary: Vocabulary, gram_weight: float) -> Design:
    """Return the features of the training tickets."""
    words, pairs = _damped(vocabulary.word_counts), _damped(vocabulary.pair_counts)
    squares = words.power(2) @ word_squares(vocabulary, gram_weight) + pairs.power(2) @ vocabulary.pair_idf**2
    scale = (1 / np.sqrt(np.where(squares > 0, squares, 1))).astype(np.float32)
    return Design(
        words=_scaled(words, scale, vocabulary.word_idf),
        grams=vocabulary.grams * np.float32(gram_weight),
        pairs=_scaled(pairs, scale, vocabulary.pair_idf),
    )


def weigh_as_new(tickets: Design, seen: Design) -> Design:
    """Return tickets with the features that they have for a model of the ``seen`` tickets alone.

    A pair that training never saw is no part of a new ticket's norm. Left in the norm of tickets that probabilities are
    fitted on, such pairs make their margins smaller than those of new tickets, and the probabilities too sure.
    """
    is_known = (np.bincount(seen.pairs.indices, minlength=seen.pairs.shape[1]) > 0).astype(np.float32)
    lost = tickets.pairs.power(2) @ (1 - is_known)
    scale = (1 / np.sqrt(1 - np.minimum(lost, _MOST_LOST))).astype(np.float32)
    every_word = np.ones(tickets.words.shape[1], dtype=np.float32)
    return Design(_scaled(tickets.words, scale, every_word), tickets.grams, _scaled(tickets.pairs, scale, is_known))


def word_squares(vocabulary: Vocabulary, gram_weight: float) -> Float32s:
    """Return |f(w)|^2 of each word."""
    squares: Float32s = vocabulary.word_idf**2 * np.float32(1 + gram_weight**2)
    return squares


def fold_model(
    vocabulary: Vocabulary,
    design: Design,
    weights: Float32s,
    *,
    gram_weight: float,
    categories: tuple[str, ...],
    sharpness: float,
) -> Scorer:
    """Multiply learned weights out into one row for each word, pair and n-gram."""
    words, grams, pairs, intercept = design.blocks(weights)
    word_rows = vocabulary.word_idf[:, None] * (words + design.grams @ grams)
    pair_rows = vocabulary.pair_idf[:, None] * pairs
    idf = np.concatenate((vocabulary.word_idf, vocabulary.pair_idf))
    squares = np.concatenate((word_squares(vocabulary, gram_weight), vocabulary.pair_idf**2))
    rows = np.concatenate((word_rows, pair_rows))
    unseen_square = vocabulary.unseen_idf**2 * (1 + gram_weight**2)
    # The most frequent rows side by side stay in the cache: that makes adding rows two to four times as fast.
    order = np.argsort(idf, kind="stable")
    gram_order = np.argsort(-np.bincount(design.grams.indices, minlength=len(grams)), kind="stable")
    hashes = np.concatenate((vocabulary.word_hashes, vocabulary.pair_hashes))
    return Scorer(
        categories=categories,
        slots=SlotTable.build(hashes[order]),
        table=_with_zero_row(rows[order]),
        squares=np.concatenate((squares[order], (0, unseen_square))).astype(np.float32),
        gram_slots=SlotTable.build(vocabulary.gram_hashes[gram_order]),
        gram_table=_with_zero_row(np.float32(vocabulary.unseen_idf * gram_weight) * grams[gram_order]).astype(
            np.float16
        ),
        intercept=intercept.copy(),
        sharpness=sharpness,
    )


def _with_zero_row(rows: Float32s) -> Float32s:
    """Return a table with a row of zeros behind its own, for whatever training never saw."""
    return np.concatenate((rows, np.zeros((1, rows.shape[1])))).astype(np.float32)


def _damped(counts: csr_matrix) -> csr_matrix:
    """Return sub-linear term frequencies."""
    matrix = counts.copy()
    matrix.data = damped(matrix.data.astype(np.int64))
    return matrix


def _scaled(matrix: csr_matrix, rows: Float32s, columns: Float32s) -> csr_matrix:
    """Return a matrix with each row and each column scaled."""
    scaled = matrix.copy()
    scaled.data = matrix.data * np.repeat(rows, np.diff(matrix.indptr)) * columns[matrix.indices]
    return scaled
