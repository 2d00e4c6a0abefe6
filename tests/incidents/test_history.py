"""Past incidents from a file: every shape that is accepted, and what is said about the others."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from deflect.errors import TrainingDataError
from deflect.incidents.history import read_history
from deflect.loop.incident_windows import IncidentWindow

START, END = datetime(2026, 11, 1, 10, tzinfo=UTC), datetime(2026, 11, 1, 11, 30, tzinfo=UTC)
OWN = {
    "title": "DNS fails",
    "impact": "major",
    "started_at": "2026-11-01T10:00:00Z",
    "resolved_at": "2026-11-01T11:30:00Z",
}


def written(folder: Path, content: object) -> Path:
    """Write JSON."""
    path = folder / "history.json"
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    "content",
    [
        [OWN],
        {"incidents": [OWN], "maintenances": []},
        [{**OWN, "title": "Outage", "components": ["DNS"]}],
        [{**OWN, "title": None, "name": "x", "components": [{"name": "Custom domains"}], "new_key": [1]}],
        [{**OWN, "started_at": None, "created_at": "2026-11-01T11:00:00+01:00"}],
        [OWN, {**OWN, "kind": "maintenance"}, {**OWN, "resolved_at": None}],
    ],
)
def test_shapes(tmp_path: Path, content: object) -> None:
    """A list or an object, own names or a Statuspage's, is read; maintenance and what is still on are left out."""
    assert read_history(written(tmp_path, content)) == (IncidentWindow(START, END, "major", ("dns",)),)


@pytest.mark.parametrize("impact", [None, 7, "dreadful"])
def test_unknown_impact(tmp_path: Path, impact: object) -> None:
    """An impact that is none of ours is unknown."""
    assert read_history(written(tmp_path, [{**OWN, "impact": impact}]))[0].impact == "unknown"


def test_faults(tmp_path: Path) -> None:
    """Each incident without good times is named, all at once."""
    bad = [{**OWN, "started_at": "yesterday"}, OWN, {**OWN, "resolved_at": "2026-10-01T10:00:00Z"}]
    with pytest.raises(TrainingDataError, match=r"must have times for each incident:\n  incident 0.*\n  incident 2"):
        read_history(written(tmp_path, bad))


@pytest.mark.parametrize("content", [7, "x", {"tickets": []}, [1], None])
def test_other_json(tmp_path: Path, content: object) -> None:
    """Other JSON is refused."""
    with pytest.raises(
        TrainingDataError, match=r"must be a JSON file with a list of incidents. It holds something else"
    ):
        read_history(written(tmp_path, content))


def test_no_json(tmp_path: Path) -> None:
    """A file that is no JSON, and one that is not there, are refused, each in its words."""
    path = tmp_path / "history.json"
    with pytest.raises(TrainingDataError, match=r"It cannot be read: No such file or directory\."):
        read_history(path)
    path.write_text("[" * 100_000)
    with pytest.raises(TrainingDataError, match="It is no JSON"):
        read_history(path)
