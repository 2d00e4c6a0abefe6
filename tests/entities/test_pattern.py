"""A pattern finds here what spaCy's matcher finds with it."""

from __future__ import annotations

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from spacy.matcher import Matcher

from deflect.entities.pattern import Pattern, Text
from deflect.entities.tokenizer import Tokenizer

NLP = spacy.blank("en")
WORDS = ["a", "A", "b", "c", "12", "x.y"]
word = st.sampled_from(WORDS)
wanted = st.one_of(
    word,
    st.lists(word, min_size=1, max_size=3).map(lambda words: {"IN": words}),
    st.lists(word, min_size=1, max_size=3).map(lambda words: {"NOT_IN": words}),
    st.sampled_from(["^[a-b]$", r"\.", "[0-9]", ""]).map(lambda regex: {"REGEX": regex}),
)
token = st.one_of(
    st.tuples(st.sampled_from(["TEXT", "LOWER", "ORTH"]), wanted).map(lambda pair: {pair[0]: pair[1]}),
    st.sampled_from([{"IS_ALPHA": True}, {"LIKE_NUM": True}, {"IS_ALPHA": False, "LOWER": "a"}]),
)
operator = st.sampled_from(["", "", "", "?", "!", "+", "*", "{2}", "{1,2}", "{0,2}", "{,2}", "{1,}"])
tokens = st.lists(
    st.builds(lambda token, op: {**token, "OP": op} if op else token, token, operator), min_size=1, max_size=4
)


@given(tokens, st.lists(word, max_size=12), st.integers(0, 4), st.integers(0, 12))
def test_finds_what_spacy_finds(pattern: list[dict[str, object]], words: list[str], start: int, end: int) -> None:
    """Looking where a pattern may begin leaves nothing out, and adds nothing, in a text or in a part of it."""
    doc, cut = Tokenizer(NLP.vocab).tokens(" ".join(words))
    end = min(end, len(doc))
    matcher = Matcher(NLP.vocab)
    matcher.add("", [pattern])
    expected = {(start + i, start + k) for _, i, k in matcher(doc[start:end])} if start < end else set()
    text = Text(doc, cut, [word.lower() for word in cut], len(doc.text))
    found = Pattern.of(pattern, NLP.vocab).spans(text, min(start, end), end)
    assert {(span.start, span.end) for span in found} == expected


@pytest.mark.parametrize(
    ("operators", "most"), [(["", "?", "!"], 3), (["{2}", "{1,3}", "{,4}"], 9), (["", "*"], None), (["{1,}"], None)]
)
def test_length(operators: list[str], most: int | None) -> None:
    """The most tokens that a pattern covers follow from its operators."""
    pattern = [{"LOWER": "a", "OP": operator} if operator else {"LOWER": "a"} for operator in operators]
    assert Pattern.of(pattern, NLP.vocab).n_tokens == most
