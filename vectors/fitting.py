"""Fits word vectors so that their sum over a sentence comes close to what the encoder says of the whole sentence.

The start is the encoder's vector of each word alone, in the directions in which sentences differ most. Ridge regression
with that start as its prior then moves the vectors of words that the corpus has; a word that it lacks keeps its start.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix

from deflect.line.scorer import Float32s
from deflect.loop.folding import BlockWeights, weigh
from deflect.loop.terms import by_rarity
from deflect.loop.vocabulary import read_vocabulary
from deflect.loop.word_vectors import WordVectors
from vectors.encoder import Encodings


def fit_vectors(
    words: Sequence[str],
    of_words: Encodings,
    sentences: Sequence[str],
    of_sentences: Encodings,
    *,
    n_dims: int,
    ridge: float,
) -> Float32s:
    """Return the vectors of words, (n_words, n_dims)."""
    goal = of_sentences.astype(np.float32)
    directions = principal_directions(goal, n_dims)
    goal = (goal - goal.mean(axis=0)) @ directions
    start = of_words.astype(np.float32)
    start = (start - start.mean(axis=0)) @ directions
    shares = word_shares(words, sentences)
    # The sum of the words' own vectors is not as long as the sentence's: one factor for all of them.
    sums = shares @ start
    start *= (sums * goal).sum() / np.maximum((sums * sums).sum(), 1e-12)
    return start + solve_ridge(shares, goal - shares @ start, ridge)


def principal_directions(points: Float32s, n_dims: int) -> Float32s:
    """Return the orthogonal directions in which points differ most, (n, n_dims); the greatest first."""
    centred = points - points.mean(axis=0)
    _, directions = np.linalg.eigh(centred.T @ centred)
    return np.ascontiguousarray(directions[:, ::-1][:, :n_dims])


def word_shares(words: Sequence[str], sentences: Sequence[str]) -> csr_matrix:
    """Return what each word counts in each sentence, (n_sentences, n_words): as in the features of a ticket."""
    vocabulary = read_vocabulary(sentences, min_pair_df=2)
    design = weigh(vocabulary, BlockWeights(grams=1.0, vectors=0.0), by_rarity(vocabulary))
    known = WordVectors.rounded(tuple(word.encode() for word in words), np.zeros((len(words), 1), dtype=np.float32))
    places = known.places(vocabulary.word_hashes)
    found = np.flatnonzero(places < len(words))
    shape = (len(places), len(words))
    chosen = csr_matrix((np.ones(len(found), dtype=np.float32), (found, places[found])), shape=shape)
    return csr_matrix(design.words @ chosen)


def solve_ridge(shares: csr_matrix, goal: Float32s, ridge: float, *, n_steps: int = 25, tol: float = 1e-3) -> Float32s:
    """Return the X with the least |shares @ X - goal|^2 + ridge |X|^2: conjugate gradients."""
    across = shares.T.tocsr()
    solution = np.zeros((shares.shape[1], goal.shape[1]), dtype=np.float32)
    residual = across @ goal
    direction = residual.copy()
    square = first = (residual * residual).sum(axis=0)
    for _ in range(n_steps):
        product = across @ (shares @ direction) + ridge * direction
        length = square / np.maximum((direction * product).sum(axis=0), 1e-30)
        solution += length * direction
        residual -= length * product
        before, square = square, (residual * residual).sum(axis=0)
        if (square < tol**2 * first).all():
            break
        direction = residual + (square / np.maximum(before, 1e-30)) * direction
    return solution
