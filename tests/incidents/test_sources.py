"""Where a status page is read from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from deflect.errors import IncidentFeedError, NoStatusPageError
from deflect.incidents import IncidentFeed
from deflect.incidents.sources import sources_of


@pytest.mark.parametrize(
    ("addresses", "names"),
    [
        (["https://status.acme.example"], ["https://status.acme.example"]),
        (
            ["https://status.heroku.com"],
            ["https://status.heroku.com", "https://api.status.salesforce.com/v1/incidents/active"],
        ),
        (
            ["https://status.heroku.com/api/v4/current-status", "own.json"],
            [
                "https://status.heroku.com/api/v4/current-status",
                "https://api.status.salesforce.com/v1/incidents/active",
                "own.json",
            ],
        ),
        (["file:///etc/own%20file.json"], ["/etc/own file.json"]),
        (["a%20b.json"], ["a%20b.json"]),
        (["https://user:pass@x.example/a?key=b#c"], ["https://x.example/a"]),
    ],
)
def test_names(addresses: list[str], names: list[str]) -> None:
    """Each address becomes a source in order; Heroku's page brings its failover; secrets are in no name."""
    assert [source.name for source in sources_of(addresses, None)] == names


def read(path: Path) -> list[str]:
    """Return the titles that a file lists."""
    feed = IncidentFeed(path, max_bytes=1_000, timeout_seconds=5)
    try:
        return [incident.title for incident in feed.refresh(check=True).incidents]
    finally:
        feed.close()


def test_file(tmp_path: Path) -> None:
    """A file by its path, or by a file address, is read; any provider's shape is recognised."""
    path = tmp_path / "a b.json"
    path.write_text('{"page": {}, "incidents": [{"name": "Down", "status": "identified"}]}')
    assert read(path) == ["Down"]
    feed = IncidentFeed(path.as_uri())
    assert feed.refresh(check=True).incidents[0].state == "identified"
    feed.close()


def test_file_is_read_again(tmp_path: Path) -> None:
    """A file that the operator changed is read anew."""
    path = tmp_path / "own.json"
    path.write_text('{"incidents": []}')
    feed = IncidentFeed(path)
    feed.refresh()
    path.write_text('{"incidents": [{"title": "Down"}]}')
    assert len(feed.refresh().incidents) == 1
    feed.close()


def test_file_with_a_mistake(tmp_path: Path) -> None:
    """A file that is no JSON is refused."""
    (tmp_path / "own.json").write_text('{"incidents": [}')
    with pytest.raises(NoStatusPageError, match=r"own\.json must be JSON, RSS or Atom, got something else"):
        read(tmp_path / "own.json")


def test_no_file(tmp_path: Path) -> None:
    """A missing file, a folder and a pipe are refused, and do not hang."""
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(IncidentFeedError, match="could not be read: No such file"):
        read(tmp_path / "none.json")
    for name in ("", "pipe"):
        with pytest.raises(IncidentFeedError, match="must be a file, got something else"):
            read(tmp_path / name)


def test_large_file(tmp_path: Path) -> None:
    """A file that is too large is refused."""
    (tmp_path / "own.json").write_text(" " * 2_000)
    with pytest.raises(IncidentFeedError, match="must be at most 1,000 bytes long"):
        read(tmp_path / "own.json")
