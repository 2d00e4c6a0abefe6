"""What is over, and what is old news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from deflect.incidents.grace import Grace
from deflect.incidents.snapshot import Incident, Snapshot

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GRACE = Grace(NOW, timedelta(minutes=30))
ON = Incident("here", "1", "Down", state="identified")
WORKS = Incident("here", "2", "Works", state="in_progress", kind="maintenance")


def after(fresh: Incident | None = None, before: Incident | None = None, grace: Grace = GRACE) -> tuple[Incident, ...]:
    """Return the incidents after a reading."""
    listed, known = (Snapshot(incidents=() if item is None else (item,)) for item in (fresh, before))
    return grace.apply(listed, known, "here").incidents


def resolved(minutes_ago: int | None) -> Incident:
    """Return an incident that was resolved so long ago."""
    at = None if minutes_ago is None else NOW - timedelta(minutes=minutes_ago)
    return Incident("here", "1", "Down", state="resolved", resolved_at=at)


def test_still_on() -> None:
    """What is listed and on stays as it is."""
    assert after(ON, ON) == (ON,)


def test_gone() -> None:
    """What was on and is listed no longer is resolved since now."""
    [incident] = after(None, ON)
    assert (incident.state, incident.resolved_at) == ("resolved", NOW)


def test_gone_long_ago() -> None:
    """What is over goes after the grace time, listed or not."""
    assert [len(after(*pair)) for pair in ((None, resolved(29)), (None, resolved(31)))] == [1, 0]
    assert [len(after(*pair)) for pair in ((resolved(29), None), (resolved(31), None))] == [1, 0]


def test_over_since_when() -> None:
    """What is over since nobody knows when is left out."""
    assert after(resolved(None)) == ()


def test_another_source() -> None:
    """What another source said is not missed here: that source no longer counts."""
    assert after(None, Incident("elsewhere", "1", "Down", state="identified")) == ()


def test_maintenance_gone() -> None:
    """A maintenance that was under way and is gone is completed."""
    [works] = GRACE.apply(Snapshot(), Snapshot(maintenances=(WORKS,)), "here").maintenances
    assert (works.state, works.resolved_at) == ("completed", NOW)


def test_maintenance_called_off() -> None:
    """A maintenance that was to come and is gone was called off."""
    planned = Incident("here", "2", "Works", state="scheduled", kind="maintenance")
    assert GRACE.apply(Snapshot(), Snapshot(maintenances=(planned,)), "here").maintenances == ()


def test_old_news() -> None:
    """An entry of a feed that tells no state is current for a day."""
    grace = Grace(NOW, timedelta(minutes=30), lists_news=True)
    news = [Incident("here", "1", "Hello", updated_at=NOW - timedelta(hours=hours)) for hours in (23, 25)]
    assert [len(after(item, None, grace)) for item in news] == [1, 0]
    assert len(after(news[1])) == 1
