from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.line.scorer import Float32s, Scorer
from deflect.loop.calibration import Calibration
from deflect.loop.folding import BlockWeights, fold_model, weigh, weigh_as_new
from deflect.loop.solver import Design
from deflect.loop.terms import by_rarity
from deflect.loop.vocabulary import Vocabulary, read_vocabulary
from deflect.loop.word_vectors import WordVectors

#: A repeated word, an empty ticket, other scripts, an accent, a repeated pair, and a word in two tickets.
TEXTS = [
    "dns dns dns is slow",
    "",
    "the CNAME of café.example is wrong, wrong",
    "请求 超时 timeout",
    "H12 H12 H12 H12 slow",
]
WORDS = st.text(st.sampled_from("abcdeé超 "), max_size=30)
TICKETS = st.lists(WORDS, min_size=1, max_size=8)


#: Two words of the tickets, and one that shares n-grams with one of them.
VECTORS = WordVectors.rounded((b"dns", b"wrong", b"wrongly"), np.array([[1, 0], [-1, 2], [3, 1]], dtype=np.float32))
WEIGHTS = BlockWeights(grams=0.7, vectors=0.5)
PLAIN = Calibration(1.0, np.ones(3), np.zeros(3))


def folded(texts: list[str], weights: BlockWeights = WEIGHTS, min_pair_df: int = 1) -> tuple[Scorer, Design, Float32s]:
    """Return a scorer with random learned weights, and the design and weights that it was folded from."""
    vocabulary = read_vocabulary(texts, VECTORS, min_pair_df=min_pair_df)
    terms = by_rarity(vocabulary)
    design = weigh(vocabulary, weights, terms)
    learned = np.random.default_rng(0).normal(size=(design.n_features, 3)).astype(np.float32)
    scorer = fold_model(
        vocabulary, design, learned, weights=weights, terms=terms, categories=("a", "b", "c"), calibration=PLAIN
    )
    return scorer, design, learned


def weighed(vocabulary: Vocabulary, weights: BlockWeights = WEIGHTS) -> Design:
    """Return the features of tickets whose words are weighed by rarity."""
    return weigh(vocabulary, weights, by_rarity(vocabulary))


@pytest.mark.parametrize("grams", [0.0, 0.5, 3.0])
@pytest.mark.parametrize("vectors", [0.0, 2.0])
@pytest.mark.parametrize("min_pair_df", [1, 2])
def test_folding_keeps_margins(grams: float, vectors: float, min_pair_df: int) -> None:
    """The scorer's margins of the training tickets are their features times the weights."""
    scorer, design, weights = folded(TEXTS * 2, BlockWeights(grams, vectors), min_pair_df)
    np.testing.assert_allclose(scorer.margins(TEXTS * 2), design.forward(weights), atol=1e-4)


@given(TICKETS)
def test_folding_keeps_margins_of_any_tickets(texts: list[str]) -> None:
    """The same holds whatever the tickets say."""
    if read_vocabulary(texts, min_pair_df=1).word_hashes.size:
        scorer, design, weights = folded(texts)
        np.testing.assert_allclose(scorer.margins(texts), design.forward(weights), atol=1e-4)


def test_folding_keeps_margins_of_many_tickets() -> None:
    """The same holds in the sparse way of scoring, which begins at 256 tickets."""
    rng = np.random.default_rng(1)
    names = np.array([f"w{i}" for i in range(200)])
    texts = [" ".join(names[rng.integers(200, size=rng.integers(1, 30))]) for _ in range(700)]
    scorer, design, weights = folded(texts, min_pair_df=2)
    np.testing.assert_allclose(scorer.margins(texts), design.forward(weights), atol=1e-4)


def test_folding_keeps_margins_of_a_word_said_a_thousand_times() -> None:
    """Both halves damp counts alike, also above the count where damping ends."""
    texts = ["dns " * 1000 + "slow", "slow page"]
    scorer, design, weights = folded(texts)
    np.testing.assert_allclose(scorer.margins(texts), design.forward(weights), rtol=1e-4)


def squared_lengths(design: Design) -> Float32s:
    """Return the squared length of each ticket's features."""
    blocks = (design.words, design.words @ design.grams, design.pairs)
    return sum(np.asarray(block.multiply(block).sum(axis=1)).ravel() for block in blocks)


def test_tickets_have_unit_features() -> None:
    """Without vectors, a ticket whose words share no n-gram has features of length 1, an empty one of length 0."""
    vocabulary = read_vocabulary(["dns dns off", "", "one"], min_pair_df=1)
    np.testing.assert_allclose(squared_lengths(weighed(vocabulary)), [1, 0, 1], atol=1e-5)


def test_unseen_pairs_are_no_part_of_a_new_ticket() -> None:
    """Weighed as new, a ticket loses the pairs that the seen tickets lack, and has length 1 without them."""
    # Of the last ticket "off dns" is known, beginning with "off" and "off dns" and ending with "cpu"; "dns cpu" and
    # ending with it is not. No word shares an n-gram with another.
    vocabulary = read_vocabulary(["off dns", "cpu", "off dns cpu"], min_pair_df=1)
    design = weighed(vocabulary)
    is_seen = np.array([True, True, False])
    new = weigh_as_new(design.rows(~is_seen), design.rows(is_seen))
    np.testing.assert_allclose(squared_lengths(new), 1, atol=1e-5)
    is_there = new.pairs.toarray()[0] > 0
    assert vocabulary.pair_alike.sizes[is_there].tolist() == [3, 1]


def test_known_pairs_leave_a_new_ticket_as_it_is() -> None:
    """Weighed as new, a ticket whose pairs the seen tickets all have keeps its features."""
    design = weighed(read_vocabulary(["dns cpu dns cpu", "dns cpu"], min_pair_df=1))
    is_seen = np.array([True, False])
    new, old = weigh_as_new(design.rows(~is_seen), design.rows(is_seen)), design.rows(~is_seen)
    np.testing.assert_array_equal(new.words.toarray(), old.words.toarray())
    np.testing.assert_array_equal(new.pairs.toarray(), old.pairs.toarray())


def expected_features(vocabulary: Vocabulary, counts: list[float]) -> list[float]:
    """Return (1 + ln count) * idf of each word, in the order of the vocabulary."""
    return [(1 + np.log(count)) * idf for count, idf in zip(counts, vocabulary.word_idf.tolist(), strict=True)]


def test_words_are_damped_and_weighed_by_idf() -> None:
    """Without n-grams and pairs, a word's feature is (1 + ln count) * idf, over the ticket's norm."""
    vocabulary = read_vocabulary(["dns dns dns slow", "dns"], min_pair_df=3)
    counts = vocabulary.word_counts.toarray()[0].tolist()
    features = np.array(expected_features(vocabulary, counts))
    row = weighed(vocabulary, BlockWeights(0.0, 0.0)).words.toarray()[0]
    np.testing.assert_allclose(row, features / np.linalg.norm(features), rtol=1e-5)


def test_unseen_words_are_put_together_from_their_grams() -> None:
    """A ticket of one unseen word has the margin of the n-grams that it shares with training, weighed as unseen."""
    texts, gram_weight = ["abc", "xyz"], 0.5
    scorer, design, weights = folded(texts, BlockWeights(gram_weight, 0.0))
    vocabulary = read_vocabulary(texts, min_pair_df=1)
    part = design.blocks(weights)
    # "abd" has 10 n-grams; it shares with "abc" those in which neither the last letter nor the end stands.
    shared = read_vocabulary(["abd"], min_pair_df=1).gram_hashes
    is_shared = np.isin(vocabulary.gram_hashes, shared)
    assert is_shared.sum() == 3
    grams = vocabulary.gram_alike.each(part.grams)
    margin = gram_weight * grams[is_shared].sum(axis=0) / np.sqrt(10) / np.sqrt(1 + gram_weight**2)
    np.testing.assert_allclose(
        scorer.margins(["abd"])[0], margin + part.intercept, atol=1e-3
    )  # n-grams have half precision.


def test_a_words_vector_is_weighed_and_divided_by_the_norm() -> None:
    """The vector part of a ticket of one word is its weighed vector over the length of the other features."""
    vocabulary = read_vocabulary(["dns", "cpu"], VECTORS, min_pair_df=2)
    design = weighed(vocabulary, BlockWeights(grams=0.75, vectors=0.5))
    vectors = design.words[:, design.owners] @ design.vectors
    np.testing.assert_allclose(vectors, [[0.5 / 1.25, 0], [0, 0]], atol=0.01)


def test_words_with_a_vector_count_although_training_never_saw_them() -> None:
    """A ticket of one unseen word with a vector has the margin of the vector beside that of its shared n-grams."""
    texts = ["wrong", "dns"]
    scorer, design, learned = folded(texts, BlockWeights(0.75, 0.5))
    part = design.blocks(learned)
    shared = read_vocabulary(["wrongly"], min_pair_df=1).gram_hashes
    vocabulary = read_vocabulary(texts, min_pair_df=1)
    is_shared = np.isin(vocabulary.gram_hashes, shared)
    by_gram = 0.75 * vocabulary.gram_alike.each(part.grams)[is_shared].sum(axis=0) / np.sqrt(len(shared))
    by_vector = 0.5 * VECTORS.rows(np.array([2]))[0] @ part.vectors
    margin = (by_gram + by_vector) / 1.25 + part.intercept
    np.testing.assert_allclose(scorer.margins(["wrongly"])[0], margin, atol=1e-5)


def test_empty_tickets_have_the_intercept() -> None:
    """A ticket without words has the intercept as its margins."""
    scorer, _, weights = folded(TEXTS)
    np.testing.assert_array_equal(scorer.margins(["", "?!"]), np.stack([weights[-1]] * 2))
