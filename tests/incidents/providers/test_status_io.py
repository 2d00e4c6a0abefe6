"""Status.io."""

from __future__ import annotations

import pytest

from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.snapshot import Snapshot

ANSWER = {
    "result": {
        "status_overall": {"updated": "2026-11-23T10:00:00Z", "status": "Partial", "status_code": 400},
        "status": [{"id": "1", "name": "API", "status": "Operational", "status_code": 100}],
        "incidents": [
            {
                "_id": "5d1",
                "name": "Delays",
                "datetime_open": "2026-11-23T09:00:00.000Z",
                "messages": [
                    {"details": "Found.", "state": 200, "status": 300, "datetime": "2026-11-23T09:30:00.000Z"},
                    {"details": "Looking.", "state": 100, "status": 400, "datetime": "2026-11-23T09:05:00.000Z"},
                ],
                "components_affected": [{"_id": "c", "name": "Logs"}],
                "containers_affected": [{"_id": "r", "name": "EU-West"}],
            }
        ],
        "maintenance": {
            "active": [{"_id": "m1", "name": "Now", "datetime_planned_start": "2026-11-23T08:00:00Z"}],
            "upcoming": [{"_id": "m2", "name": "Later", "datetime_planned_start": "2026-12-23T08:00:00Z"}],
        },
    }
}


def parsed(document: object) -> Snapshot:
    """Return the snapshot of an answer."""
    return PROVIDERS["status.io"].parse([document], "here")


def test_is_recognised() -> None:
    """A result with an overall status is recognised."""
    assert choose(ANSWER, "here").name == "status.io"


def test_incident() -> None:
    """Components stay components, containers are regions; the latest message tells the state, the worst the impact."""
    [incident] = parsed(ANSWER).incidents
    assert (incident.state, incident.impact) == ("identified", "major")
    assert (incident.components, incident.regions) == (("Logs",), ("EU-West",))


def test_maintenances() -> None:
    """A maintenance is under way or to come by the list that it stands in."""
    assert {item.title: item.state for item in parsed(ANSWER).maintenances} == {
        "Now": "in_progress",
        "Later": "scheduled",
    }


@pytest.mark.parametrize(
    ("code", "overall"),
    [(100, "none"), (200, "maintenance"), (300, "minor"), (400, "major"), (500, "critical"), (600, "critical")],
)
def test_overall(code: int, overall: str) -> None:
    """Each status code means an impact."""
    assert parsed({"result": {"status_overall": {"status_code": code}}}).overall == overall


def test_no_maintenance() -> None:
    """An empty list stands where the maintenances are missing."""
    assert parsed({"result": {"status_overall": {"status_code": 100}, "maintenance": []}}) == Snapshot(overall="none")
