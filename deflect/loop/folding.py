"""Weighs words by term and norm before learning, and multiplies the learned weights out into rows after it.

``weigh`` and ``fold_model`` are the two halves of one definition of a ticket's features:

    x(ticket) = [ sum over its different words w of (1 + ln count) * t(w) * f(w) / norm
                | (1 + ln count) * t(pair) / norm for each of its pairs of neighbours, its beginning and end among them
                | encoder_weight * dense_features(the encoder's vector of the ticket), where there is an encoder ]
    f(w)      = [ one-hot(w)  |  gram_weight * unit vector of w's n-grams  |  vector_weight * vector(w) ]
    t         = the weight of a word or a pair, ``terms``: idf, and what it tells of the categories
    norm      = sqrt( sum of ((1 + ln count) * t(w))^2 * (1 + gram_weight^2) + sum of ((1 + ln count) * t(pair))^2 )

The norm leaves the vectors out: they were fitted so that their sum over a text, divided by this norm, comes close to
what a sentence encoder says of the text. A new block of a word's features becomes one more term of f(w), here and
nowhere else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

from deflect.line.hashing import Ints, SlotTable
from deflect.line.scorer import Float32s, Scored, Scorer, damped, novelty
from deflect.loop.solver import Design
from deflect.loop.terms import TermWeights

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from deflect.loop.calibration import Calibration
    from deflect.loop.vocabulary import Vocabulary

Number = TypeVar("Number", bound=np.generic)

#: A ticket of pairs alone does not exist; this keeps rounding from dividing by nothing.
_MOST_LOST = 0.9


@dataclass(frozen=True)
class BlockWeights:
    """What other blocks count beside the words themselves, 0 or more; ``encoder`` is 0 where there is none.

    ``information`` is the share that what a word tells of the categories has in its weight, the rest being its idf.
    ``adaptive`` is the power of what a first model learned of a word that its weight has beside, 0 for one model alone.
    """

    grams: float
    vectors: float
    encoder: float = 0.0
    information: float = 0.0
    adaptive: float = 0.0


def weigh(vocabulary: Vocabulary, weights: BlockWeights, terms: TermWeights) -> Design:
    """Return the features of the training tickets."""
    words, pairs = _damped(vocabulary.word_counts), _damped(vocabulary.pair_counts)
    pair_terms = terms.pairs * vocabulary.pair_alike.lengths
    squares = words.power(2) @ word_squares(terms, weights) + pairs.power(2) @ pair_terms**2
    scale = (1 / np.sqrt(np.where(squares > 0, squares, 1))).astype(np.float32)
    gram_weight = np.full(len(terms.words), weights.grams, dtype=np.float32)
    return Design(
        words=_scaled(words, scale, terms.words),
        grams=_scaled(vocabulary.grams, gram_weight, vocabulary.gram_alike.lengths),
        pairs=_scaled(pairs, scale, pair_terms),
        vectors=vocabulary.vectors * np.float32(weights.vectors),
        owners=vocabulary.owners,
        encoded=_encoded(vocabulary, weights),
    )


def with_vectors(design: Design, vocabulary: Vocabulary, weights: BlockWeights) -> Design:
    """Return the design with other weights of its vectors and its encoder."""
    return replace(
        design,
        vectors=vocabulary.vectors * np.float32(weights.vectors),
        encoded=_encoded(vocabulary, weights),
    )


def _encoded(vocabulary: Vocabulary, weights: BlockWeights) -> Float32s:
    encoded = vocabulary.encoded
    if encoded is None:
        return np.zeros((vocabulary.n_tickets, 0), dtype=np.float32)
    return encoded.features * np.float32(weights.encoder)


def weigh_as_new(tickets: Design, seen: Design) -> Design:
    """Return tickets with the features that they have for a model of the ``seen`` tickets alone.

    A pair that training never saw is no part of a new ticket's norm. Left in the norm of tickets that probabilities are
    fitted on, such pairs make their margins smaller than those of new tickets, and the probabilities too sure.
    """
    is_known = (np.bincount(seen.pairs.indices, minlength=seen.pairs.shape[1]) > 0).astype(np.float32)
    lost = tickets.pairs.power(2) @ (1 - is_known)
    scale = (1 / np.sqrt(1 - np.minimum(lost, _MOST_LOST))).astype(np.float32)
    every_word = np.ones(tickets.words.shape[1], dtype=np.float32)
    return replace(
        tickets,
        words=_scaled(tickets.words, scale, every_word),
        pairs=_scaled(tickets.pairs, scale, is_known),
    )


def certainty(
    vocabulary: Vocabulary, is_out: npt.NDArray[np.bool_], tickets: Design, seen: Design, weights: BlockWeights
) -> Float32s:
    """Return ``Scored.certainty`` of tickets held out, as ``weigh_as_new`` returns them, for a model of those seen."""
    is_new = (np.bincount(seen.words.indices, minlength=seen.words.shape[1]) == 0).astype(np.float32)
    is_known = np.bincount(seen.pairs.indices, minlength=seen.pairs.shape[1]) > 0
    n_known = vocabulary.pair_counts[is_out] @ np.where(is_known, vocabulary.pair_alike.sizes, 0)
    unseen = tickets.words.power(2) @ is_new * np.float32(1 + weights.grams**2)
    n_words = np.asarray(vocabulary.word_counts[is_out].sum(axis=1), dtype=np.int64).ravel()
    new = novelty(unseen, n_known.astype(np.int64), n_words)
    return Scored(np.empty((len(new), 0), dtype=np.float32), new).certainty


def word_squares(terms: TermWeights, weights: BlockWeights) -> Float32s:
    """Return |t(w) f(w)|^2 of each word, without its vector."""
    squares: Float32s = terms.words**2 * np.float32(1 + weights.grams**2)
    return squares


def fold_model(
    vocabulary: Vocabulary,
    design: Design,
    learned: Float32s,
    *,
    weights: BlockWeights,
    terms: TermWeights,
    categories: tuple[str, ...],
    calibration: Calibration,
) -> Scorer:
    """Multiply learned weights out into one row for each word, pair and n-gram; weights and terms as in ``weigh``."""
    part = design.blocks(learned * calibration.scales.astype(np.float32))
    further, encoded = vocabulary.further, vocabulary.encoded
    grams, pairs = vocabulary.gram_alike.each(part.grams), vocabulary.pair_alike.each(part.pairs)
    pair_terms = terms.pairs[vocabulary.pair_alike.groups]
    others = np.float32(weights.grams) * (further.grams @ grams)
    others += np.float32(weights.vectors) * (further.vectors @ part.vectors)
    others_terms = np.full(len(others), terms.unseen, dtype=np.float32)
    unseen_square = terms.unseen**2 * (1 + weights.grams**2)
    rows = np.concatenate((design.word_rows(part), pairs, others))
    rows *= np.concatenate((terms.words, pair_terms, others_terms))[:, None]
    hashes = np.concatenate((vocabulary.word_hashes, vocabulary.pair_hashes, further.hashes))
    other_squares = np.full(len(others), unseen_square)
    squares = np.concatenate((word_squares(terms, weights), pair_terms**2, other_squares))
    # The most frequent rows side by side stay in the cache: that makes adding rows two to four times as fast.
    pair_idf = vocabulary.pair_idf[vocabulary.pair_alike.groups]
    rarities = np.concatenate((vocabulary.word_idf, pair_idf)) / np.float32(vocabulary.unseen_idf)
    rarities = np.concatenate((rarities, np.ones(len(others)))).astype(np.float32)
    order = np.argsort(rarities, kind="stable")
    gram_order = np.argsort(vocabulary.gram_alike.groups, kind="stable")
    gram_rows = grams * np.float32(terms.unseen * weights.grams)
    return Scorer(
        categories=categories,
        slots=SlotTable.build(hashes[order]),
        table=_in_order(rows, order),
        squares=np.concatenate((squares[order], (0, unseen_square))).astype(np.float32),
        rarities=np.concatenate((rarities[order], (0, 1))).astype(np.float32),
        gram_slots=SlotTable.build(vocabulary.gram_hashes[gram_order]),
        gram_table=_in_order(gram_rows.astype(np.float16), gram_order),
        intercept=(part.intercept + calibration.shifts).astype(np.float32),
        sharpness=calibration.sharpness,
        encoder_part=None if encoded is None else encoded.part(part.encoded * np.float32(weights.encoder)),
    )


def _in_order(rows: npt.NDArray[Number], order: Ints) -> npt.NDArray[Number]:
    """Return a table's rows in another order, and behind them one of zeros, for whatever training never saw."""
    table = np.zeros((len(rows) + 1, rows.shape[1]), dtype=rows.dtype)
    np.take(rows, order, axis=0, out=table[:-1], mode="clip")  # The other modes make a copy first.
    return table


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
