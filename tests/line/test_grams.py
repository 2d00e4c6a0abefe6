"""Character n-grams of words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.line.grams import GRAM_LENGTHS, gram_hashes, gram_share
from deflect.line.hashing import PrefixHash

EDGE = "\1"
WORDS = st.lists(st.text(st.sampled_from("abcéß中ж\U00010348"), min_size=1, max_size=30), max_size=6)
LONG_WORDS = st.lists(st.text(st.sampled_from("aé中\U00010348"), min_size=50, max_size=90), min_size=1, max_size=3)


def grams_by_definition(word: str) -> list[str]:
    """Return the n-grams of a word with an edge on either side; of a long one, up to one character past 64 bytes."""
    begins = np.cumsum([0, *(len(character.encode()) for character in word)])[:-1]
    padded = (EDGE + word + EDGE)[: int((begins < 64).sum()) + 2]
    return [padded[i : i + n] for n in GRAM_LENGTHS for i in range(len(padded) - n + 1)]


def hash_of(text: str) -> int:
    """Return the hash of a text."""
    raw = np.frombuffer(text.encode(), dtype=np.uint8)
    return int(PrefixHash(raw)(np.array([0]), np.array([len(raw)]))[0])


def grams_of(words: Sequence[str]) -> list[Counter[int]]:
    """Return how often each word has each hash of an n-gram."""
    raw = [word.encode() for word in words]
    buffer = np.frombuffer(b"\1" + b"\1".join(raw) + b"\1", dtype=np.uint8)
    sizes = np.array([len(word) for word in raw], dtype=np.int64)
    ends = np.cumsum(sizes + 1)
    begins, hashes = gram_hashes(buffer, PrefixHash(buffer), ends - sizes, ends)
    return [Counter(hashes[start:end].tolist()) for start, end in pairwise(begins.tolist())]


def test_the_definition() -> None:
    """The n-grams of "dns" are its runs of 2 to 5 characters, the edges before and behind it counted."""
    grams = ["_d", "dn", "ns", "s_", "_dn", "dns", "ns_", "_dns", "dns_", "_dns_"]
    assert [gram.replace(EDGE, "_") for gram in grams_by_definition("dns")] == grams


@pytest.mark.parametrize("word", ["a", "é", "中", "dns", "anana", "größe", "домен", "\U00010348\U00010348", "x" * 64])
def test_a_word(word: str) -> None:
    """A word's n-grams are those of the definition, as often as it has them, in characters and not in bytes."""
    assert grams_of([word]) == [Counter(map(hash_of, grams_by_definition(word)))]


@given(WORDS)
def test_words(words: list[str]) -> None:
    """The n-grams of a word do not depend on the words around it."""
    assert grams_of(words) == [Counter(map(hash_of, grams_by_definition(word))) for word in words]


@given(LONG_WORDS)
def test_long_words(words: list[str]) -> None:
    """A long word has the n-grams of its first 64 bytes and the character behind them, which is never cut in two."""
    assert grams_of(words) == [Counter(map(hash_of, grams_by_definition(word))) for word in words]


@pytest.mark.parametrize("word", ["x" * 5_000_000, "é" * 1_000_000])
def test_a_very_long_word(word: str) -> None:
    """A word of megabytes has no more n-grams than one of 65 characters."""
    assert sum(grams_of([word])[0].values()) <= 4 * 66


def test_no_words() -> None:
    """No words have no n-grams."""
    assert grams_of([]) == []


def test_shares() -> None:
    """A word's share is one over the root of the number of its n-grams; without any it is 1."""
    assert gram_share(np.array([0, 4, 4, 5])).tolist() == [0.5, 1.0, 1.0]
