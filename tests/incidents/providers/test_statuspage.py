"""Atlassian Statuspage v2 and Rootly."""

from __future__ import annotations

import copy
from datetime import UTC, datetime

from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.snapshot import Incident, Snapshot

SUMMARY = {
    "page": {"id": "p1", "name": "Acme", "url": "https://status.acme.example", "updated_at": "2026-11-23T10:10:00Z"},
    "status": {"indicator": "major", "description": "Partial System Outage"},
    "components": [{"id": "c1", "name": "DNS", "status": "partial_outage", "group": False}],
    "incidents": [
        {
            "id": "x0ljvc9m1wxj",
            "name": "DNS look-ups fail",
            "status": "identified",
            "impact": "major",
            "shortlink": "https://stspg.example/1",
            "created_at": "2026-11-23T10:00:00.123+01:00",
            "started_at": "2026-11-23T09:55:00+01:00",
            "updated_at": "2026-11-23T10:30:00+01:00",
            "resolved_at": None,
            "components": [{"id": "c1", "name": "DNS"}],
            "incident_updates": [
                {"status": "identified", "body": "Found it.<br>A fix follows.", "display_at": "2026-11-23T09:30:00Z"},
                {
                    "status": "investigating",
                    "body": "We <b>look</b> into it &amp; report.",
                    "created_at": "2026-11-23T09:00:00Z",
                    "affected_components": None,
                },
            ],
        }
    ],
    "scheduled_maintenances": [
        {
            "id": "m1",
            "name": "New routers",
            "status": "scheduled",
            "impact": "maintenance",
            "scheduled_for": "2026-11-30T01:00:00Z",
            "scheduled_until": "2026-11-30T03:00:00Z",
            "created_at": "2026-11-20T08:00:00Z",
            "incident_updates": [],
        }
    ],
}


def parsed(document: object) -> Snapshot:
    """Return the snapshot of an answer."""
    return PROVIDERS["statuspage"].parse([document], "here")


def the_incident(**changes: object) -> Incident:
    """Return the incident of the summary, after changes to it."""
    summary = copy.deepcopy(SUMMARY)
    summary["incidents"][0].update(changes)  # type: ignore[index, union-attr]
    return parsed(summary).incidents[0]


def test_is_recognised() -> None:
    """A summary is recognised as Statuspage's."""
    assert choose(SUMMARY, "here").name == "statuspage"


def test_overall() -> None:
    """The page's own indicator is the overall impact."""
    assert parsed(SUMMARY).overall == "major"


def test_incident() -> None:
    """An incident has what the page says of it."""
    incident = the_incident()
    assert (incident.id, incident.title, incident.state, incident.impact) == (
        "x0ljvc9m1wxj",
        "DNS look-ups fail",
        "identified",
        "major",
    )
    assert incident.started_at == datetime(2026, 11, 23, 8, 55, tzinfo=UTC)
    assert (incident.components, incident.url) == (("DNS",), "https://stspg.example/1")


def test_updates_are_sorted_and_plain() -> None:
    """Updates come oldest first, without markup, though the page lists them newest first."""
    assert [update.body for update in the_incident().updates] == [
        "We look into it & report.",
        "Found it.\nA fix follows.",
    ]


def test_maintenance() -> None:
    """A scheduled maintenance is no incident, and begins when it is scheduled for."""
    [maintenance] = parsed(SUMMARY).maintenances
    assert (maintenance.kind, maintenance.state, maintenance.impact) == ("maintenance", "scheduled", "maintenance")
    assert maintenance.started_at == datetime(2026, 11, 30, 1, 0, tzinfo=UTC)


def test_maintenance_among_incidents() -> None:
    """incidents.json lists maintenances among the incidents; they are told apart."""
    answer = {"page": {}, "incidents": [{"name": "Works", "status": "in_progress", "impact": "maintenance"}]}
    assert [item.title for item in parsed(answer).maintenances] == ["Works"]


def test_resolved() -> None:
    """A resolved incident is over."""
    assert the_incident(status="resolved", resolved_at="2026-11-23T11:00:00Z").is_over


def test_permalink_is_made_up() -> None:
    """Without a short link, the incident's address follows from the page's."""
    assert the_incident(shortlink=None).url == "https://status.acme.example/incidents/x0ljvc9m1wxj"


def test_script_is_no_link() -> None:
    """A link that is neither http nor https is left out."""
    assert the_incident(shortlink="javascript:alert(1)", id="a b").url == ""


def test_components_of_updates() -> None:
    """Where an incident names no components, those of its updates count."""
    updates = [{"body": "Down.", "affected_components": [{"code": "c1", "name": "API"}, None, "Web"]}]
    assert the_incident(components=None, incident_updates=updates).components == ("API", "Web")


def test_nulls_everywhere() -> None:
    """An incident of which only the name is left is still shown."""
    nothing = dict.fromkeys(SUMMARY["incidents"][0])  # type: ignore[arg-type, index, call-overload]
    incident = the_incident(**{**nothing, "name": "Down"})
    assert (incident.title, incident.state, incident.updates) == ("Down", "unknown", ())


def test_wrong_types() -> None:
    """Values of wrong types read as missing ones."""
    incident = the_incident(components="DNS", incident_updates={"a": 1}, started_at=[1], impact=3, updated_at=True)
    assert (incident.components, incident.updates, incident.impact) == ((), (), "unknown")


def test_other_language() -> None:
    """Text in any script stays as it is."""
    assert the_incident(name="Störung: 接続できません עברית").title == "Störung: 接続できません עברית"


def test_many_incidents() -> None:
    """Three hundred incidents are read, newest first."""
    many = [{"name": f"No. {i}", "started_at": f"2026-01-01T00:{i % 60:02}:{i // 60:02}Z"} for i in range(300)]
    snapshot = parsed({"page": {}, "incidents": many})
    times = [incident.started_at for incident in snapshot.incidents]
    assert len(times) == 300
    assert times == sorted(times, reverse=True)  # type: ignore[type-var]


def test_more_than_people_read() -> None:
    """Of a list without end, as much is read as a person would."""
    assert len(parsed({"page": {}, "incidents": [{"name": str(i)} for i in range(3000)]}).incidents) == 500


def test_components_alone() -> None:
    """A page without incidents and indicator is as bad as its worst component; some send no more."""
    answer = {"page": {}, "components": [{"status": "operational"}, {"status": "major_outage"}]}
    assert parsed(answer).overall == "critical"


def test_rootly() -> None:
    """Rootly's status.json has the same shape, with other names for some keys."""
    answer = {
        "page": {"name": "Acme", "url": "https://status.acme.example", "time_zone": "America/Los_Angeles"},
        "status": {"indicator": "minor", "description": "Degraded"},
        "incidents": [
            {"id": 7, "title": "Slow", "status": "monitoring", "updates": [{"message": "Better.", "status": "x"}]}
        ],
    }
    snapshot = PROVIDERS["rootly"].parse([answer], "here")
    [incident] = snapshot.incidents
    assert (snapshot.overall, incident.title, incident.state, incident.id) == ("minor", "Slow", "monitoring", "7")
    assert incident.updates[0].body == "Better."
