"""Whom an incident concerns: the rule of levels, by words, components, regions and time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.incidents.relevance import LEVELS, REACHES, Reach, index, level, look, reach, speaks_of, ticket_stems
from deflect.incidents.snapshot import IMPACTS, Impact, Incident, Update
from deflect.incidents.touched import CATEGORY_WORDS
from deflect.line.banner import Customer

NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)
HOUR = timedelta(hours=1)
INCIDENT = Incident(
    "page", "1", "Custom domains do not resolve", "identified", "major", components=("DNS",), regions=("EU",)
)


def rarity(words: Sequence[str]) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Rate words of up to three letters as common and all others as half as rare as an unseen one."""
    return np.array([0.1 if len(word) <= 3 else 0.5 for word in words])


def reached(customer: Customer, *, is_about: bool = False, has_text: bool = True) -> Reach:
    """Return how the incident reaches a customer."""
    return reach(INCIDENT, customer, is_about=is_about, has_text=has_text)


@pytest.mark.parametrize(
    ("customer", "expected"),
    [
        (Customer(), "unrelated"),
        (Customer(("DNS",)), "component"),
        (Customer(("dns - custom domains",)), "component"),
        (Customer(("Postgres",)), "elsewhere"),
        (Customer((), ("eu-west-1",)), "component"),
        (Customer((), ("Europe",)), "component"),
        (Customer((), ("us",)), "elsewhere"),
        (Customer(("DNS",), ("us",)), "elsewhere"),
        (Customer(("Postgres",), ("eu",)), "elsewhere"),
    ],
    ids=str,
)
def test_reach(customer: Customer, expected: Reach) -> None:
    """Components and regions reach by whole words of their names; one that is known and another is elsewhere."""
    assert reached(customer) == expected


def test_reach_by_words() -> None:
    """A ticket that speaks of an incident is reached whatever components are listed, but not from another region."""
    customers = Customer(), Customer(("Postgres",)), Customer((), ("us",))
    assert [reached(customer, is_about=True) for customer in customers] == ["words", "words", "elsewhere"]


def test_reach_before_anything_is_typed() -> None:
    """Before anything is typed, nobody can tell what the ticket will be about."""
    assert reached(Customer(), has_text=False) == "untold"


def test_an_incident_everywhere() -> None:
    """An incident whose regions are global reaches every region."""
    everywhere = replace(INCIDENT, regions=("Global",))
    assert reach(everywhere, Customer((), ("us",)), is_about=False, has_text=True) == "component"


@pytest.mark.parametrize(
    ("text", "is_about"),
    [
        ("our custom domains fail", True),
        ("Custom DOMAIN gone, does not resolve", True),
        ("the domain", False),
        ("we do not do that", False),
        ("", False),
    ],
)
def test_speaks_of(text: str, *, is_about: bool) -> None:
    """A ticket speaks of an incident where it shares rare words with it, in any inflection; common ones say nothing."""
    assert speaks_of(ticket_stems(text), index(INCIDENT, rarity, CATEGORY_WORDS)) is is_about


def test_updates_count_half() -> None:
    """A word of an update counts half of one of the title, and what every incident says counts nothing."""
    incident = replace(
        INCIDENT, updates=(Update(NOW, "identified", "We are investigating the authoritative servers."),)
    )
    weights = index(incident, rarity, CATEGORY_WORDS).weights
    assert (weights["custom"], weights["author"], weights.get("invest")) == (0.5, 0.25, None)


@pytest.mark.parametrize("impact", IMPACTS)
def test_nearer_is_never_quieter(impact: Impact) -> None:
    """The nearer an incident is to a ticket, the louder it is told, or the same."""
    order = ("nothing", "quiet", "banner")
    incident = replace(INCIDENT, impact=impact)
    loudness = [order.index(level(incident, near, at=NOW, grace=HOUR)) for near in REACHES]
    assert loudness == sorted(loudness, reverse=True)


def test_worse_is_never_quieter() -> None:
    """The worse an incident is, the louder it is told, or the same."""
    order = ("nothing", "quiet", "banner")
    rows = [[order.index(cell) for cell in LEVELS[name]] for name in ("critical", "major", "minor", "none")]
    assert rows == sorted(rows, reverse=True)


def test_look_of_the_resolved() -> None:
    """A resolved incident is told for the grace time, to the second, and then no more; one without a time never is."""
    ended = replace(INCIDENT, state="resolved", resolved_at=NOW - HOUR)
    later = NOW + timedelta(seconds=1)
    assert [look(ended, at=at, grace=HOUR) for at in (NOW, later)] == ["resolved", "silent"]
    assert look(replace(ended, resolved_at=None), at=NOW, grace=HOUR) == "silent"


@pytest.mark.parametrize(
    ("state", "hours", "expected"),
    [
        ("scheduled", 25, "silent"),
        ("scheduled", 24, "scheduled"),
        ("scheduled", 0, "maintenance"),
        ("in_progress", -1, "maintenance"),
        ("completed", -1, "silent"),
    ],
)
def test_look_of_maintenance(state: str, hours: int, expected: str) -> None:
    """A maintenance is announced a day before, is on from its time, and is no news once it is over."""
    planned = Incident("page", "1", "Restart", state, "maintenance", "maintenance", started_at=NOW + hours * HOUR)
    assert look(planned, at=NOW, grace=HOUR) == expected


@given(st.text(), st.text(), st.lists(st.text(), max_size=3), st.text())
def test_any_text(title: str, body: str, names: list[str], ticket: str) -> None:
    """No text of a status page, ticket or customer is too odd to be compared."""
    incident = Incident(
        "page", "1", title, components=tuple(names), regions=tuple(names), updates=(Update(None, "unknown", body),)
    )
    speaks_of(ticket_stems(ticket), index(incident, rarity, CATEGORY_WORDS))
    assert reach(incident, Customer((ticket,), (ticket,)), is_about=False, has_text=True) in REACHES
