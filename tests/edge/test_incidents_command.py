"""``deflect incidents show``, run as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deflect.edge.cli import app


def show(path: Path, content: str, *options: str) -> Result:
    """Run the command on a file with this content."""
    path.write_text(content)
    return CliRunner().invoke(app, ["incidents", "show", str(path), *options])


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return where a page may be."""
    return tmp_path / "page.json"


DOWN = """{"incidents": [{"title": "DNS [red]down[/red] \\u001b[31m", "impact": "major", "components": ["DNS"],
"started_at": "2026-11-23T10:00:00Z", "url": "https://status.acme.example/1",
"updates": [{"at": "2026-11-23T10:05:00Z", "state": "identified", "body": "Two\\nlines."}]}]}"""


def test_fine(page: Path) -> None:
    """With nothing on, the exit code is 0."""
    result = show(page, '{"incidents": []}')
    assert (result.exit_code, result.stdout) == (0, "No incident and no maintenance.\noverall: none\n")


def test_incident(page: Path) -> None:
    """With an incident on, it is shown as it is written, without markup and control characters, and the code is 1."""
    result = show(page, DOWN)
    assert result.exit_code == 1
    assert result.stdout.splitlines()[:2] == [
        "major  DNS [red]down[/red] [31m  identified since 2026-11-23 10:00 UTC",
        "  components: DNS",
    ]
    assert "  2026-11-23 10:05 UTC identified: Two\n    lines.\n" in result.stdout
    assert "\x1b" not in result.stdout


def test_json(page: Path) -> None:
    """For programs, the snapshot is JSON."""
    incident = json.loads(show(page, DOWN, "--json").stdout)["incidents"][0]
    assert (incident["state"], incident["components"]) == ("identified", ["DNS"])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ('{"maintenances": [{"title": "Works", "state": "in_progress"}]}', 1),
        ('{"maintenances": [{"title": "Works", "state": "scheduled"}]}', 0),
        ('{"incidents": [], "overall": "minor"}', 1),
        ('{"page": {"status": "UP"}, "activeIncidents": []}', 0),
    ],
)
def test_exit_code(page: Path, content: str, code: int) -> None:
    """A maintenance under way is something, one to come is not; trouble without an incident is."""
    assert show(page, content).exit_code == code


def test_cannot_look(page: Path) -> None:
    """What cannot be read or is no status page is an error with exit code 2, on stderr."""
    result = show(page, "{}")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "it is no status page that deflect knows" in result.stderr


def test_unknown_provider(page: Path) -> None:
    """An unknown provider is refused with the known ones."""
    result = show(page, "{}", "--provider", "nagios")
    assert result.exit_code == 2
    assert "provider must be one of" in result.stderr
