"""Zendesk's own status API."""

from __future__ import annotations

from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.snapshot import Snapshot

ACTIVE = {
    "data": [
        {
            "id": "247",
            "type": "incident",
            "attributes": {
                "degradation": False,
                "impact": "major",
                "outage": True,
                "postmortem": "",
                "resolved_at": None,
                "started_at": "2026-11-23T10:00:00.000Z",
                "status": "investigating",
                "title": "Tickets do not open",
            },
            "relationships": {
                "incident_updates": {"data": [{"id": "7", "type": "incident_update"}]},
                "incident_services": {"data": [{"id": "3", "type": "incident_service"}]},
            },
        }
    ],
    "included": [
        {
            "id": "7",
            "type": "incident_update",
            "attributes": {"created_at": "2026-11-23T10:05:00Z", "description": "So."},
        },
        {
            "id": "3",
            "type": "incident_service",
            "attributes": {"outage": True},
            "relationships": {"service": {"data": {"id": "2", "type": "service"}}},
        },
        {"id": "2", "type": "service", "attributes": {"name": "Support", "slug": "support"}},
    ],
}
WORKS = {"data": [{"id": "8", "type": "incident", "attributes": {"title": "Works", "outage": False}}]}


def test_is_recognised() -> None:
    """An incident that says whether it is an outage is recognised."""
    assert choose(ACTIVE, "here").name == "zendesk"


def test_incident() -> None:
    """An incident has its services, two relationships away, and its updates."""
    [incident] = PROVIDERS["zendesk"].parse([ACTIVE], "here").incidents
    assert (incident.title, incident.state, incident.impact) == ("Tickets do not open", "investigating", "major")
    assert (incident.components, incident.updates[0].body) == (("Support",), "So.")


def test_maintenance() -> None:
    """What the second answer lists are maintenances."""
    [maintenance] = PROVIDERS["zendesk"].parse([{"data": []}, WORKS], "here").maintenances
    assert (maintenance.title, maintenance.state) == ("Works", "scheduled")


def test_single_incident() -> None:
    """Data that is one object, as in the documentation, is read like a list of one."""
    [incident] = PROVIDERS["zendesk"].parse([{"data": ACTIVE["data"][0]}], "here").incidents
    assert incident.id == "247"


def test_nothing_on() -> None:
    """Empty data says that nothing is on."""
    assert PROVIDERS["zendesk"].parse([{"data": [], "included": []}, None], "here") == Snapshot(overall="none")
