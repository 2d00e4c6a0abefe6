"""Entity patterns of a playbook: what is wrong with them, said without spaCy, and that spaCy takes the rest."""

from __future__ import annotations

import tomllib

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.matcher import Matcher

from deflect.entities.extractor import PATTERNS, Extractor
from deflect.errors import PlaybookError
from deflect.line.entity_patterns import read_pattern
from deflect.line.playbook import parse_playbook
from deflect.line.toml_table import TomlTable

HEAD = 'format = 1\n[categories.dns]\nowner = "x"\nreviewed_on = 2026-11-01\nlead = "x"\n'
LABEL = "[[entities]]\nlabel = 'order'\n"


def faults(text: str) -> tuple[str, ...]:
    """Return the faults of a playbook with some entities."""
    with pytest.raises(PlaybookError) as caught:
        parse_playbook(HEAD + text)
    return caught.value.faults


def test_patterns_are_kept() -> None:
    """The tables reach the playbook as they are."""
    playbook = parse_playbook(HEAD + LABEL + "pattern = [{ LOWER = 'order' }, { LENGTH = { '>=' = 3 }, OP = '{1,2}' }]")
    assert playbook.entities == (
        {"label": "order", "pattern": [{"LOWER": "order"}, {"LENGTH": {">=": 3}, "OP": "{1,2}"}]},
    )


def test_no_patterns() -> None:
    """A playbook needs none."""
    assert parse_playbook(HEAD).entities == ()


def test_own_pages() -> None:
    """The hosts of a playbook's pages are no broken domain, whether an article or a tool has them."""
    text = (
        HEAD
        + '[categories.dns.tool]\nname = "x"\nurl = "https://check.acme.example/{domain}"\nparameters = ["domain"]\n'
    )
    text += '[[categories.dns.articles]]\ntitle = "x"\nsummary = "x"\nurl = "https://help.acme.example/a"\n'
    extractor = Extractor(parse_playbook(text).patterns)
    words = "help.acme.example https://check.acme.example/x acme.example shop.acme.example"
    assert [entity.value for entity in extractor.extract(words, ["domain"])] == ["acme.example", "shop.acme.example"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[entities]\nx = 1", "entities must be a list of tables, each headed [[entities]], got a table"),
        ("[[entities]]\npattern = 'x'", "entities[0].label must be a text that is not empty, got nothing"),
        (
            "[[entities]]\nlabel = 'Order!'\npattern = 'x'",
            "entities[0].label must be a name like order_id, got 'Order!'",
        ),
        (LABEL, "entities[0].pattern must be a text that is not empty or a list of tokens, got nothing"),
        (LABEL + "pattern = ' '", "entities[0].pattern must be a text that is not empty or a list of tokens, got ' '"),
        (LABEL + "pattern = []", "entities[0].pattern must be a text that is not empty or a list of tokens, got []"),
        (
            LABEL + "pattern = ['x']",
            "entities[0].pattern must be a list of tables, each headed [[entities[0].pattern]], got ['x']",
        ),
        (LABEL + "pattern = 'x'\nid = 'y'", "entities[0].id must be one of the keys label, pattern, got 'id'"),
        (
            LABEL + "pattern = [{ LOWER = 3 }]",
            "entities[0].pattern[0].LOWER must be a text or a table like { IN = [...] }, got 3",
        ),
        (
            LABEL + "pattern = [{ LOWER = {} }]",
            "entities[0].pattern[0].LOWER must be a text or a table like { IN = [...] }, got a table",
        ),
        (
            LABEL + "pattern = [{ LENGTH = true }]",
            "entities[0].pattern[0].LENGTH must be a number from 0 or a table like { IN = [...] }, got true",
        ),
        (LABEL + "pattern = [{ IS_DIGIT = 1 }]", "entities[0].pattern[0].IS_DIGIT must be true or false, got 1"),
        (
            LABEL + "pattern = [{ TEXT = { REGEX = '(' } }]",
            "entities[0].pattern[0].TEXT.REGEX must be a regular expression, got '('",
        ),
        (
            LABEL + "pattern = [{ TEXT = { IN = 'x' } }]",
            "entities[0].pattern[0].TEXT.IN must be a list, each a text, got 'x'",
        ),
        (
            LABEL + "pattern = [{ LENGTH = { IN = ['x'] } }]",
            "entities[0].pattern[0].LENGTH.IN must be a list, each a number from 0, got ['x']",
        ),
        (
            LABEL + "pattern = [{ LENGTH = { '>' = 'x' } }]",
            "entities[0].pattern[0].LENGTH.'>' must be a number from 0, got 'x'",
        ),
        (
            LABEL + "pattern = [{ OP = '{3,1}' }]",
            "entities[0].pattern[0].OP must be one of ! ? + * {n} {n,m} {n,} {,m}, with numbers below 100, got '{3,1}'",
        ),
        (
            LABEL + "pattern = [{ OP = '{,}' }]",
            "entities[0].pattern[0].OP must be one of ! ? + * {n} {n,m} {n,} {,m}, with numbers below 100, got '{,}'",
        ),
    ],
)
def test_one_fault(text: str, fault: str) -> None:
    """A fault is reported alone, with its place, what must be there and what is."""
    assert faults(text) == (fault,)


def test_parts_of_speech_need_a_model() -> None:
    """What only a trained pipeline knows is refused, with what is accepted."""
    (fault,) = faults(LABEL + "pattern = [{ POS = 'NOUN' }]")
    assert fault.startswith("entities[0].pattern[0].POS must be one of the keys ORTH, TEXT, LOWER, ")


def test_all_faults_at_once() -> None:
    """Faults of entities and of categories stand in one error."""
    assert len(faults("mode = 'x'\n" + LABEL + "pattern = [{ OP = 'x' }, { LOWER = 1 }]\n[[entities]]\n")) == 5


def test_our_own_patterns() -> None:
    """The package's own patterns are what a playbook may have."""
    found: list[str] = []
    for i, table in enumerate(tomllib.loads(PATTERNS.read_text("utf-8"))["entities"]):
        read_pattern(TomlTable(table, f"entities[{i}]", found))
    assert found == []


STRINGS = st.sampled_from(["x", "a.b", "^h", "(", "é", ""])
VALUES = st.one_of(
    STRINGS,
    st.integers(-2, 9),
    st.booleans(),
    st.lists(STRINGS | st.integers(0, 3), max_size=2),
    st.dictionaries(
        st.sampled_from(["REGEX", "IN", "NOT_IN", "FUZZY", "FUZZY2", ">=", "==", "x"]),
        STRINGS | st.lists(STRINGS, max_size=2) | st.integers(0, 3) | st.lists(st.integers(0, 3), max_size=2),
        max_size=2,
    ),
)
KEYS = st.sampled_from(
    ["ORTH", "TEXT", "LOWER", "NORM", "SHAPE", "LENGTH", "IS_DIGIT", "LIKE_NUM", "IS_STOP", "SPACY", "POS"]
)
OPERATORS = st.sampled_from(["!", "?", "+", "*", "{2}", "{1,2}", "{,2}", "{1,}", "{2,1}", "x"])
TOKENS = st.builds(
    lambda token, operator: token | operator,
    st.dictionaries(KEYS, VALUES, max_size=2),
    st.just({}) | st.builds(lambda value: {"OP": value}, OPERATORS),
)


NLP = spacy.blank("en")


@settings(max_examples=300)
@given(pattern=st.lists(TOKENS, min_size=1, max_size=3))
def test_spacy_takes_what_we_take(pattern: list[dict[str, object]]) -> None:
    """What has no fault is understood by spaCy, and finds something or nothing in a text without an error."""
    found: list[str] = []
    read_pattern(TomlTable({"label": "order", "pattern": pattern}, "entities[0]", found))
    if not found:
        matcher = Matcher(NLP.vocab, validate=True)
        matcher.add("order", [pattern])
        matcher(NLP("x a.b 3 Hello, é!"))
