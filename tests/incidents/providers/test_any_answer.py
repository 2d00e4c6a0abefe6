"""Whatever a page answers, parsing it raises nothing unexpected and gives plain text."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deflect.errors import IncidentFeedError
from deflect.incidents.providers import PROVIDERS, choose
from deflect.incidents.providers.documents import Xml, read_document
from deflect.incidents.providers.plain_text import MAX_BODY_CHARACTERS, clean
from deflect.incidents.snapshot import IMPACTS, STATES, Incident, Snapshot

#: Keys that the providers know, so that what is generated gets past the first look.
KEYS = [
    *("activeIncidents", "activeMaintenances", "affected_components", "affected_resources", "affectsAll"),
    *("aggregate_state", "attributes", "body", "component_id", "component_impacts", "components", "contents"),
    *("components_affected", "created_at", "current_worst_impact", "data", "degradation", "display_at", "ends_at"),
    *("human_status", "id", "impact", "incident_updates", "incidents", "included", "IncidentImpacts", "indicator"),
    *("instanceKeys", "key", "last_update_message", "maintenance", "maintenances", "message", "messages", "name"),
    *("occurred", "ongoing_incidents", "outage", "page", "relationships", "report_type", "resolved_at", "result"),
    *("scheduled", "scheduled_maintenances", "serviceKeys", "shortlink", "started_at", "starts_at", "state"),
    *("status", "status_overall", "status_page_incidents", "string", "title", "type", "update_type", "updates"),
    *("url", "value", "visible"),
]
WORDS = ["resolved", "maintenance", "incident", "incidents", "status_report", "2026-11-23T10:00:00Z", "99999999999999"]
TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        [*WORDS, "<script>alert(1)</script>", "\x1b[31mred", "a\u202eb", "&lt;b&gt;", "javascript:alert(1)"]
    ),
)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | TEXTS, inner, max_size=8),
    max_leaves=20,
)
ATTRIBUTES = st.dictionaries(st.sampled_from(KEYS), JSON, max_size=12)


def texts(incident: Incident) -> Iterator[str]:
    """Yield every text of an incident."""
    yield from (incident.id, incident.title, incident.url, *incident.components, *incident.regions)
    yield from (update.body for update in incident.updates)


def check(snapshot: Snapshot) -> None:
    """Assert that a snapshot keeps what its types promise."""
    assert snapshot.overall in IMPACTS
    for incident in (*snapshot.incidents, *snapshot.maintenances):
        assert incident.state in STATES
        assert incident.impact in IMPACTS
        assert incident.url == "" or incident.url.startswith(("http://", "https://"))
        for text in texts(incident):
            assert clean(text) == text
            assert len(text) <= MAX_BODY_CHARACTERS
            text.encode()
        for at in (incident.started_at, incident.updated_at, incident.resolved_at, *(u.at for u in incident.updates)):
            assert at is None or at.utcoffset() == datetime.now(UTC).utcoffset()
        times = [update.at for update in incident.updates if update.at]
        assert times == sorted(times)
        assert hash(incident) == hash(dataclasses.replace(incident))


@settings(max_examples=100)
@given(documents=st.lists(JSON | ATTRIBUTES | st.lists(ATTRIBUTES, max_size=3), min_size=1, max_size=3))
def test_any_json(documents: list[object]) -> None:
    """Any JSON gives a snapshot in plain text, or IncidentFeedError, from every provider."""
    for provider in PROVIDERS.values():
        try:
            snapshot = provider.parse(documents, "here")
        except IncidentFeedError:
            continue
        check(snapshot)


@settings(max_examples=150)
@given(
    st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode()), st.sampled_from([None, "utf-16", "x"])
)
def test_any_bytes(body: bytes, charset: str | None) -> None:
    """Any bytes give a document whose provider is known, or IncidentFeedError."""
    try:
        document = read_document(body, charset, "here")
        snapshot = choose(document, "here").parse([document], "here")
    except IncidentFeedError:
        return
    check(snapshot)


@settings(max_examples=100)
@given(st.text(max_size=60), st.text(max_size=60))
def test_any_feed(title: str, body: str) -> None:
    """Any text in a feed gives plain text, or IncidentFeedError where it makes no XML."""
    item = f"<item><title>{title}</title><description>{body}</description></item>"
    text = f"<rss version='2.0'><channel>{item}</channel></rss>"
    try:
        check(PROVIDERS["feed"].parse([Xml(text, "rss")], "here"))
    except (IncidentFeedError, UnicodeEncodeError):  # Lone surrogates come from no bytes.
        return


@pytest.mark.parametrize(
    "body", [b"[" * 200_000, b'{"a":' * 200_000, b"9" * 10_000, b"", b"nope", b"\xff\xfe", b"\x00"]
)
def test_hostile_bytes(body: bytes) -> None:
    """Nesting, numbers and noise that no page sends are refused."""
    with pytest.raises(IncidentFeedError):
        choose(read_document(body, None, "here"), "here")
