"""Instatus."""

from __future__ import annotations

from datetime import UTC, datetime

from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.snapshot import Snapshot

ANSWER = {
    "page": {"name": "Acme", "url": "https://status.acme.example", "status": "HASISSUES"},
    "activeIncidents": [
        {
            "name": {"default": "API errors", "de": "API-Fehler"},
            "started": "Sat Jun 11 2022 18:55:50 GMT+0000 (Coordinated Universal Time)",
            "status": "IDENTIFIED",
            "impact": "MAJOROUTAGE",
            "url": "https://status.acme.example/incident/cl4a8n",
        }
    ],
    "activeMaintenances": [
        {"name": "Works", "start": "2026-12-01T00:00:00Z", "status": "NOTSTARTEDYET", "duration": "60", "url": None}
    ],
}


def parsed(document: object) -> Snapshot:
    """Return the snapshot of an answer."""
    return PROVIDERS["instatus"].parse([document], "here")


def test_is_recognised() -> None:
    """Active incidents are recognised as Instatus', and so is a page that is up."""
    answers = (ANSWER, {"page": {"name": "Acme", "url": "x", "status": "UP"}})
    assert [choose(answer, "here").name for answer in answers] == ["instatus", "instatus"]


def test_incident() -> None:
    """An incident has its default name, and its impact on the common scale."""
    [incident] = parsed(ANSWER).incidents
    assert (incident.title, incident.state, incident.impact) == ("API errors", "identified", "critical")


def test_time_of_javascript() -> None:
    """A time as JavaScript prints it is read."""
    assert parsed(ANSWER).incidents[0].started_at == datetime(2022, 6, 11, 18, 55, 50, tzinfo=UTC)


def test_overall() -> None:
    """The words "has issues" are as bad as the worst incident."""
    assert parsed(ANSWER).overall == "critical"


def test_issues_without_incident() -> None:
    """The words "has issues" without an incident are minor: no more is known."""
    assert parsed({"page": {"status": "HASISSUES"}}).overall == "minor"


def test_maintenance() -> None:
    """A maintenance that has not begun is scheduled."""
    assert [item.state for item in parsed(ANSWER).maintenances] == ["scheduled"]
