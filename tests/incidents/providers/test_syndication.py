"""RSS 2.0 and Atom."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from deflect.errors import NoStatusPageError
from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.providers.documents import read_document
from deflect.incidents.snapshot import Incident, Snapshot

RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Acme</title>
<item>
  <title>Routing errors</title>
  <description><![CDATA[<p><small>Nov 23, 10:40 UTC</small><br><strong>Monitoring</strong> - A fix is out.</p>
<p><small>Nov 23, 10:00 UTC</small><br><strong>Investigating</strong> - We look, and say when it is resolved.</p>]]>
  </description>
  <pubDate>Mon, 23 Nov 2026 10:40:00 +0000</pubDate>
  <link>https://status.acme.example/incidents/1</link><guid>https://status.acme.example/incidents/1</guid>
</item></channel></rss>"""
ATOM = """<?xml version="1.0" encoding="UTF-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Acme</title>
<entry><id>tag:acme,2026:1</id><title type="html">Gelöst: &lt;b&gt;Störung&lt;/b&gt; &amp;amp; mehr</title>
<published>2026-11-23T10:00:00+01:00</published><updated>2026-11-23T11:00:00+01:00</updated>
<link rel="alternate" href="https://status.acme.example/1"/>
<content type="html">&lt;script&gt;x&lt;/script&gt;Alles gut.</content></entry></feed>"""


def parsed(text: str) -> Snapshot:
    """Return the snapshot of a feed."""
    return PROVIDERS["feed"].parse([read_document(text.encode(), None, "here")], "here")


def entry(title: str, body: str = "") -> Incident:
    """Return the one entry of a feed, which says this."""
    item = f"<item><title>{title}</title><description>{body}</description></item>"
    snapshot = parsed(f"<rss version='2.0'><channel>{item}</channel></rss>")
    [incident] = (*snapshot.incidents, *snapshot.maintenances)
    return incident


def test_both_are_recognised() -> None:
    """RSS and Atom are recognised by their root."""
    assert [choose(read_document(text.encode(), None, "here"), "here").name for text in (RSS, ATOM)] == ["feed"] * 2


def test_rss() -> None:
    """An item of RSS has its title, link and time."""
    [incident] = parsed(RSS).incidents
    assert (incident.title, incident.url) == ("Routing errors", "https://status.acme.example/incidents/1")
    assert incident.updated_at == datetime(2026, 11, 23, 10, 40, tzinfo=UTC)


def test_state_stands_at_the_beginning_of_a_line() -> None:
    """Of several updates in one text, the first counts, where a line begins with a state."""
    assert parsed(RSS).incidents[0].state == "monitoring"


def test_atom() -> None:
    """An entry of Atom is plain text, with the time that it began."""
    [incident] = parsed(ATOM).incidents
    assert (incident.title, incident.state) == ("Gelöst: Störung & mehr", "resolved")
    assert incident.started_at == datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
    assert incident.updates[0].body == "xAlles gut."


@pytest.mark.parametrize(
    ("title", "state"),
    [
        ("[Resolved] Down", "resolved"),
        ("Unresolved", "unknown"),
        ("Investigating slow answers", "investigating"),
        ("Wartung abgeschlossen", "completed"),
        ("Scheduled maintenance", "scheduled"),
        ("Incident résolu", "resolved"),
        ("Post-mortem of Monday", "postmortem"),
    ],
)
def test_state_of_the_title(title: str, state: str) -> None:
    """A whole word of the title tells the state, in several languages."""
    assert entry(title, "It will be resolved.").state == (state if state != "unknown" else "resolved")


def test_maintenance() -> None:
    """What is about maintenance is one."""
    assert entry("Maintenance of the database").kind == "maintenance"


def test_latin_1() -> None:
    """A feed in another encoding is read as its declaration says."""
    item = "<item><title>Störung</title></item>"
    text = f"<?xml version='1.0' encoding='ISO-8859-1'?><rss version='2.0'><channel>{item}</channel></rss>"
    document = read_document(text.encode("latin-1"), None, "here")
    assert PROVIDERS["feed"].parse([document], "here").incidents[0].title == "Störung"


def test_empty_feed() -> None:
    """A feed without entries says that nothing is on."""
    assert parsed("<rss version='2.0'><channel><title>Acme</title></channel></rss>") == Snapshot(overall="none")


HOSTILE = {
    "billion laughs": (
        "<!DOCTYPE l [<!ENTITY a 'aaaaaaaaaa'>"
        + "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10 if i else '&a;' * 10}'>" for i in range(9))
        + "]><rss version='2.0'><channel><item><title>&a8;</title></item></channel></rss>"
    ),
    "a file of ours": (
        "<!DOCTYPE l [<!ENTITY x SYSTEM 'file:///etc/passwd'>]>"
        "<rss version='2.0'><channel><item><title>&x;</title></item></channel></rss>"
    ),
    "nested": f"<rss version='2.0'>{'<a>' * 100_000}",
    "unfinished tags": f"<rss version='2.0'>{'<a ' * 100_000}",
    "only brackets": "<" * 100_000,
    "too long": f"<rss version='2.0'><channel>{' ' * 1_000_000}</channel></rss>",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_hostile_feed(text: str) -> None:
    """A feed that is dangerous or dear to read is refused before the feed parser sees it."""
    with pytest.raises(NoStatusPageError, match="must"):
        parsed(text)


def test_a_path_is_no_feed() -> None:
    """Bytes that are a path are not opened as a file."""
    with pytest.raises(NoStatusPageError, match="must be JSON, RSS or Atom"):
        read_document(__file__.encode(), None, "here")
