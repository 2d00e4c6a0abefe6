"""Reads Instatus."""

from __future__ import annotations

from collections.abc import Sequence

from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.fields import Fields
from deflect.incidents.snapshot import Incident, Kind, Snapshot, Update

_MARKS = ("activeIncidents", "activeMaintenances")
#: What Instatus says of a page; its components and incidents use the common words.
_PAGE = ("UP", "HASISSUES", "UNDERMAINTENANCE")


def recognises(document: object) -> bool:
    """Say whether an answer has active incidents, active maintenances, or a page with one of Instatus' words."""
    root = Fields(document)
    return root.has(*_MARKS) or root.fields("page").title("status") in _PAGE


def parse(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``/summary.json``."""
    root = Fields(documents[0])
    incidents = [_incident(item, "incident", source) for item in root.list("activeIncidents", "incidents")]
    planned = [_incident(item, "maintenance", source) for item in root.list("activeMaintenances", "maintenances")]
    overall = root.fields("page").impact("status")
    is_told_better = overall == "minor" and any(incident.impact != "unknown" for incident in incidents)
    return assemble_snapshot([*incidents, *planned], "unknown" if is_told_better else overall)


def _incident(item: Fields, kind: Kind, source: str) -> Incident:
    url = item.url("url")
    return Incident(
        source=source,
        id=item.title("id") or url,
        title=item.title("name"),
        state=item.state("status"),
        impact="maintenance" if kind == "maintenance" else item.impact("impact"),
        kind=kind,
        started_at=item.at("start", "started", "createdAt"),
        updated_at=item.at("updatedAt"),
        resolved_at=item.at("resolved"),
        url=url,
        components=item.names("components", "name"),
        updates=tuple(_update(update) for update in item.list("updates")),
    )


def _update(item: Fields) -> Update:
    return Update(item.at("started", "createdAt"), item.state("status"), item.body("message", "messageHtml"))
