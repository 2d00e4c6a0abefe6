from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deflect.line.decision import REASONS, Rule, _has_word, most_probable
from deflect.line.playbook import parse_playbook
from deflect.line.text_column import TextColumn
from deflect.line.thresholds import ScopeLimit, Threshold, Thresholds

CATEGORIES = ("always", "auto", "never", "nobody", "other", "silent")
PLAYBOOK = parse_playbook(
    'format = 1\nout_of_scope = "other"\n'
    + "".join(
        f'[categories.{name}]\nmode = "{mode}"\nowner = "us"\nreviewed_on = 2026-11-23\nlead = "Look here."\n'
        for name, mode in {"always": "always", "auto": "auto", "never": "never", "silent": "auto"}.items()
    )
)


def promise(category: str) -> Threshold:
    """Return a promise at 0.8, for one category none."""
    return Threshold(category, None if category == "silent" else 0.8, 0.9, 0.95, 100, 60, 58, 0.9, 29)


LIMIT = ScopeLimit(-0.5, 0.02, 0.95, 400, 3, 100, 40)
RULE = Rule(Thresholds("category", CATEGORIES, tuple(map(promise, CATEGORIES)), LIMIT), PLAYBOOK)


@pytest.mark.parametrize(
    ("category", "below", "above", "outside"),
    [
        ("always", "confident", "confident", "confident"),
        ("auto", "below_threshold", "confident", "out_of_scope"),
        ("never", "category_off", "category_off", "category_off"),
        ("nobody", "no_playbook_entry", "no_playbook_entry", "no_playbook_entry"),
        ("other", "out_of_scope", "out_of_scope", "out_of_scope"),
        ("silent", "below_threshold", "below_threshold", "out_of_scope"),
    ],
)
def test_reasons(category: str, below: str, above: str, outside: str) -> None:
    """The playbook's mode, the threshold and the scope limit, which count as reached when met, give the reason."""
    number = CATEGORIES.index(category)
    assert RULE.reason("a ticket", number, 0.79, -0.5) == below
    assert RULE.reason("a ticket", number, 0.8, -0.5) == above
    assert RULE.reason("a ticket", number, 1.0, -0.51) == outside
    assert RULE.reason("?!", number, 1.0, 1.0) == "too_short"


def test_without_a_scope_limit_nothing_is_outside() -> None:
    """Where no limit could be fitted, the threshold alone decides."""
    rule = Rule(Thresholds("category", CATEGORIES, tuple(map(promise, CATEGORIES))), PLAYBOOK)
    assert rule.reason("a ticket", CATEGORIES.index("auto"), 0.8, -9.0) == "confident"


TICKETS = st.tuples(
    st.sampled_from(["a", "", "_", "?", "é", "…", "? 1"]),
    st.integers(0, 5),
    st.floats(0, 1),
    st.floats(-1, 0, width=32),
)


@given(st.lists(TICKETS, max_size=20))
def test_many_are_decided_as_each(tickets: list[tuple[str, int, float, float]]) -> None:
    """Many tickets get the reasons that each alone gets, in a list or in a column."""
    texts, categories, probabilities, scope = ([ticket[i] for ticket in tickets] for i in range(4))
    closed = [f"{text}\0".encode() for text in texts]
    column = TextColumn(memoryview(b"".join(closed)), np.cumsum([0, *map(len, closed)]))
    for many in (texts, column):
        numbers = RULE.reasons(
            many, np.array(categories, dtype=np.int32), np.array(probabilities), np.array(scope, dtype=np.float32)
        )
        assert [REASONS[i] for i in numbers] == [RULE.reason(*ticket) for ticket in tickets]


@given(arrays(np.float64, st.tuples(st.integers(0, 9), st.integers(1, 6)), elements=st.sampled_from([0.0, 0.25, 0.5])))
def test_most_probable(probabilities: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> None:
    """The three largest come in order, of equal ones the first: as a stable sort has them."""
    order, named = most_probable(probabilities)
    wanted = np.argsort(-probabilities, axis=1, kind="stable")[:, :3]
    assert order.tolist() == wanted.tolist()
    assert named.tolist() == np.take_along_axis(probabilities, wanted, axis=1).tolist()


@given(st.text(st.characters()))
def test_a_word_is_what_has_a_letter_or_number(text: str) -> None:
    """Every character that str.isalnum knows makes a word, and no other."""
    assert bool(_has_word(text)) == any(character.isalnum() for character in text)
