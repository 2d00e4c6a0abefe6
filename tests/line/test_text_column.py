"""Tickets in one stretch of memory: they are the texts that they were made of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.line import text as text_module
from deflect.line.text import chunks, joined
from deflect.line.text_column import TICKET_END, TextColumn

#: What a column can hold; half characters cannot be UTF-8.
TEXTS = st.lists(st.text(st.characters(codec="utf-8") | st.sampled_from("aé\0 "), max_size=12), max_size=9)


def column(texts: list[str]) -> TextColumn:
    """Lay texts out in one stretch, with something before and behind them."""
    parts = [text.encode() + TICKET_END for text in ("before", *texts, "behind")]
    edges = np.cumsum([len(part) for part in parts])
    return TextColumn(memoryview(b"".join(parts)), edges[: len(texts) + 1])


@given(texts=TEXTS, start=st.integers(-3, 12), stop=st.integers(-3, 12))
def test_it_is_a_sequence_of_texts(texts: list[str], start: int, stop: int) -> None:
    """Its length, items and slices are those of the list."""
    whole = column(texts)
    assert list(whole) == [whole[i] for i in range(len(whole))] == texts
    assert [whole[-i] for i in range(1, len(texts) + 1)] == texts[::-1]
    assert list(whole[start:stop]) == texts[start:stop]
    with pytest.raises(IndexError):
        whole[len(texts)]


def test_steps_are_refused() -> None:
    """A slice with gaps would not be one stretch."""
    with pytest.raises(ValueError, match=r"in one piece\. Got the step 2"):
        column(["a", "b", "c"])[::2]


@given(texts=TEXTS)
def test_it_is_joined_as_a_list_is(texts: list[str]) -> None:
    """A column and a list are the same bytes, also where tickets hold NUL or are too long."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "MAX_CHARACTERS", 10)
        patch.setattr(text_module, "_TAIL_CHARACTERS", 4)
        assert joined(column(texts)) == joined(texts)


@given(texts=TEXTS)
def test_its_chunks_are_all_of_it(texts: list[str]) -> None:
    """Chunks follow one another without a gap."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "_CHUNK_CHARACTERS", 5)
        assert [text for chunk in chunks(column(texts)) for text in chunk] == texts


def test_first_bytes() -> None:
    """The first byte of a ticket is known without reading it; an empty one has its end."""
    assert column(["ab", "", "é"]).first_bytes.tolist() == [ord("a"), 0, "é".encode()[0]]
