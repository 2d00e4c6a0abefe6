"""Weights of words and pairs: by rarity, and by what they tell of the categories."""

from __future__ import annotations

import numpy as np
import pytest

from deflect.loop.terms import TermWeights, adapted, by_rarity, term_weights
from deflect.loop.vocabulary import Vocabulary, read_vocabulary

#: "dns" stands in each ticket of the first category, "the" in every ticket, "new" in none that counts.
TEXTS = ["the dns", "the dns", "the invoice", "the bill", "the dns new"]
NUMBERS, COSTS = np.array([0, 0, 1, 1, 0]), np.array([1.0, 1.0, 1.0, 1.0, 0.0])
HALF = (0.5, 0.5)


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """Return the words and pairs of the tickets."""
    return read_vocabulary(TEXTS, min_pair_df=1)


def entropy_against(shares: tuple[float, ...], usual: tuple[float, ...]) -> float:
    """Return the relative entropy in nats."""
    return sum(share * np.log(share / common) for share, common in zip(shares, usual, strict=True) if share)


def of_count(vocabulary: Vocabulary, weights: TermWeights, n_with: int) -> set[float]:
    """Return the different weights of words that stand in so many tickets."""
    df = np.bincount(vocabulary.word_counts.indices, minlength=vocabulary.word_counts.shape[1])
    return {round(float(weight), 5) for weight in weights.words[df == n_with]}


def test_without_information_it_is_idf(vocabulary: Vocabulary) -> None:
    """A share of 0 leaves idf alone, whatever the categories are."""
    weights = term_weights(vocabulary, 0.0, NUMBERS, COSTS)
    np.testing.assert_array_equal(weights.words, vocabulary.word_idf)
    np.testing.assert_array_equal(weights.pairs, vocabulary.pair_idf)
    assert weights.unseen == vocabulary.unseen_idf


def test_a_word_that_tells_nothing(vocabulary: Vocabulary) -> None:
    """A word of every ticket weighs next to nothing."""
    (the,) = of_count(vocabulary, term_weights(vocabulary, 1.0, NUMBERS, COSTS), 5)
    assert the == pytest.approx(1e-6, abs=1e-5)


def test_a_word_of_one_category(vocabulary: Vocabulary) -> None:
    """Its information is that of its tickets, one usual ticket added, against all tickets; hidden ones do not count."""
    (dns,) = of_count(vocabulary, term_weights(vocabulary, 1.0, NUMBERS, COSTS), 3)
    assert dns == pytest.approx(entropy_against((2.5 / 3, 0.5 / 3), HALF), abs=1e-5)


def test_the_share_is_geometric(vocabulary: Vocabulary) -> None:
    """Half and half is the root of idf times information."""
    idf, told, both = (term_weights(vocabulary, share, NUMBERS, COSTS) for share in (0.0, 1.0, 0.5))
    np.testing.assert_allclose(both.words, np.sqrt(idf.words * told.words), rtol=1e-5)
    np.testing.assert_allclose(both.pairs, np.sqrt(idf.pairs * told.pairs), rtol=1e-5)
    assert both.unseen == pytest.approx((idf.unseen * told.unseen) ** 0.5)


def test_words_that_no_counted_ticket_has(vocabulary: Vocabulary) -> None:
    """They weigh what words of one ticket do, and so does a word that no ticket has at all."""
    weights = term_weights(vocabulary, 1.0, NUMBERS, COSTS)
    once = entropy_against((0.25, 0.75), HALF)
    assert of_count(vocabulary, weights, 1) == {round(once, 5)}
    assert weights.unseen == pytest.approx(once, abs=1e-5)


def test_tickets_that_count_more(vocabulary: Vocabulary) -> None:
    """A ticket counts in proportion: all of them ten times as much change nothing."""
    tenfold = term_weights(vocabulary, 0.5, NUMBERS, 10 * COSTS)
    np.testing.assert_allclose(tenfold.words, term_weights(vocabulary, 0.5, NUMBERS, COSTS).words, rtol=1e-6)


def test_nothing_counts(vocabulary: Vocabulary) -> None:
    """Tickets that all count nothing leave finite weights."""
    weights = term_weights(vocabulary, 0.5, NUMBERS, 0 * COSTS)
    assert np.isfinite(weights.words).all()
    assert np.isfinite(weights.unseen)


def test_words_are_weighed_again_by_what_was_learned(vocabulary: Vocabulary) -> None:
    """With a power of a half, a word of which four times as much was learned gets twice the factor; their mean is 1."""
    before = by_rarity(vocabulary)
    learned = np.zeros((len(before.words), 2), dtype=np.float32)
    learned[:, 1] = -1
    learned[0] = (0, 4)
    after = adapted(vocabulary, before, learned, 0.5)
    factors = after.words / before.words
    assert factors.mean() == pytest.approx(1)
    np.testing.assert_allclose(factors[0] / factors[1:], 2, rtol=2e-3)
    np.testing.assert_array_equal(after.pairs, before.pairs)


def test_a_word_that_no_ticket_has_is_like_those_of_one(vocabulary: Vocabulary) -> None:
    """Its factor is the mean of those of words of one ticket; a word of which nothing was learned keeps a little."""
    before = by_rarity(vocabulary)
    is_of_one = np.bincount(vocabulary.word_counts.indices) == 1
    learned = np.where(is_of_one, 1, 0)[:, None].astype(np.float32)
    after = adapted(vocabulary, before, learned, 1.0)
    factors = after.words / before.words
    assert after.unseen / before.unseen == pytest.approx(factors[is_of_one].mean())
    assert 0 < factors[~is_of_one].max() < 0.01 * factors[is_of_one].min()


def test_nothing_was_learned(vocabulary: Vocabulary) -> None:
    """Then the weights stay as they are."""
    before = by_rarity(vocabulary)
    assert adapted(vocabulary, before, np.zeros((len(before.words), 2), dtype=np.float32), 0.5) is before
