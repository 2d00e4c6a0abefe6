from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.loop.counts import Counts

TICKET = st.lists(st.integers(0, 12), max_size=9)
CHUNKS = st.lists(st.lists(TICKET, max_size=4), max_size=6)

Chunks = list[list[list[int]]]


def counted(chunks: Chunks) -> Counts:
    """Return the counts of chunks of tickets, each a list of hashes."""
    counts = Counts()
    for chunk in chunks:
        tickets = np.repeat(np.arange(len(chunk)), [len(ticket) for ticket in chunk])
        hashes = np.array([number for ticket in chunk for number in ticket], dtype=np.uint64)
        counts.add(hashes, tickets, len(chunk))
    return counts


@pytest.mark.parametrize("least_merged", [1, 5, 1 << 20])
@given(chunks=CHUNKS, min_df=st.integers(1, 3))
def test_counts(chunks: Chunks, min_df: int, least_merged: int) -> None:
    """The matrix is what a plain count gives, however the tickets are cut and whenever hashes are merged."""
    tickets = [Counter(ticket) for chunk in chunks for ticket in chunk]
    n_with = Counter(number for ticket in tickets for number in ticket)
    kept = sorted(number for number, n in n_with.items() if n >= min_df)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("deflect.loop.counts._LEAST_MERGED", least_merged)
        hashes, matrix = counted(chunks).matrix(min_df)
    assert hashes.tolist() == kept
    assert matrix.toarray().tolist() == [[ticket[number] for number in kept] for ticket in tickets]


@pytest.mark.parametrize(("most", "kept"), [(4, [1, 2, 3, 4]), (3, [2, 3]), (2, [2, 3]), (1, []), (0, [])])
def test_at_most(most: int, kept: list[int]) -> None:
    """Where there are too many hashes, all that as few tickets have as the first that must go, go with it."""
    chunks = [[[1, 2, 3], [2, 2, 3, 4]], [[3, 2]]]
    assert counted(chunks).matrix(1, most)[0].tolist() == kept


def test_many_in_one_ticket() -> None:
    """A ticket as long as any that is read is counted to the last word."""
    assert counted([[[7] * 40_000]]).matrix(1)[1].data.tolist() == [40_000]


def test_rows_are_sorted() -> None:
    """A ticket's hashes come in order, so that equal archives give equal sums."""
    _, matrix = counted([[[9, 1, 5, 1]], [[5, 9, 3], []]]).matrix(1)
    assert matrix.indices.tolist() == [0, 2, 3, 1, 2, 3]
    assert matrix.indptr.tolist() == [0, 3, 6, 6]
