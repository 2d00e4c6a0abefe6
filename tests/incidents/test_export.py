"""The static export: whole files, nothing that a status page says becomes markup, and a feed reads the JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deflect.incidents import IncidentFeed
from deflect.incidents.export import _COLOURS, to_fragment, write_export
from deflect.incidents.snapshot import Incident, Snapshot, Update

NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)
DNS = Incident("page", "1", "DNS fails", "identified", "major", started_at=NOW, url="https://status.example.com/1")
PLANNED = Incident("page", "2", "Restart", "scheduled", "maintenance", "maintenance", started_at=NOW)
HOSTILE = st.text() | st.sampled_from(
    ["<script>alert(1)</script>", '"><img src=x onerror=y>', "</style></li></div>", "<!--"]
)
TAGS = {"div", "header", "h1", "h2", "p", "article", "ol", "li", "time", "a"}


class Tags(HTMLParser):
    """Collects the tags and attributes of a fragment."""

    def __init__(self, fragment: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


@given(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@example("<b>", "<script>", "javascript:x", "&lt;")
def test_nothing_becomes_markup(title: str, body: str, url: str, name: str) -> None:
    """Whatever a status page says, the fragment has this module's tags and attributes only."""
    incident = replace(
        DNS, title=title, url=url, components=(name,), regions=(name,), updates=(Update(NOW, "unknown", body),)
    )
    found = Tags(to_fragment(Snapshot(NOW, incidents=(incident,))))
    assert set(found.tags) <= TAGS
    assert found.tags.count("article") == found.tags.count("h2") == 1
    assert found.attributes <= {"class", "role", "datetime", "href", "rel"}


def test_files(tmp_path: Path) -> None:
    """Three files are written, and the page holds the fragment."""
    files = write_export(Snapshot(NOW, incidents=(DNS,)), tmp_path / "new" / "folder", at=NOW)
    assert [path.name for path in files] == ["fragment.html", "index.html", "status.json"]
    assert files[0].read_text().strip() in files[1].read_text()
    assert sorted(path.name for path in files[0].parent.iterdir()) == sorted(path.name for path in files)


def test_page(tmp_path: Path) -> None:
    """The page has a language, a title and no script, and forbids the browser to load anything."""
    page = write_export(Snapshot(NOW), tmp_path, at=NOW)[1].read_text()
    assert "<script" not in page
    assert all(part in page for part in ('<html lang="en">', "<title>Status</title>", "default-src 'none'", "<main>"))


def test_order() -> None:
    """The worst comes first, what is over last, and the head names the worst that is on now."""
    minor, over = replace(DNS, title="B", impact="minor"), replace(DNS, title="C", impact="critical", state="resolved")
    page = to_fragment(Snapshot(NOW, incidents=(over, minor, DNS), maintenances=(PLANNED,)))
    assert [page.index(f"<h2>{title}</h2>") for title in ("DNS fails", "B", "Restart", "C")] == sorted(
        page.index(f"<h2>{title}</h2>") for title in ("DNS fails", "B", "Restart", "C")
    )
    assert "<h1>There is a major incident</h1>" in page


def test_all_is_fine() -> None:
    """Without incidents the page says so, and a maintenance that is to come does not change that."""
    assert "<h1>No incident is known</h1>" in to_fragment(Snapshot(NOW, maintenances=(PLANNED,)))


def test_stale() -> None:
    """A stale snapshot says when it was read and that nothing was heard since."""
    text = "has not answered since"
    assert [text in to_fragment(Snapshot(NOW, stale=stale)) for stale in (False, True)] == [False, True]


def test_newest_update_first() -> None:
    """Updates come newest first, a paragraph a line."""
    updates = (Update(NOW, "investigating", "We look."), Update(NOW, "identified", "Found.\nMended soon."))
    page = to_fragment(Snapshot(NOW, incidents=(replace(DNS, updates=updates),)))
    assert page.index("<p>Found.</p><p>Mended soon.</p>") < page.index("<p>We look.</p>")


def test_a_feed_reads_it(tmp_path: Path) -> None:
    """The JSON is a status page again: a feed reads the same incidents from it."""
    write_export(Snapshot(NOW, incidents=(DNS,), maintenances=(PLANNED,)), tmp_path, at=NOW)
    with IncidentFeed(tmp_path / "status.json") as feed:
        snapshot = feed.snapshot
    assert [(i.title, i.state, i.impact, i.started_at, i.url) for i in snapshot.incidents] == [
        ("DNS fails", "identified", "major", NOW, "https://status.example.com/1")
    ]
    assert [item.title for item in snapshot.maintenances] == ["Restart"]


def test_json(tmp_path: Path) -> None:
    """The JSON says when it was written."""
    assert json.loads(write_export(Snapshot(NOW), tmp_path, at=NOW)[2].read_text())["exported_at"] == NOW.isoformat()


def luminance(colour: str) -> float:
    """Return the relative luminance of a colour such as #8a0f0f, as WCAG 2 defines it."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("look", _COLOURS)
def test_contrast(look: str) -> None:
    """Each colour has a contrast of 7 or more on its ground, light and dark (WCAG 2, level AAA)."""
    light, dark = _COLOURS[look]
    assert (luminance("#f6f7f9") + 0.05) / (luminance(light) + 0.05) >= 7
    assert (luminance(dark) + 0.05) / (luminance("#1e2126") + 0.05) >= 7
