"""incident.io: the public widget and API v2."""

from __future__ import annotations

from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.snapshot import Snapshot

WIDGET = {
    "page_title": "Acme Status",
    "page_url": "https://status.acme.example",
    "ongoing_incidents": [
        {
            "id": "01A",
            "name": "Log-in fails",
            "url": "https://status.acme.example/incidents/01A",
            "status": "monitoring",
            "last_update_at": "2026-11-23T10:00:00Z",
            "last_update_message": "A fix is <strong>out</strong>.",
            "current_worst_impact": "full_outage",
            "affected_components": [{"id": "c", "name": "Log-in", "group_name": "Web"}],
        }
    ],
    "in_progress_maintenances": [{"id": "01B", "name": "Works", "status": "maintenance_in_progress"}],
    "scheduled_maintenances": [
        {"id": "01C", "name": "More works", "status": "maintenance_scheduled", "starts_at": "2026-12-01T00:00:00Z"}
    ],
}
API = {
    "status_page_incidents": [
        {
            "id": "01D",
            "name": "Slow API",
            "status": "investigating",
            "published_at": "2026-11-23T09:00:00.801578Z",
            "status_page_id": "p",
            "updates": [
                {
                    "id": "u",
                    "message": "Looking.",
                    "incident_status": "investigating",
                    "published_at": "2026-11-23T09:00:00Z",
                }
            ],
            "component_impacts": [
                {"component_id": "01G", "component_status": "degraded_performance", "start_at": "2026-11-23T09:00:00Z"}
            ],
        }
    ]
}


def parsed(document: object) -> Snapshot:
    """Return the snapshot of an answer."""
    return PROVIDERS["incident.io"].parse([document], "here")


def test_both_are_recognised() -> None:
    """The widget and the API are recognised, and so is a bare list of the API's incidents."""
    answers = (WIDGET, API, {"incidents": API["status_page_incidents"]}, API["status_page_incidents"])
    assert {choose(answer, "here").name for answer in answers} == {"incident.io"}


def test_widget_incident() -> None:
    """An incident of the widget has its worst impact, components and last update."""
    [incident] = parsed(WIDGET).incidents
    assert (incident.state, incident.impact, incident.components) == ("monitoring", "critical", ("Log-in",))
    assert incident.updates[0].body == "A fix is out."


def test_widget_maintenances() -> None:
    """Maintenances of the widget are under way or to come."""
    assert {item.title: item.state for item in parsed(WIDGET).maintenances} == {
        "Works": "in_progress",
        "More works": "scheduled",
    }


def test_widget_alone() -> None:
    """A single incident of the widget is read too."""
    assert [incident.id for incident in parsed(WIDGET["ongoing_incidents"][0]).incidents] == ["01A"]


def test_quiet_widget() -> None:
    """A widget with empty lists says that nothing is on."""
    assert parsed({"ongoing_incidents": [], "in_progress_maintenances": []}) == Snapshot(overall="none")


def test_api_incident() -> None:
    """An incident of the API has the worst status of its components."""
    [incident] = parsed(API).incidents
    assert (incident.title, incident.impact, incident.updates[0].state) == ("Slow API", "minor", "investigating")
