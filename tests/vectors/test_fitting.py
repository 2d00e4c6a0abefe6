from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_matrix, random_array

from vectors.fitting import fit_vectors, principal_directions, solve_ridge, word_shares


def test_ridge_is_solved() -> None:
    """Conjugate gradients find what the normal equations say."""
    rng = np.random.default_rng(0)
    shares = csr_matrix(random_array((60, 12), density=0.3, rng=rng, dtype=np.float32))
    goal = rng.normal(size=(60, 4)).astype(np.float32)
    dense = shares.toarray()
    exact = np.linalg.solve(dense.T @ dense + 0.7 * np.eye(12), dense.T @ goal)
    np.testing.assert_allclose(solve_ridge(shares, goal, 0.7, n_steps=60, tol=1e-6), exact, atol=1e-4)


def test_principal_directions_come_in_order() -> None:
    """Along each direction points differ less than along the one before it."""
    points = np.random.default_rng(1).normal(size=(500, 5)) @ np.diag([1, 5, 2, 0.1, 3])
    spread = (points @ principal_directions(points.astype(np.float32), 3)).std(axis=0)
    np.testing.assert_allclose(spread, [5, 3, 2], rtol=0.2)


def test_shares_are_those_of_a_tickets_features() -> None:
    """A word counts 1 + ln(count) times its idf over the norm, in which are its n-grams and known pairs, too."""
    shares = word_shares(["dns", "cpu"], ["dns dns dns", "dns"]).toarray()
    # Both sentences begin with "dns", and end with it.
    assert shares[1].tolist() == pytest.approx([1 / np.sqrt(2 + 2), 0])
    thrice = 1 + np.log(3)
    assert shares[0].tolist() == pytest.approx([thrice / np.sqrt(2 * thrice**2 + 2), 0])


def test_a_words_vector_moves_to_what_its_sentences_say() -> None:
    """Fitted vectors come closer to the sentences than the words' own; a word without a sentence keeps its own."""
    rng = np.random.default_rng(2)
    words = [f"word{i}" for i in range(30)]
    texts = [" ".join(rng.choice(words[:29], 5)) for _ in range(400)]
    truth = rng.normal(size=(30, 6))
    said = np.array([sum(truth[words.index(word)] for word in set(text.split())) for text in texts]) / 3
    own = truth + rng.normal(size=(30, 6))
    encodings = own.astype(np.float16), said.astype(np.float16)
    loose, tight = (
        fit_vectors(words, encodings[0], texts, encodings[1], n_dims=6, ridge=ridge) for ridge in (0.01, 1e6)
    )
    shares, goal = word_shares(words, texts), said - said.mean(axis=0)
    axes = principal_directions(said.astype(np.float32), 6)
    missed = [np.linalg.norm(shares @ vectors - goal @ axes) for vectors in (loose, tight)]
    assert missed[0] < 0.3 * missed[1]
    np.testing.assert_allclose(loose[29], tight[29], rtol=1e-3)
