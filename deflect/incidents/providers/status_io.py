"""Reads Status.io, which writes numbers for words."""

from __future__ import annotations

from collections.abc import Sequence

from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.fields import Fields
from deflect.incidents.providers.words import worst
from deflect.incidents.snapshot import Impact, Incident, Kind, Snapshot, State, Update

_IMPACTS: dict[int, Impact] = {
    100: "none",
    200: "maintenance",
    300: "minor",  # Degraded performance.
    400: "major",  # Partial disruption.
    500: "critical",  # Disruption.
    600: "critical",  # Security event.
}
_STATES: dict[Kind, dict[int, State]] = {
    "incident": {100: "investigating", 200: "identified", 300: "monitoring", 400: "resolved"},
    "maintenance": {100: "scheduled", 200: "in_progress", 300: "completed"},
}


def recognises(document: object) -> bool:
    """Say whether an answer has a result with an overall status."""
    return Fields(document).fields("result").has("status_overall")


def parse(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``/1.0/status/{id}``."""
    result = Fields(documents[0]).fields("result")
    planned = result.fields("maintenance")
    return assemble_snapshot(
        [
            *(_incident(item, "incident", "unknown", source) for item in result.list("incidents")),
            *(_incident(item, "maintenance", "in_progress", source) for item in planned.list("active")),
            *(_incident(item, "maintenance", "scheduled", source) for item in planned.list("upcoming")),
        ],
        _IMPACTS.get(result.fields("status_overall").number("status_code") or 0, "unknown"),
    )


def _incident(item: Fields, kind: Kind, state: State, source: str) -> Incident:
    messages = item.list("messages")
    numbers = [item.number("status_code"), *(message.number("status") for message in messages)]
    impact = worst(*(_IMPACTS.get(number or 0, "unknown") for number in numbers))
    return Incident(
        source=source,
        id=item.title("_id", "id"),
        title=item.title("name"),
        state=state,  # Of an incident, its latest message tells.
        impact="maintenance" if kind == "maintenance" else impact,
        kind=kind,
        started_at=item.at("datetime_planned_start", "datetime_open"),
        resolved_at=item.at("datetime_resolved"),
        components=item.names("components_affected", "name"),
        regions=item.names("containers_affected", "name"),
        updates=tuple(_update(message, kind) for message in messages),
    )


def _update(item: Fields, kind: Kind) -> Update:
    state = _STATES[kind].get(item.number("state") or 0, "unknown")
    return Update(item.at("datetime"), state, item.body("details"))
