"""The Salesforce Trust API, Heroku's failover."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deflect.errors import NoStatusPageError
from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.snapshot import Snapshot

INSTANCES = [{"key": "HEROKU-EU", "location": "EMEA", "environment": "production", "isActive": True, "Services": []}]
ACTIVE = [
    {
        "id": 20001,
        "message": {"rootCause": None, "actionPlan": "We are <i>on it</i>.", "pathToResolution": None},
        "affectsAll": False,
        "isCore": True,
        "serviceKeys": ["HerokuApps", "CLI", "Dashboard"],
        "instanceKeys": ["HEROKU-EU", "OTHER"],
        "IncidentImpacts": [
            {
                "startTime": "2026-11-23T09:00:00.000Z",
                "endTime": None,
                "severity": "major",
                "type": "serviceDisruption",
            },
            {"startTime": "2026-11-23T08:00:00.000Z", "endTime": "2026-11-23T08:30:00.000Z", "severity": "minor"},
        ],
        "IncidentEvents": [
            {"type": "investigating", "message": "Looking.", "createdAt": "2026-11-23T09:05:00Z", "updatedAt": None}
        ],
        "createdAt": "2026-11-23T09:01:00Z",
        "updatedAt": "2026-11-23T09:10:00Z",
    },
    {"id": 20002, "serviceKeys": ["Sales"], "instanceKeys": ["NA44"], "IncidentImpacts": [{"severity": "major"}]},
]


def parsed(*documents: object) -> Snapshot:
    """Return the snapshot of the answers."""
    return PROVIDERS["salesforce"].parse(documents, "here")


def test_is_recognised() -> None:
    """A list of incidents with instance keys is recognised."""
    assert choose(ACTIVE, "here").name == "salesforce"


def test_only_herokus() -> None:
    """Incidents that touch no instance of Heroku are left out."""
    assert [incident.id for incident in parsed(ACTIVE, INSTANCES).incidents] == ["20001"]


def test_affects_all() -> None:
    """An incident that affects all instances is Heroku's too."""
    assert [i.id for i in parsed([{**ACTIVE[1], "affectsAll": True}], INSTANCES).incidents] == ["20002"]


def test_incident() -> None:
    """An incident has systems by their names at Heroku, regions, and the worst open impact."""
    [incident] = parsed(ACTIVE, INSTANCES).incidents
    assert (incident.components, incident.regions, incident.impact) == (("Apps", "Tools"), ("EMEA",), "major")
    assert incident.url == "https://status.salesforce.com/incidents/20001"
    assert incident.started_at == datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def test_updates() -> None:
    """Events and the explanation are updates; an explanation has no state, so the last event's counts."""
    [incident] = parsed(ACTIVE, INSTANCES).incidents
    assert [update.body for update in incident.updates] == ["Looking.", "We are on it."]
    assert incident.state == "investigating"


def test_closed_impact() -> None:
    """An impact that has ended is none any more."""
    ended = [{"startTime": "2026-11-23T08:00:00Z", "endTime": "2026-11-23T08:30:00Z", "severity": "major"}]
    assert parsed([{**ACTIVE[0], "IncidentImpacts": ended}], INSTANCES).incidents[0].impact == "unknown"


def test_without_instances() -> None:
    """Without the list of instances it is refused: nobody could tell which incidents are Heroku's."""
    with pytest.raises(NoStatusPageError, match="Heroku's instances"):
        parsed(ACTIVE, None)


def test_nothing_on() -> None:
    """An empty list says that nothing is on."""
    assert parsed([], INSTANCES) == Snapshot(overall="none")


def test_maintenances() -> None:
    """Maintenances of Heroku's instances are listed as such."""
    works = [{"id": 1, "name": "Patch", "plannedStartTime": "2026-12-01T00:00:00Z", "instanceKeys": ["HEROKU-EU"]}]
    [maintenance] = parsed([], INSTANCES, works).maintenances
    assert (maintenance.title, maintenance.state) == ("Patch", "scheduled")
