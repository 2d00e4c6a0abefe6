"""deflect incidents export and deflect train --incidents, as a user calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deflect import Deflector
from deflect.edge.cli import app

INCIDENT = {
    "title": "DNS [red]fails\x1b[2J",
    "impact": "major",
    "started_at": "2026-01-01T10:00:00Z",
    "updates": [{"at": "2026-01-01T10:05:00Z", "state": "identified", "body": "<script>"}],
}


def run(*arguments: str | Path) -> Result:
    """Run deflect."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Return a status page in a file."""
    path = tmp_path / "page.json"
    path.write_text(json.dumps({"incidents": [INCIDENT]}))
    return path


def test_export(page: Path, tmp_path: Path) -> None:
    """The files are written and named on stderr; exporting again replaces them."""
    for _ in range(2):
        result = run("incidents", "export", page, "--output", tmp_path / "out")
        assert (result.exit_code, result.stdout) == (0, "")
    assert [line.rpartition("/")[2] for line in result.stderr.split("wrote ")[1:]] == [
        "fragment.html\n",
        "index.html\n",
        "status.json\n",
    ]
    text = (tmp_path / "out" / "index.html").read_text()
    assert ("<script>" in text, "&lt;script&gt;" in text, "\x1b" in text) == (False, True, False)


def test_export_an_export(page: Path, tmp_path: Path) -> None:
    """An exported page can be exported again, and says the same."""
    run("incidents", "export", page, "-o", tmp_path / "one")
    run("incidents", "export", tmp_path / "one" / "status.json", "-o", tmp_path / "two")
    one, two = (json.loads((tmp_path / name / "status.json").read_text()) for name in ("one", "two"))
    assert one["incidents"][0]["title"] == two["incidents"][0]["title"]
    assert one["incidents"][0]["updates"] == two["incidents"][0]["updates"]


def test_export_what_a_feed_kept(page: Path, tmp_path: Path) -> None:
    """Of a snapshot that was kept on disk, the export tells the time at which the page was read, not now."""
    kept = json.loads(page.read_text()) | {"fetched_at": "2026-01-01T10:06:00+00:00"}
    page.write_text(json.dumps(kept))
    run("incidents", "export", page, "-o", tmp_path / "out")
    text = (tmp_path / "out" / "fragment.html").read_text()
    assert "1 Jan 2026, 10:06 UTC</time>. The status page has not answered since." in text


def test_export_nothing(tmp_path: Path) -> None:
    """A page that is not there is an error, and nothing is written: what was exported before stays."""
    result = run("incidents", "export", tmp_path / "missing.json", "-o", tmp_path / "out")
    assert (result.exit_code, (tmp_path / "out").exists()) == (2, False)


def test_export_to_a_file(page: Path) -> None:
    """A directory that cannot be made is an error that names it."""
    result = run("incidents", "export", page, "-o", page)
    assert result.exit_code == 2
    assert "--output must be a directory that can be written" in result.stderr


def test_train_needs_times(tmp_path: Path) -> None:
    """Past incidents need the column of times."""
    arguments = ("train", "data/starter_tickets.csv", "--playbook", "data/playbook.toml", "-o", tmp_path / "out")
    result = run(*arguments, "--incidents", tmp_path / "history.json")
    assert result.exit_code == 2
    assert "Add --time COLUMN." in result.stderr


def test_train(tmp_path: Path) -> None:
    """Past incidents are learned from, and the bundle carries what they taught."""
    rows = []
    for i in range(300):
        hour, name = 10 if i % 5 < 2 else 15, "incident" if i % 5 == 0 else "dns"
        rows.append(f"2026-01-{1 + i // 15:02d}T{hour}:00:0{i % 10}Z,{name},{i * 7919 % 997:b} {i * 104729:x}\n")
    tickets, history, book = tmp_path / "tickets.csv", tmp_path / "history.json", tmp_path / "playbook.toml"
    tickets.write_text("created_at,category,body\n" + "".join(rows))
    history.write_text(json.dumps([{**INCIDENT, "resolved_at": "2026-01-01T11:00:00Z"}]))
    entry = '[categories.{0}]\nowner = "us"\nreviewed_on = 2026-11-01\nlead = "{0}"\n'
    book.write_text("format = 1\n" + entry.format("incident") + entry.format("dns"))
    output = tmp_path / "model"
    result = run("train", tickets, "--playbook", book, "-o", output, "--time", "created_at", "--incidents", history)
    assert result.exit_code == 0, result.stderr
    assert "6 tickets were written during 1 past incidents" in result.stderr
    assert "incident_prior" in json.loads((output / "manifest.json").read_text())
    assert (
        Deflector.load(output).incident_prior.by_impact["major"] != Deflector.load().incident_prior.by_impact["major"]
    )


def test_suggest_with_a_status_page(page: Path) -> None:
    """With a status page, the incident that concerns the ticket comes with the answer."""
    ticket = "Our custom domain still points to the old host, which CNAME do I set?"
    found = json.loads(run("suggest", "--json", "--status", page, ticket).stdout)
    assert (found["reason"], found["tool"]["name"]) == ("incident", "DNS check")
    assert found["banner"]["started_at"] == "2026-01-01T10:00:00+00:00"
    shown = run("suggest", "--status", page, ticket)
    assert "Major incident: DNS [red]fails" in shown.stdout
    assert "\x1b[2J" not in shown.stdout
