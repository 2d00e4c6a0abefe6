"""Reads Zendesk's own status API: JSON:API, active incidents and maintenances, ten requests a minute."""

from __future__ import annotations

from collections.abc import Sequence

from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.fields import Fields
from deflect.incidents.providers.json_api import JsonApi
from deflect.incidents.snapshot import Incident, Kind, Snapshot, Update

_TYPES = ("incident", "maintenance", "maintenance_incident")
_MARKS = ("outage", "degradation", "postmortem")


def recognises(document: object) -> bool:
    """Say whether an answer has an incident that says whether it is an outage or a degradation."""
    return any(
        item.title("type") in _TYPES and item.fields("attributes").has(*_MARKS) for item in JsonApi(document).data
    )


def parse(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``/api/incidents/active`` and, where it could be read, ``/api/incidents/maintenance``."""
    kinds: tuple[Kind, Kind] = ("incident", "maintenance")
    return assemble_snapshot(
        _incident(item, answer, kind, source)
        for kind, document in zip(kinds, documents, strict=False)
        for answer in [JsonApi(document)]
        for item in answer.data
    )


def _incident(item: Fields, answer: JsonApi, kind: Kind, source: str) -> Incident:
    said = item.fields("attributes")
    if item.title("type").startswith("maintenance"):
        kind = "maintenance"
    updates = [update.fields("attributes") for update in answer.related(item, "incident_updates", "updates")]
    state = said.state("status")
    if state == "unknown":
        state = "scheduled" if kind == "maintenance" else "investigating"
    return Incident(
        source=source,
        id=item.title("id"),
        title=said.title("title", "name"),
        state="resolved" if said.at("resolved_at") else state,
        impact="maintenance" if kind == "maintenance" else said.impact("impact"),
        kind=kind,
        started_at=said.at("maintenance_start_time", "started_at", "created_at"),
        updated_at=said.at("updated_at"),
        resolved_at=said.at("resolved_at"),
        components=_components(item, answer),
        updates=tuple(Update(update.at("created_at"), "unknown", update.body("description")) for update in updates),
    )


def _components(item: Fields, answer: JsonApi) -> tuple[str, ...]:
    """Read the services: named by the incident, or by what ties incidents and services together."""
    ties = answer.related(item, "incident_services")
    services = [*answer.related(item, "services"), *(s for tie in ties for s in answer.related(tie, "service"))]
    names = [service.fields("attributes").title("name") for service in services]
    return tuple(dict.fromkeys(name for name in names if name))
