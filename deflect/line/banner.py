"""What a form says about an incident: strangers wrote it, so it is plain text or escaped HTML and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from html import escape
from typing import Literal
from urllib.parse import urlsplit

Level = Literal["quiet", "banner"]
Kind = Literal["incident", "maintenance"]

#: What a banner begins with, by severity; also what the names of its HTML classes end with.
HEADS = {
    "critical": "Critical incident",
    "major": "Major incident",
    "minor": "Minor incident",
    "maintenance": "Maintenance",
    "none": "Notice",
    "unknown": "Incident",
}
#: A screen reader interrupts for these, and waits for a pause with all others.
_URGENT = ("critical", "major")
_MAX_TITLE = 200
_MAX_UPDATE = 600
_MAX_URL = 2_000
#: A status page says the same to every ticket for minutes; so many of its texts are cleaned once only.
_N_REMEMBERED = 256
#: They join letters in Persian, in Indian scripts and in emoji; every other invisible character is taken out.
_JOINERS = "\u200c\u200d"


@dataclass(frozen=True, slots=True)
class Customer:
    """Where the writer of a ticket is: the components and regions in use; empty where they are not known."""

    components: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Outlook:
    """What is on for a customer: the worst impact of the current incidents, None for none, and the categories touched.

    Examples
    --------
    >>> Outlook("major", ("dns",)).is_clear
    False

    """

    impact: str | None = None
    touched: tuple[str, ...] = ()

    @property
    def is_clear(self) -> bool:
        """Say whether no incident is on."""
        return self.impact is None


@dataclass(frozen=True, slots=True)
class Banner:
    """What to say about an incident, to the writer of one ticket.

    ``level`` is "quiet" (a line) or "banner"; ``severity`` decides the look: critical, major, minor, maintenance, none
    or unknown. ``update`` is the last comment that the platform posted. ``resolved_at`` is None while it is on. ``url``
    is a web address or empty. ``as_of`` is None unless the status page has not answered for long: then it is when it
    last did. Texts have no invisible characters and a bounded length, whatever the status page said.

    Examples
    --------
    >>> since = datetime(2026, 11, 23, 14, 5, tzinfo=UTC)
    >>> banner = Banner("banner", "incident", "major", "DNS <b>fails</b>", state="identified", started_at=since)
    >>> print(banner.to_text())
    Major incident: DNS <b>fails</b>
    Identified. Since 23 Nov 2026, 14:05 UTC.
    >>> "<b>" in banner.to_html()
    False

    """

    level: Level
    kind: Kind
    severity: str
    title: str
    update: str = ""
    state: str = "unknown"
    started_at: datetime | None = None
    resolved_at: datetime | None = None
    url: str = ""
    as_of: datetime | None = None

    def __post_init__(self) -> None:
        clean = {
            "severity": self.severity if self.severity in HEADS else "unknown",
            "title": plain(self.title, _MAX_TITLE),
            "update": plain(self.update, _MAX_UPDATE),
            "state": plain(self.state, _MAX_TITLE),
            "url": web_link(self.url),
        }
        for name, value in clean.items():
            object.__setattr__(self, name, value)

    @property
    def is_over(self) -> bool:
        """Say whether it is resolved."""
        return self.resolved_at is not None

    @property
    def head(self) -> str:
        """Return the words that it begins with."""
        return f"Resolved {self.kind}" if self.is_over else HEADS[self.severity]

    @property
    def facts(self) -> str:
        """Return how it stands and since when."""
        state = "" if self.state == "unknown" or self.is_over else f"{self.state.replace('_', ' ').capitalize()}."
        starts = "From" if self.state == "scheduled" else "Since"
        since = f"{starts} {clock_time(self.started_at)}." if self.started_at and not self.is_over else ""
        until = f"Resolved at {clock_time(self.resolved_at)}." if self.resolved_at else ""
        return " ".join(filter(None, (state, since, until)))

    @property
    def note(self) -> str:
        """Return what to say where the status page has not answered for long, else an empty text."""
        return f"As of {clock_time(self.as_of)}: the status page has not answered since." if self.as_of else ""

    def to_text(self) -> str:
        """Return it as plain text, a line for each part."""
        return "\n".join(filter(None, (f"{self.head}: {self.title}", self.facts, self.update, self.note, self.url)))

    def to_html(self) -> str:
        """Return it as a fragment of HTML without script or style; every text in it is escaped."""
        role = "alert" if self.level == "banner" and self.severity in _URGENT and not self.is_over else "status"
        look = "resolved" if self.is_over else self.severity
        parts = (
            f"<strong>{escape(self.head)}:</strong> {escape(self.title)}",
            escape(self.facts),
            escape(self.update),
            escape(self.note),
            html_link(self.url, "Status page"),
        )
        names = f"deflect-banner deflect-{self.level} deflect-{look}"
        return f'<div class="{names}" role="{role}">{"".join(f"<p>{part}</p>" for part in parts if part)}</div>'


@lru_cache(maxsize=_N_REMEMBERED)
def plain(text: str, n_characters: int) -> str:
    """Return a stranger's text on one line, without invisible characters, cut to a length.

    Control characters move the cursor of a terminal, and direction marks make a text read as another one.
    """
    head = text[: 4 * n_characters]
    seen = "".join(c if c.isprintable() or c in _JOINERS else " " for c in head)
    line = " ".join(seen.split())
    return line if len(line) <= n_characters else f"{line[: n_characters - 1].rstrip()}…"


@lru_cache(maxsize=_N_REMEMBERED)
def web_link(url: str) -> str:
    """Return a URL if it is one of the web that can be shown as it is, else an empty text."""
    if not url.isprintable() or len(url) > _MAX_URL or any(c.isspace() or c in '\\"<>' for c in url):
        return ""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return ""
    # What stands before an @ reads like the host and is not.
    return url if parts.scheme in {"http", "https"} and host and "@" not in parts.netloc else ""


def html_link(url: str, words: str) -> str:
    """Return a link as HTML; empty where the URL is none of the web."""
    link = web_link(url)
    return f'<a href="{escape(link)}" rel="noopener noreferrer">{escape(words)}</a>' if link else ""


def clock_time(at: datetime) -> str:
    """Return a time for people, with its zone.

    Examples
    --------
    >>> clock_time(datetime(2026, 11, 3, 9, 5, tzinfo=UTC))
    '3 Nov 2026, 09:05 UTC'

    """
    utc = at.astimezone(UTC)
    # Not %b, which depends on the process's locale.
    month = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")[utc.month - 1]
    return f"{utc.day} {month} {utc.year}, {utc:%H:%M} UTC"
