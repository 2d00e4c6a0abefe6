"""Weighs words and word pairs: by how rare they are, and by how much they tell of a ticket's category.

The weight is idf^(1 - share) * information^share. The information of a term is the relative entropy, in nats, of the
categories of the tickets that have it against those of all tickets, with one ticket of the latter added to the former.
Debole and Sebastiani, "Supervised term weighting for automated text categorization" (SAC 2003), weigh by such measures
in place of idf; half and half is better than either on long, noisy tickets (docs/accuracy.md).

Words may then be weighed again by what a first model learned of them: whatever told much is held back less in the
second. That is one step of the adaptive ridge (Grandvalet, "Least absolute shrinkage is equivalent to quadratic
penalization", ICANN 1998), for all that a word says of all categories together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from deflect.line.hashing import Ints
from deflect.line.scorer import Float32s, Float64s

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

    from deflect.loop.vocabulary import Vocabulary

#: A word of which nothing was learned keeps so much of the mean, that it may still be learned of.
_LEAST_LEARNED = 1e-3


@dataclass(frozen=True, eq=False)
class TermWeights:
    """The weight of each word, (n_words,), of each pair of a group, (n_groups,), and of a word that no ticket has."""

    words: Float32s
    pairs: Float32s
    unseen: float


def by_rarity(vocabulary: Vocabulary) -> TermWeights:
    """Return the terms' idf."""
    return TermWeights(vocabulary.word_idf, vocabulary.pair_idf, vocabulary.unseen_idf)


def term_weights(vocabulary: Vocabulary, share: float, numbers: Ints, costs: Float64s) -> TermWeights:
    """Return the weights of the terms; with a ``share`` of 0, idf alone, no category is looked at.

    ``numbers`` are those of the tickets' categories, (n_tickets,), and ``costs`` what they count, 0 for hidden ones.
    """
    idf = by_rarity(vocabulary)
    if not share or not costs.any():
        return idf
    words, n_with_word = _information(vocabulary.word_counts, numbers, costs)
    pairs, _ = _information(vocabulary.pair_counts, numbers, costs)
    unseen = _of_unseen(words, n_with_word)
    words[n_with_word == 0] = unseen
    return TermWeights(
        idf.words ** np.float32(1 - share) * words ** np.float32(share),
        idf.pairs ** np.float32(1 - share) * pairs ** np.float32(share),
        idf.unseen ** (1 - share) * unseen**share,
    )


def adapted(vocabulary: Vocabulary, terms: TermWeights, learned: Float32s, power: float) -> TermWeights:
    """Return terms whose words are weighed again, by a power of the length of what was learned of each.

    ``learned`` (n_words, n_categories) counts what their n-grams and vectors say too, so words that the first model did
    not see have it as well. Pairs keep their weights.
    """
    lengths = np.linalg.norm(learned, axis=1)
    if not lengths.any():
        return terms
    factors = (lengths + _LEAST_LEARNED * lengths.mean()) ** power
    factors /= factors.mean()
    unseen = _of_unseen(factors, np.bincount(vocabulary.word_counts.indices, minlength=len(factors)))
    return TermWeights(terms.words * factors.astype(np.float32), terms.pairs, terms.unseen * unseen)


def _of_unseen(values: Float32s, n_with: Ints) -> float:
    """Return the value of a word that no ticket has: it is like those of one ticket, or at least like the others."""
    alike = values[n_with == 1] if (n_with == 1).any() else values[n_with > 0]
    return float(alike.mean()) if len(alike) else 1.0


def _information(counts: csr_matrix, numbers: Ints, costs: Float64s) -> tuple[Float32s, Ints]:
    """Return the information of each term, and how many tickets that count have it."""
    from scipy.sparse import csr_matrix

    is_counted = costs > 0
    weights = costs / costs[is_counted].mean()
    present = counts.astype(np.float32)
    present.data[:] = 1
    places = (numbers, np.arange(len(numbers)))
    members = csr_matrix((weights.astype(np.float32), places), shape=(int(numbers.max()) + 1, len(weights)))
    usual = np.asarray(members.sum(axis=1), dtype=np.float64)
    usual /= usual.sum()
    shares = np.asarray((members @ present).todense(), dtype=np.float32) + usual.astype(np.float32)
    shares /= shares.sum(axis=0)
    ratios = np.divide(shares, usual, out=np.ones_like(shares), where=shares > 0, casting="same_kind")
    information = np.einsum("ij,ij->j", shares, np.log(ratios, out=ratios))
    n_with = np.bincount(counts[is_counted].indices, minlength=counts.shape[1])
    return np.maximum(information, np.float32(1e-6)), n_with
