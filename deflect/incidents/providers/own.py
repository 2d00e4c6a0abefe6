"""Reads deflect's own shape: a file that an operator writes by hand, and the snapshot that a feed keeps on disk.

It is plain text, no HTML: ``<b>`` is shown as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence

from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.fields import Fields
from deflect.incidents.snapshot import Incident, Kind, Snapshot, State, Update

#: Where the operator writes no state.
_FIRST_STATE: dict[Kind, State] = {"incident": "investigating", "maintenance": "scheduled"}


def recognises(document: object) -> bool:
    """Say whether an answer has a list of incidents or maintenances."""
    root = Fields(document)
    return any(isinstance(root.values.get(key), list) for key in ("incidents", "maintenances"))


def parse(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``{"incidents": [...], "maintenances": [...]}``."""
    root = Fields(documents[0])
    incidents = [_incident(item, "incident", source) for item in root.list("incidents")]
    maintenances = [_incident(item, "maintenance", source) for item in root.list("maintenances")]
    return assemble_snapshot([*incidents, *maintenances], root.impact("overall"))


def _incident(item: Fields, kind: Kind, source: str) -> Incident:
    has_state = item.verbatim_line("state") or item.list("updates")
    return Incident(
        source=source,
        id=item.verbatim_line("id"),
        title=item.verbatim_line("title"),
        state=item.state("state") if has_state else _FIRST_STATE[kind],
        impact="maintenance" if kind == "maintenance" else item.impact("impact"),
        kind=kind,
        started_at=item.at("started_at"),
        updated_at=item.at("updated_at"),
        resolved_at=item.at("resolved_at"),
        url=item.url("url"),
        components=item.verbatim_names("components"),
        regions=item.verbatim_names("regions"),
        updates=tuple(Update(u.at("at"), u.state("state"), u.verbatim("body")) for u in item.list("updates")),
    )
