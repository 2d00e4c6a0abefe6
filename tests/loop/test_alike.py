"""Features that nothing tells apart are learned as one."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.sparse import csr_matrix

from deflect.line.scorer import Float32s
from deflect.loop.alike import merged

#: Tickets and what they have of terms, with many columns that are the same, and some that are empty.
TABLES = st.tuples(st.integers(1, 4), st.integers(0, 12)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=st.sampled_from([0, 0, 1, 2, 0.5]))
)


@given(TABLES)
def test_merged_features_are_the_same(table: Float32s) -> None:
    """Whatever is learned of groups, each of their features has a weight that scores the same and weighs the same."""
    alike, groups = merged(csr_matrix(table))
    learned = np.random.default_rng(0).normal(size=(groups.shape[1], 2)).astype(np.float32)
    each = alike.each(learned)
    np.testing.assert_allclose(groups.multiply(alike.lengths) @ learned, table @ each, atol=1e-5)
    np.testing.assert_allclose((learned**2).sum(axis=0), (each**2).sum(axis=0), rtol=1e-4)


@given(TABLES)
def test_groups_are_those_of_the_same_rows(table: Float32s) -> None:
    """Two features are in one group exactly where every row has as much of both, and the group has that much too."""
    alike, groups = merged(csr_matrix(table))
    columns = [tuple(column) for column in table.T.tolist()]
    assert [tuple(column) for column in groups.toarray().T[alike.groups].tolist()] == columns
    for column, group in zip(columns, alike.groups.tolist(), strict=True):
        assert alike.sizes[group] == columns.count(column)
    assert len(set(columns)) == len(alike.sizes) == len(set(alike.groups.tolist()))


def test_groups_of_most_rows_come_first() -> None:
    """The order of groups is that of how many rows have them, and then that of their first features."""
    table = np.array([[0, 1, 0, 1, 1, 1], [1, 1, 0, 0, 1, 0]], dtype=np.float32)
    alike, groups = merged(csr_matrix(table))
    assert groups.toarray().tolist() == [[1, 0, 1, 0], [1, 1, 0, 0]]
    assert alike.groups.tolist() == [1, 0, 3, 2, 0, 2]


def test_many_features_are_told_apart() -> None:
    """Half a million features that differ in one ticket alone stay apart."""
    n = 500_000
    rng = np.random.default_rng(0)
    begins = 2 * np.arange(n + 1)
    places = np.stack((rng.integers(1000, size=n), 1000 + np.arange(n) % 1000), axis=1)
    keys = places[:, 0] * 1000 + places[:, 1]
    columns = csr_matrix((np.ones(2 * n, dtype=np.float32), places.ravel(), begins), shape=(n, 2000)).T.tocsr()
    assert len(merged(columns)[0].sizes) == len(np.unique(keys))
