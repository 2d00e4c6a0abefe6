"""N-grams of words, and those that the same words have."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deflect.loop.spelling import gram_matrix, merged

WORDS = st.lists(st.text("abß", min_size=1, max_size=6).map(str.encode), min_size=1, max_size=8, unique=True)


def test_rows_of_words() -> None:
    """A word's row has a share for each of its n-grams, twice for one that stands in it twice."""
    _, grams = gram_matrix([b"abc", b"aaaa"])
    np.testing.assert_allclose(grams[0].data, np.full(10, 1 / np.sqrt(10)), rtol=1e-6)
    # "aaaa" with its edges has 5 + 4 + 3 + 2 n-grams; "aa" thrice, "aaa" twice.
    assert sorted(np.round(grams[1].data * np.sqrt(14)).astype(int)) == [1] * 9 + [2, 3]


@given(WORDS)
def test_merged_features_are_the_same(words: list[bytes]) -> None:
    """Whatever is learned of groups, each of their n-grams has a weight that scores the same and weighs the same."""
    _, grams = gram_matrix(words)
    alike, groups = merged(grams)
    learned = np.random.default_rng(0).normal(size=(groups.shape[1], 2)).astype(np.float32)
    each = alike.each(learned)
    np.testing.assert_allclose(groups @ learned, grams @ each, atol=1e-5)
    np.testing.assert_allclose((learned**2).sum(axis=0), (each**2).sum(axis=0), rtol=1e-4)


@given(WORDS)
def test_groups_are_those_of_the_same_words(words: list[bytes]) -> None:
    """Two n-grams are in one group exactly where every word has both equally often."""
    _, grams = gram_matrix(words)
    alike, _ = merged(grams)
    columns = [tuple(column) for column in grams.toarray().T.tolist()]
    for column, group in zip(columns, alike.groups.tolist(), strict=True):
        assert alike.sizes[group] == columns.count(column)
    assert len(set(columns)) == len(alike.sizes) == len(set(alike.groups.tolist()))


def test_groups_of_most_words_come_first() -> None:
    """The order of groups is that of how many words have them."""
    _, groups = merged(gram_matrix([b"dns", b"dnssec", b"cpu", b"cpus"])[1])
    n_words = np.diff(groups.tocsc().indptr)
    assert n_words.tolist() == sorted(n_words.tolist(), reverse=True)
