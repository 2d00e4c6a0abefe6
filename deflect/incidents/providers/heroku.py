"""Reads Heroku's status API v4, and v3, which is retired and still answers here and there."""

from __future__ import annotations

from collections.abc import Sequence

from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.fields import Fields
from deflect.incidents.providers.words import worst
from deflect.incidents.snapshot import Impact, Incident, Kind, Snapshot, State, Update


def recognises(document: object) -> bool:
    """Say whether an answer has a status for each system (v4) or for production and development (v3)."""
    root = Fields(document)
    is_v4 = isinstance(root.values.get("status"), list) and root.has("incidents", "scheduled")
    return is_v4 or (root.fields("status").has("Production", "Development") and root.has("issues"))


def parse(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``/api/v4/current-status`` or ``/api/v3/current-status``."""
    root = Fields(documents[0])
    systems = root.list("status")
    overall = root.worst_impact("status", "status") if systems else _overall_v3(root.fields("status"))
    listed = root.list("incidents", "issues")
    # The page does not say which system an incident touches. Of a single one, the colours of the systems do.
    troubled = tuple(system.title("system") for system in systems if system.impact("status") in {"minor", "major"})
    components = troubled if len(listed) == 1 else ()
    incidents = [_incident(item, "incident", overall, source, components) for item in listed]
    maintenances = [_incident(item, "maintenance", "maintenance", source) for item in root.list("scheduled")]
    return assemble_snapshot([*incidents, *maintenances], overall)


def _overall_v3(status: Fields) -> Impact:
    return worst(status.impact("Production"), status.impact("Development"))


def _incident(item: Fields, kind: Kind, impact: Impact, source: str, components: tuple[str, ...] = ()) -> Incident:
    return Incident(
        source=source,
        id=item.title("id"),
        title=item.title("title", "name"),
        state=_state(item, kind),
        impact=impact,
        kind=kind,
        started_at=item.at("scheduled_for", "created_at"),
        updated_at=item.at("updated_at"),
        resolved_at=item.at("resolved_at"),
        url=item.url("full_url", "href"),
        components=item.names("systems", "system", "name") or components,
        updates=tuple(_update(update) for update in item.list("updates")),
    )


def _state(item: Fields, kind: Kind) -> State:
    if item.values.get("resolved") is True:
        return "resolved"
    state = item.state("state")
    return "scheduled" if kind == "maintenance" and state == "unknown" else state


def _update(item: Fields) -> Update:
    return Update(item.at("updated_at", "created_at"), item.state("update_type"), item.body("contents"))
