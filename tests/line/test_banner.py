"""Banners: what they say, and that nothing a status page says becomes markup or moves a cursor."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from deflect.line.banner import Banner, clock_time, html_link, plain, web_link

SINCE = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
#: Text as a hostile status page would write it.
HOSTILE = st.text() | st.lists(
    st.sampled_from(["<", ">", '"', "'", "&", "<script>", "</div>", "<!--", "]]>", "\0", "\x1b[2J", "javascript:", " "])
).map("".join)


class Markup(HTMLParser):
    """Collects the tags, attributes and text of a fragment."""

    def __init__(self, fragment: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: set[str] = set()
        self.links: list[str] = []
        self.texts: list[str] = []
        self.feed(fragment)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name == "href"]

    def handle_data(self, data: str) -> None:
        """Note a text."""
        self.texts.append(data)

    def handle_comment(self, data: str) -> None:
        """Note a comment as a tag."""
        self.tags.append(f"!--{data}")

    def handle_decl(self, decl: str) -> None:
        """Note a declaration as a tag."""
        self.tags.append(f"!{decl}")


@given(title=HOSTILE, update=HOSTILE, url=HOSTILE, severity=HOSTILE, state=HOSTILE)
@example("<script>alert(1)</script>", "<img src=x onerror=y>", "javascript:alert(1)", '"><b>', "</div>")
@example("a", "b", 'https://example.com/"onclick="x', "major", "identified")
def test_nothing_becomes_markup(title: str, update: str, url: str, severity: str, state: str) -> None:
    """Whatever a status page says, the fragment has this module's tags and attributes, and the texts as they are."""
    banner = Banner("banner", "incident", severity, title, update, state, SINCE, url=url)
    markup = Markup(banner.to_html())
    assert set(markup.tags) <= {"div", "p", "strong", "a"}
    assert markup.tags.count("div") == markup.tags.count("strong") == 1
    assert markup.attributes <= {"class", "role", "href", "rel"}
    assert all(link.startswith(("http://", "https://")) for link in markup.links)
    assert banner.title in "".join(markup.texts)
    assert banner.update in "".join(markup.texts)


@given(HOSTILE, st.integers(1, 50))
def test_plain_text(text: str, n_characters: int) -> None:
    """Cleaned text is one line of visible characters, of a bounded length, and stays the same when cleaned again."""
    cleaned = plain(text, n_characters)
    assert all(c.isprintable() or c in "\u200c\u200d" for c in cleaned)
    assert len(cleaned) <= n_characters
    assert plain(cleaned, n_characters) == cleaned


@pytest.mark.parametrize("text", ["a\x1b[31mb", "a\u202eb", "a\u2066b", "a\u200bb", "a\ud800b", "a\r\nb", "a\x00b"])
def test_invisible_characters(text: str) -> None:
    """Characters that move a cursor, turn a text around or cannot be seen are taken out."""
    assert plain(text, 50).replace("[31m", "") == "a b"


def test_joiners_stay() -> None:
    """Characters that join letters of Persian or parts of an emoji stay."""
    assert plain("\u0645\u06cc\u200c\u0634\u0648\u062f", 50) == "\u0645\u06cc\u200c\u0634\u0648\u062f"


@pytest.mark.parametrize("url", ["https://status.example.com/i/1?a=1&b=2#c", "http://example.com", "https://[::1]/x"])
def test_web_links(url: str) -> None:
    """A link of the web is kept as it is."""
    assert web_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "//example.com",
        "https:///path",
        "ftp://example.com",
        "https://good.example@evil.example/",
        "https://good.example\\@evil.example/",
        "https://example.com/ onclick",
        "java\nscript:alert(1)",
        "https://[::1",
        "https://example.com/\u202e",
        "https://example.com/" + "x" * 2000,
    ],
)
def test_other_links(url: str) -> None:
    """What is no plain link of the web is dropped, link and all."""
    assert (web_link(url), html_link(url, "x")) == ("", "")


def test_text() -> None:
    """As text, a banner says what it is, how it stands, the last update, how old that is, and where to read more."""
    update, url = "We are on it.", "https://status.example.com/1"
    banner = Banner("banner", "incident", "major", "DNS fails", update, "in_progress", SINCE, url=url, as_of=SINCE)
    assert banner.to_text().splitlines() == [
        "Major incident: DNS fails",
        "In progress. Since 23 Nov 2026, 14:05 UTC.",
        "We are on it.",
        "As of 23 Nov 2026, 14:05 UTC: the status page has not answered since.",
        "https://status.example.com/1",
    ]


def test_resolved() -> None:
    """A resolved incident says when that was, and no more since when it was on."""
    banner = Banner("banner", "incident", "major", "DNS fails", state="resolved", started_at=SINCE, resolved_at=SINCE)
    assert banner.to_text() == "Resolved incident: DNS fails\nResolved at 23 Nov 2026, 14:05 UTC."


@pytest.mark.parametrize(
    ("level", "severity", "resolved_at", "role"),
    [
        ("banner", "critical", None, "alert"),
        ("banner", "minor", None, "status"),
        ("quiet", "critical", None, "status"),
        ("banner", "critical", SINCE, "status"),
    ],
)
def test_role(level: str, severity: str, resolved_at: datetime | None, role: str) -> None:
    """A screen reader is interrupted by a banner of a grave incident that is on, and by nothing else."""
    assert f'role="{role}"' in Banner(level, "incident", severity, "x", resolved_at=resolved_at).to_html()


def test_times_are_utc() -> None:
    """A time is told in UTC, whatever its own zone."""
    assert clock_time(SINCE.astimezone(timezone(timedelta(hours=-5)))) == "23 Nov 2026, 14:05 UTC"
