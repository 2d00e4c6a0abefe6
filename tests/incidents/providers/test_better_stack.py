"""Better Stack."""

from __future__ import annotations

from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.snapshot import Snapshot

ANSWER = {
    "data": {
        "id": "165",
        "type": "status_page",
        "attributes": {"company_name": "Acme", "aggregate_state": "degraded"},
        "relationships": {"status_reports": {"data": [{"id": "70", "type": "status_report"}]}},
    },
    "included": [
        {"id": "1", "type": "status_page_resource", "attributes": {"public_name": "Shop", "status": "degraded"}},
        {
            "id": "70",
            "type": "status_report",
            "attributes": {
                "title": "Slow shop",
                "report_type": "manual",
                "starts_at": "2026-11-23T10:00:00.000Z",
                "ends_at": None,
                "affected_resources": [{"status_page_resource_id": "1", "status": "downtime"}],
            },
            "relationships": {"status_updates": {"data": [{"id": "8", "type": "status_update"}]}},
        },
        {
            "id": "8",
            "type": "status_update",
            "attributes": {"message": "<p>We are on it.</p>", "published_at": "2026-11-23T10:05:00Z"},
        },
        {
            "id": "71",
            "type": "status_report",
            "attributes": {"title": "Works", "report_type": "maintenance", "ends_at": "2026-12-01T02:00:00Z"},
        },
        {"id": "72", "type": "status_report", "attributes": {"title": "Old", "ends_at": "2026-11-01T02:00:00Z"}},
    ],
}


def parsed(document: object) -> Snapshot:
    """Return the snapshot of an answer."""
    return PROVIDERS["better_stack"].parse([document], "here")


def test_is_recognised() -> None:
    """A page with an aggregate state is recognised."""
    assert choose(ANSWER, "here").name == "better_stack"


def test_incident() -> None:
    """A report is an incident with the names of its resources, and its updates in plain text."""
    incident = next(incident for incident in parsed(ANSWER).incidents if incident.id == "70")
    assert (incident.title, incident.state, incident.impact) == ("Slow shop", "investigating", "major")
    assert (incident.components, incident.updates[0].body) == (("Shop",), "We are on it.")


def test_ended_report() -> None:
    """A report with an end is over."""
    assert [incident.title for incident in parsed(ANSWER).incidents if incident.is_over] == ["Old"]


def test_maintenance() -> None:
    """A maintenance's planned end does not mean that it is over."""
    [maintenance] = parsed(ANSWER).maintenances
    assert (maintenance.title, maintenance.state, maintenance.is_over) == ("Works", "scheduled", False)


def test_overall() -> None:
    """The aggregate state is the overall impact."""
    assert parsed(ANSWER).overall == "minor"
