"""Checking playbooks: what is missing on either side, and what is stale."""

from __future__ import annotations

from datetime import date

import pytest

from deflect.errors import ParameterError
from deflect.line.playbook import Entry, Playbook
from deflect.line.playbook_check import StaleReview, check_playbook

TODAY = date(2026, 11, 23)


def playbook_of(**reviews: date) -> Playbook:
    """Return a playbook with one entry for each review, and out_of_scope other."""
    entries = {category: Entry(category, "auto", "us", day, "Hello.") for category, day in reviews.items()}
    return Playbook(entries, "other", "")


def test_a_fine_playbook() -> None:
    """A playbook that has an entry for every category but the out-of-scope one is fine."""
    check = check_playbook(playbook_of(dns=TODAY), ["dns", "other"], today=TODAY)
    assert (check.is_fine, check.without_entry, check.without_category, check.stale) == (True, (), (), ())


def test_without_entry_and_without_category() -> None:
    """What only one side knows is listed; the out-of-scope category needs no entry, but a category."""
    check = check_playbook(playbook_of(dns=TODAY, tls=TODAY), ["tls", "memory", "email"], today=TODAY)
    assert (check.is_fine, check.without_entry) == (False, ("email", "memory"))
    assert check.without_category == ("dns", "other")


def test_stale_reviews() -> None:
    """A review is stale when it is older than max_age_days, and not on the day it reaches that age."""
    playbook = playbook_of(dns=date(2026, 5, 27), tls=date(2026, 5, 26))
    check = check_playbook(playbook, ["dns", "tls", "other"], today=TODAY, max_age_days=180)
    assert check.stale == (StaleReview("tls", date(2026, 5, 26)),)
    assert not check.is_fine


def test_negative_age() -> None:
    """A negative max_age_days is refused."""
    with pytest.raises(ParameterError, match=r"max_age_days must be 0 or more. Got -1 instead."):
        check_playbook(playbook_of(), [], today=TODAY, max_age_days=-1)
