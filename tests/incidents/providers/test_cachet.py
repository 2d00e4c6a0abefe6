"""Cachet 1 and 2, and Cachet 3."""

from __future__ import annotations

from datetime import UTC, datetime

from deflect.incidents.providers import PROVIDERS, choose

COMPONENTS_1 = {
    "meta": {"pagination": {"total": 2}},
    "data": [
        {"id": 1, "name": "API", "status": 3, "status_name": "Partial Outage"},
        {"id": 2, "name": "Web", "status": "1", "status_name": "Operational"},
    ],
}
INCIDENTS_1 = {
    "data": [
        {
            "id": 5,
            "component_id": 1,
            "name": "Errors",
            "status": 1,
            "visible": 1,
            "message": "We <em>look</em>.",
            "created_at": "2026-11-23 10:00:00",
            "updated_at": "2026-11-23 10:20:00",
            "human_status": "Investigating",
            "latest_status": 2,
            "permalink": "https://status.acme.example/incidents/5",
            "updates": [
                {"status": 2, "message": "Found.", "created_at": "2026-11-23 10:20:00", "human_status": "Identified"}
            ],
        },
        {"id": 6, "name": "Hidden", "status": 1, "visible": 0, "human_status": "Investigating"},
        {
            "id": 7,
            "name": "Works",
            "status": 0,
            "visible": 1,
            "scheduled_at": "2026-12-01 00:00:00",
            "human_status": "Scheduled",
        },
    ]
}
INCIDENTS_3 = {
    "data": [
        {
            "id": "9",
            "type": "incidents",
            "attributes": {
                "id": 9,
                "guid": "f00",
                "name": "Slow",
                "message": "**Slow** answers",
                "visible": True,
                "stickied": False,
                "status": {"human": "Watching", "value": 3},
                "occurred": {"human": "1 hour ago", "string": "2026-11-23 09:00:00"},
                "created": {"human": "1 hour ago", "string": "2026-11-23 09:01:00"},
                "updated": {"human": "now", "string": "2026-11-23 10:00:00"},
            },
            "relationships": {
                "components": {"data": [{"id": "1", "type": "components"}]},
                "updates": {"data": [{"id": "4", "type": "updates"}, {"id": "404", "type": "updates"}]},
            },
        }
    ],
    "included": [
        {
            "id": "1",
            "type": "components",
            "attributes": {"name": "Search", "status": {"value": 2, "human": "Performance issues"}},
        },
        {
            "id": "4",
            "type": "updates",
            "attributes": {
                "message": "Better.",
                "status": {"value": 3},
                "created": {"string": "2026-11-23 09:30:00"},
            },
        },
    ],
}


def test_1_is_recognised() -> None:
    """Incidents and components of Cachet 1 are recognised."""
    assert [choose(answer, "here").name for answer in (INCIDENTS_1, COMPONENTS_1)] == ["cachet", "cachet"]


def test_1_incident() -> None:
    """Numbers become words, and the component's name comes from the other answer."""
    snapshot = PROVIDERS["cachet"].parse([INCIDENTS_1, COMPONENTS_1], "here")
    [incident] = snapshot.incidents
    assert (incident.state, incident.impact, incident.components) == ("identified", "major", ("API",))
    assert [(update.state, update.body) for update in incident.updates] == [
        ("investigating", "We look."),
        ("identified", "Found."),
    ]
    assert snapshot.overall == "major"


def test_1_time_without_zone() -> None:
    """A time without a zone is taken as UTC."""
    [incident] = PROVIDERS["cachet"].parse([INCIDENTS_1], "here").incidents
    assert incident.started_at == datetime(2026, 11, 23, 10, 0, tzinfo=UTC)


def test_1_without_components() -> None:
    """Without the components, the incident has none, and the rest stays."""
    [incident] = PROVIDERS["cachet"].parse([INCIDENTS_1, None], "here").incidents
    assert (incident.title, incident.components) == ("Errors", ())


def test_1_maintenance() -> None:
    """What is scheduled is a maintenance; what is hidden is left out."""
    [maintenance] = PROVIDERS["cachet"].parse([INCIDENTS_1], "here").maintenances
    assert (maintenance.title, maintenance.state) == ("Works", "scheduled")


def test_1_odd_visibility() -> None:
    """A value that cannot be one hides nothing and breaks nothing."""
    answer = {"data": [{"name": "A", "human_status": "x", "visible": []}]}
    assert len(PROVIDERS["cachet"].parse([answer], "here").incidents) == 1


def test_3_is_recognised() -> None:
    """Incidents of Cachet 3 are recognised."""
    assert choose(INCIDENTS_3, "here").name == "cachet3"


def test_3_incident() -> None:
    """An incident of Cachet 3 has the included components and updates; a missing one is left out."""
    [incident] = PROVIDERS["cachet3"].parse([INCIDENTS_3], "here").incidents
    assert (incident.id, incident.state, incident.impact) == ("9", "monitoring", "minor")
    assert incident.components == ("Search",)
    assert [update.body for update in incident.updates] == ["**Slow** answers", "Better."]
    assert incident.started_at == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
