"""A snapshot on disk."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.plain_text import clean, one_line
from deflect.incidents.snapshot import STATES, Incident, Snapshot, Update
from deflect.incidents.snapshot_file import read_snapshot, write_snapshot

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
TIMES = st.none() | st.integers(0, 2**31).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
LINES = st.text(max_size=20).map(one_line)
INCIDENTS = st.builds(
    Incident,
    source=st.just("here"),
    id=LINES,
    title=LINES,
    state=st.sampled_from(STATES),
    impact=st.sampled_from(["none", "minor", "major", "critical", "unknown"]),
    started_at=TIMES,
    resolved_at=TIMES,
    url=st.sampled_from(["", "https://status.acme.example/1"]),
    components=st.lists(LINES.filter(bool), unique=True, max_size=3).map(tuple),
    updates=st.lists(
        st.builds(Update, TIMES, st.sampled_from(STATES), st.text(max_size=40).map(clean)), max_size=3
    ).map(tuple),
)


@given(st.lists(INCIDENTS, max_size=4))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, incidents: list[Incident]) -> None:
    """What was written is read again, to the last character."""
    path = tmp_path_factory.getbasetemp() / "kept.json"
    snapshot = replace(assemble_snapshot(incidents, "minor"), fetched_at=NOW)
    write_snapshot(path, snapshot, ["here"], "here")
    assert read_snapshot(path, ["here"]) == snapshot


def test_markup_stays_text(tmp_path: Path) -> None:
    """Text that looks like markup is not taken apart by being kept."""
    incident = Incident("here", "1", "<b>", state="identified", updates=(Update(NOW, "identified", "&amp; 1 < 2 <i>"),))
    snapshot = replace(assemble_snapshot([incident]), fetched_at=NOW)
    write_snapshot(tmp_path / "kept.json", snapshot, ["here"], "here")
    assert read_snapshot(tmp_path / "kept.json", ["here"]) == snapshot


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "\x00", '{"format": 2}', '{"format": 1, "sources": ["here"]}', "[" * 100_000, "\udcff"],
)
def test_damaged(tmp_path: Path, content: str) -> None:
    """A damaged file is as good as none."""
    path = tmp_path / "kept.json"
    path.write_text(content, "utf-8", "surrogateescape")
    assert read_snapshot(path, ["here"]) is None


def test_missing(tmp_path: Path) -> None:
    """A file that is not there, or a folder, is as good as none."""
    assert read_snapshot(tmp_path / "none.json", ["here"]) is None
    assert read_snapshot(tmp_path, ["here"]) is None


def test_other_sources(tmp_path: Path) -> None:
    """What was kept for other sources is not read."""
    write_snapshot(tmp_path / "kept.json", Snapshot(fetched_at=NOW), ["here"], "here")
    assert read_snapshot(tmp_path / "kept.json", ["there"]) is None


def test_nothing_else_is_left(tmp_path: Path) -> None:
    """Writing leaves one file, which is JSON."""
    for _ in range(2):
        write_snapshot(tmp_path / "kept.json", Snapshot(fetched_at=NOW), ["here"], "here")
    assert [path.name for path in tmp_path.glob("*json*")] == ["kept.json"]
    assert json.loads((tmp_path / "kept.json").read_text())["format"] == 1
