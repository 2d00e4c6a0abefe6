"""What stands in a ticket beside its words."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_phrases import hash_of_phrase, phrases_of

from deflect.line.hashing import PrefixHash, UInt64s
from deflect.line.phrases import find_phrases, spelled
from deflect.line.text import find_words

TICKETS = st.lists(st.lists(st.sampled_from(["dns", "is", "slow"]), max_size=5), max_size=5)


def hash_of(word: str) -> UInt64s:
    """Return the hash of a word that stands alone."""
    words = find_words([word])
    return PrefixHash(words.buffer)(words.starts, words.ends)


@given(TICKETS)
def test_the_definition(tickets: list[list[str]]) -> None:
    """Each ticket has its words and phrases, in whatever company; all other places are empty."""
    found = find_words([" ".join(ticket) for ticket in tickets])
    phrases = find_phrases(found, PrefixHash(found.buffer)(found.starts, found.ends))
    is_there = np.ones(len(phrases.hashes), dtype=bool)
    is_there[phrases.empty] = False
    for i, ticket in enumerate(tickets):
        part = slice(phrases.begins[i], phrases.begins[i + 1])
        expected = [
            hash_of_phrase(phrase, hash_of)[0] for phrase in [*((word,) for word in ticket), *phrases_of(ticket)]
        ]
        assert sorted(phrases.hashes[part][is_there[part]]) == sorted(expected)
    assert phrases.hashes[phrases.words].tolist() == [hash_of(word)[0] for ticket in tickets for word in ticket]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "Why is É slow?",
            ["why is …", "why …", "why", "why is", "is", "is e", "e", "e slow", "slow", "… slow", "… e slow"],
        ),
        ("slow page", ["slow page …", "slow …", "slow", "slow page", "page", "… page", "… slow page"]),
        ("slow", ["slow …", "slow", "… slow"]),
        ("…", []),
    ],
)
def test_spelled(text: str, names: list[str]) -> None:
    """A place is spelled as the words that stand there; dots show where the rest of the ticket is."""
    words = find_words([text])
    phrases = find_phrases(words, PrefixHash(words.buffer)(words.starts, words.ends))
    there = np.setdiff1d(np.arange(len(phrases.hashes)), phrases.empty)
    assert spelled(words, there) == names
