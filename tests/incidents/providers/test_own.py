"""The file that an operator writes by hand."""

from __future__ import annotations

from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.snapshot import Incident, Snapshot

FILE = {
    "incidents": [
        {
            "title": "DNS is slow in <EU>",
            "state": "monitoring",
            "impact": "minor",
            "started_at": "2026-11-23T10:00:00+01:00",
            "components": ["DNS", "DNS", 7],
            "regions": ["EU"],
            "url": "https://status.acme.example/1",
            "updates": [{"at": "2026-11-23T10:05:00+01:00", "state": "monitoring", "body": "1 < 2\nand on"}],
        }
    ],
    "maintenances": [{"title": "Works"}],
}


def parsed(document: object) -> Snapshot:
    """Return the snapshot of a file."""
    return PROVIDERS["own"].parse([document], "here")


def test_is_recognised() -> None:
    """A list of incidents or of maintenances is enough, also an empty one."""
    assert [choose(answer, "here").name for answer in (FILE, {"incidents": []}, {"maintenances": []})] == ["own"] * 3


def test_incident() -> None:
    """An incident has what the operator wrote, and what it means."""
    [incident] = parsed(FILE).incidents
    assert (incident.state, incident.impact, incident.url) == ("monitoring", "minor", "https://status.acme.example/1")
    assert (incident.components, incident.regions) == (("DNS", "7"), ("EU",))


def test_text_is_taken_as_it_stands() -> None:
    """The file is plain text: angle brackets are no tags."""
    [incident] = parsed(FILE).incidents
    assert (incident.title, incident.updates[0].body) == ("DNS is slow in <EU>", "1 < 2\nand on")


def test_title_is_enough() -> None:
    """A title is all that an incident needs: it is under investigation then, a maintenance is to come."""
    snapshot = parsed({"incidents": [{"title": "Down"}], "maintenances": [{"title": "Works"}]})
    assert (snapshot.incidents[0].state, snapshot.maintenances[0].state) == ("investigating", "scheduled")


def test_worst_impact_is_the_overall_one() -> None:
    """Without a word on the whole, the worst incident that is not over counts."""
    incidents = [{"title": "A", "impact": "minor"}, {"title": "B", "impact": "critical", "state": "resolved"}]
    assert parsed({"incidents": incidents}).overall == "minor"


def test_nothing() -> None:
    """An empty list says that all is fine; what says nothing at all is left out."""
    assert parsed({"incidents": [{}, {"title": "  "}, None]}) == Snapshot(overall="none")
    assert Incident("here", "", "") not in parsed({"incidents": [{}]}).incidents
