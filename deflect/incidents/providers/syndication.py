"""Reads RSS 2.0 and Atom, the last resort: a state is what the words of an entry say."""

from __future__ import annotations

import re
from calendar import timegm
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO

from deflect.errors import NoStatusPageError, OptionalDependencyError
from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.documents import Xml
from deflect.incidents.providers.fields import MAX_ITEMS, Fields
from deflect.incidents.providers.well_formed import check_well_formed
from deflect.incidents.snapshot import Incident, Snapshot, State, Update

#: A feed that is longer takes more than a second to read. Statuspage's longest have a tenth of it.
MAX_BYTES = 1_000_000

#: Words that tell a state, in the languages of the pages that we know: English, German, French, Spanish.
_STATE_WORDS: dict[State, str] = {
    "resolved": r"resolved|fixed|restored|behoben|gelöst|résolu|resuelto",
    "postmortem": r"post-?mortem",
    "monitoring": r"monitoring|watching|beobacht\w+|surveill\w+|supervisando",
    "identified": r"identified|identifiziert|erkannt|identifié|identificado",
    "investigating": r"investigating|untersuch\w+|enquête|investigando",
    "completed": r"completed|abgeschlossen|terminé|completado",
    "verifying": r"verifying",
    "in_progress": r"in progress|underway|läuft|en cours|en curso",
    "scheduled": r"scheduled|planned|geplant|planifiée?|programado",
}
_STATE = re.compile("|".join(rf"\b(?P<{state}>(?:{words}))\b" for state, words in _STATE_WORDS.items()), re.IGNORECASE)
_MAINTENANCE = re.compile(r"\b(?:maintenance|wartung\w*|mantenimiento)\b", re.IGNORECASE)
_PLANNED_STATES = frozenset({"scheduled", "in_progress", "verifying", "completed"})


def recognises(document: object) -> bool:
    """Say whether an answer is XML with the root of a feed."""
    return isinstance(document, Xml) and document.root in {"rss", "feed", "RDF"}


def parse(documents: Sequence[object], source: str) -> Snapshot:
    """Read a feed; its entries may be news of long ago, which the IncidentFeed sorts out.

    Raises NoStatusPageError where the feed is not well-formed, too long, nested too deeply, or declares entities.
    """
    try:
        import feedparser
    except ImportError as error:
        package, extra = "feedparser", "incidents"
        raise OptionalDependencyError(package, extra) from error
    document = documents[0]
    if not isinstance(document, Xml):
        msg = f"{source} must be an RSS or Atom feed, got something else"
        raise NoStatusPageError(msg)
    body = document.text.encode()
    if len(body) > MAX_BYTES:
        msg = f"{source} must be a feed of at most {MAX_BYTES:,} bytes, got {len(body):,}"
        raise NoStatusPageError(msg)
    check_well_formed(body, source)  # feedparser takes minutes over some input that is not.
    headers = {"content-type": "application/xml; charset=utf-8"}
    # Only as a stream: feedparser would open a text as a file or a URL.
    found = feedparser.parse(BytesIO(body), response_headers=headers, sanitize_html=False, resolve_relative_uris=False)
    return assemble_snapshot(_incident(dict(entry), source) for entry in found.entries[:MAX_ITEMS])


def _incident(entry: Mapping[object, object], source: str) -> Incident:
    item = Fields(entry)
    title = item.title("title")
    body = next((text for content in item.list("content") if (text := content.body("value"))), item.body("summary"))
    state = _state(title, body)
    updated_at = _at(entry, "updated_parsed", "published_parsed")
    is_planned = state in _PLANNED_STATES or _MAINTENANCE.search(title) is not None
    return Incident(
        source=source,
        id=item.title("id", "link"),
        title=title,
        state=state,
        impact="maintenance" if is_planned else "unknown",
        kind="maintenance" if is_planned else "incident",
        started_at=_at(entry, "published_parsed", "updated_parsed"),
        updated_at=updated_at,
        url=item.url("link", "id"),
        components=(),
        updates=(Update(updated_at, state, body),) if body else (),
    )


def _state(title: str, body: str) -> State:
    """Find the state: in the title, else at the beginning of a line, where Statuspage has it, else anywhere."""
    lines = (found for line in body.splitlines() if (found := _STATE.match(line)))
    found = _STATE.search(title) or next(lines, None) or _STATE.search(body)
    return next((state for state in _STATE_WORDS if found and found[state]), "unknown")


def _at(entry: Mapping[object, object], *keys: str) -> datetime | None:
    """Read a time that feedparser has taken apart, in UTC."""
    for key in keys:
        value = entry.get(key)
        if isinstance(value, tuple):
            try:
                return datetime.fromtimestamp(timegm(value), UTC)
            except (ValueError, OverflowError, OSError):  # A year that no datetime has.
                continue
    return None
