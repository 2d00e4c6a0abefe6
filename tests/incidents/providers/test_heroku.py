"""Heroku's status API, v4 and v3."""

from __future__ import annotations

from datetime import UTC, datetime

from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.snapshot import Snapshot

V4 = {
    "status": [{"system": "Apps", "status": "red"}, {"system": "Data", "status": "green"}, {"system": "Tools"}],
    "incidents": [
        {
            "title": "Routing errors",
            "created_at": "2026-11-23T10:00:00.000Z",
            "full_url": "https://status.heroku.com/incidents/2000",
            "updates": [
                {"update_type": "monitoring", "updated_at": "2026-11-23T10:40:00Z", "contents": "A fix is out."},
                {"update_type": "issue", "updated_at": "2026-11-23T10:05:00Z", "contents": "We see H99."},
            ],
        }
    ],
    "scheduled": [{"id": 9, "title": "Postgres upgrade", "scheduled_for": "2026-12-01T00:00:00Z"}],
}
V3 = {
    "status": {"Production": "yellow", "Development": "green"},
    "issues": [{"id": 1, "title": "API slow", "resolved": False, "created_at": "2014-01-01T00:00:00Z", "updates": []}],
}


def parsed(document: object) -> Snapshot:
    """Return the snapshot of an answer."""
    return PROVIDERS["heroku"].parse([document], "here")


def test_both_are_recognised() -> None:
    """Version 4 and version 3 are recognised as Heroku's."""
    assert [choose(answer, "here").name for answer in (V4, V3)] == ["heroku", "heroku"]


def test_colours() -> None:
    """The worst colour of a system is the overall impact."""
    assert parsed(V4).overall == "major"


def test_state_is_that_of_the_latest_update() -> None:
    """An incident without a state has that of its latest update, though it stands first."""
    assert parsed(V4).incidents[0].state == "monitoring"


def test_incident() -> None:
    """An incident has its title, permalink and updates, oldest first."""
    [incident] = parsed(V4).incidents
    assert (incident.title, incident.url) == ("Routing errors", "https://status.heroku.com/incidents/2000")
    assert [update.body for update in incident.updates] == ["We see H99.", "A fix is out."]
    assert incident.updated_at == datetime(2026, 11, 23, 10, 40, tzinfo=UTC)


def test_single_incident_has_the_coloured_systems() -> None:
    """Of a single incident, the systems that are not green are the components."""
    assert parsed(V4).incidents[0].components == ("Apps",)


def test_several_incidents_have_none() -> None:
    """Of several incidents nobody knows which touches which system."""
    assert [i.components for i in parsed({**V4, "incidents": [{"title": "A"}, {"title": "B"}]}).incidents] == [(), ()]


def test_scheduled() -> None:
    """What is scheduled is a maintenance."""
    [maintenance] = parsed(V4).maintenances
    assert (maintenance.id, maintenance.state, maintenance.kind) == ("9", "scheduled", "maintenance")


def test_an_id_is_made_up() -> None:
    """An incident without an id gets one that stays the same."""
    first, second = (parsed(V4).incidents[0].id for _ in range(2))
    assert first == second != ""


def test_version_3() -> None:
    """Version 3, which is retired, is read too."""
    snapshot = parsed(V3)
    assert (snapshot.overall, snapshot.incidents[0].title, snapshot.incidents[0].is_over) == (
        "minor",
        "API slow",
        False,
    )


def test_version_3_resolved() -> None:
    """A resolved issue of version 3 is over."""
    assert parsed({**V3, "issues": [{"title": "API slow", "resolved": True}]}).incidents[0].is_over
