"""N-grams of words."""

from __future__ import annotations

import numpy as np

from deflect.loop.spelling import gram_matrix


def test_rows_of_words() -> None:
    """A word's row has a share for each of its n-grams, twice for one that stands in it twice."""
    _, grams = gram_matrix([b"abc", b"aaaa"])
    np.testing.assert_allclose(grams[0].data, np.full(10, 1 / np.sqrt(10)), rtol=1e-6)
    # "aaaa" with its edges has 5 + 4 + 3 + 2 n-grams; "aa" thrice, "aaa" twice.
    assert sorted(np.round(grams[1].data * np.sqrt(14)).astype(int)) == [1] * 9 + [2, 3]
