"""Reads Atlassian Statuspage v2, and Rootly, which writes the same shape with fewer fields."""

from __future__ import annotations

from collections.abc import Sequence

from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.fields import Fields
from deflect.incidents.providers.words import impact_of
from deflect.incidents.snapshot import Incident, Kind, Snapshot, Update

_LISTS = ("incidents", "scheduled_maintenances", "components")


def recognises(document: object) -> bool:
    """Say whether an answer has a page with its status, components, incidents or maintenances."""
    root = Fields(document)
    return isinstance(root.values.get("page"), dict) and root.has("status", *_LISTS)


def parse(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``summary.json``, ``incidents.json``, ``scheduled-maintenances.json``, ``status.json`` or Rootly's."""
    root = Fields(documents[0])
    page_url = root.fields("page").url("url")
    incidents = [_incident(item, "incident", page_url, source) for item in root.list("incidents")]
    maintenances = [_incident(item, "maintenance", page_url, source) for item in root.list("scheduled_maintenances")]
    overall = root.fields("status").impact("indicator")
    if overall == "unknown" and not incidents:
        overall = root.worst_impact("components", "status")
    return assemble_snapshot([*incidents, *maintenances], overall)


def _incident(item: Fields, kind: Kind, page_url: str, source: str) -> Incident:
    state = item.state("status", "state")
    impact = impact_of(item.title("impact_override")) if item.title("impact_override") else item.impact("impact")
    if impact == "maintenance" or state in {"scheduled", "in_progress", "verifying", "completed"}:
        kind = "maintenance"  # incidents.json lists maintenances too.
    incident_id = item.title("id")
    return Incident(
        source=source,
        id=incident_id,
        title=item.title("name", "title"),
        state=state,
        impact="maintenance" if kind == "maintenance" else impact,
        kind=kind,
        started_at=item.at("scheduled_for", "started_at", "created_at"),
        updated_at=item.at("updated_at"),
        resolved_at=item.at("resolved_at"),
        url=item.url("shortlink", "url") or _permalink(page_url, incident_id),
        components=_components(item),
        updates=tuple(_update(update) for update in item.list("incident_updates", "updates", "events")),
    )


def _components(item: Fields) -> tuple[str, ...]:
    """Read the components of an incident; where it names none, those that its updates name."""
    named = [name for update in item.list("incident_updates") for name in update.names("affected_components", "name")]
    return item.names("components", "name") or tuple(dict.fromkeys(named))


def _update(item: Fields) -> Update:
    return Update(item.at("display_at", "created_at", "updated_at"), item.state("status"), item.body("body", "message"))


def _permalink(page_url: str, incident_id: str) -> str:
    return f"{page_url.rstrip('/')}/incidents/{incident_id}" if page_url and incident_id.isalnum() else ""
