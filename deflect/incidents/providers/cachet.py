"""Reads Cachet 1 and 2 (numbers for words) and Cachet 3 (JSON:API)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.fields import Fields
from deflect.incidents.providers.json_api import JsonApi
from deflect.incidents.providers.words import worst
from deflect.incidents.snapshot import Impact, Incident, Kind, Snapshot, State, Update

#: The status of an incident or an update; 0 is one that is not classified, or a maintenance.
_STATES: dict[int, State] = {1: "investigating", 2: "identified", 3: "monitoring", 4: "resolved"}
#: The status of a component.
_IMPACTS: dict[int, Impact] = {1: "none", 2: "minor", 3: "major", 4: "critical", 5: "unknown", 6: "maintenance"}
_INCIDENT_1 = ("human_status", "latest_human_status", "component_id", "message")
_COMPONENT_1 = ("status_name",)
_MARKS_3 = ("incidents", "incident")


def recognises_1(document: object) -> bool:
    """Say whether an answer is a list of incidents or components of Cachet 1 or 2; it may be empty."""
    data = Fields(document).values.get("data")
    return isinstance(data, list) and all(Fields(item).has(*_INCIDENT_1, *_COMPONENT_1) for item in data)


def recognises_3(document: object) -> bool:
    """Say whether an answer is a list of incidents of Cachet 3."""
    return any(
        item.title("type") in _MARKS_3 and item.fields("attributes").has("guid", "visible", "occurred")
        for item in JsonApi(document).data
    )


def parse_1(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``/api/v1/incidents`` and, where they could be read, ``/api/v1/components``."""
    listed = [item for document in documents for item in Fields(document).list("data")]
    components = {item.title("id"): item for item in listed if not item.has(*_INCIDENT_1)}
    items = [item for item in listed if item.has(*_INCIDENT_1) and _is_shown(item)]
    overall = worst("none", *(_IMPACTS.get(item.number("status") or 0, "unknown") for item in components.values()))
    return assemble_snapshot((_incident_1(item, components, source) for item in items), overall)


def parse_3(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``/api/incidents?include=components,updates``."""
    answer = JsonApi(documents[0])
    shown = [item for item in answer.of_type(*_MARKS_3) if _is_shown(item.fields("attributes"))]
    return assemble_snapshot(_incident_3(item, answer, source) for item in shown)


def _is_shown(item: Fields) -> bool:
    return item.values.get("visible") not in [0, "0"]


def _incident_1(item: Fields, components: dict[str, Fields], source: str) -> Incident:
    component = components.get(item.title("component_id"), Fields(None))
    is_planned = item.at("scheduled_at") is not None and item.number("status") == 0
    kind: Kind = "maintenance" if is_planned else "incident"
    created_at = item.at("occurred_at", "created_at")
    name = component.title("name") or item.fields("component").title("name")
    return Incident(
        source=source,
        id=item.title("id"),
        title=item.title("name"),
        state="scheduled" if is_planned else _STATES.get(item.number("latest_status", "status") or 0, "unknown"),
        impact="maintenance" if is_planned else _IMPACTS.get(component.number("status") or 0, "unknown"),
        kind=kind,
        started_at=item.at("scheduled_at") if is_planned else created_at,
        updated_at=item.at("updated_at"),
        url=item.url("permalink"),
        components=(name,) if name else (),
        updates=(
            Update(created_at, _STATES.get(item.number("status") or 0, "unknown"), item.body("message")),
            *(_update(update) for update in item.list("updates")),
        ),
    )


def _incident_3(item: Fields, answer: JsonApi, source: str) -> Incident:
    said = item.fields("attributes")
    components = [component.fields("attributes") for component in answer.related(item, "components")]
    begun_at = _moment(said, "occurred", "created")
    state = _STATES.get(_number(said), "unknown")
    return Incident(
        source=source,
        id=said.title("id") or item.title("id"),
        title=said.title("name"),
        state=state,
        impact=worst(*(_IMPACTS.get(_number(component), "unknown") for component in components)),
        started_at=begun_at,
        updated_at=_moment(said, "updated"),
        url=item.fields("links").url("self") or said.url("permalink"),
        components=_names(components),
        updates=(
            Update(begun_at, "unknown", said.body("message")),
            *(_update(update.fields("attributes")) for update in answer.related(item, "updates", "incidentUpdates")),
        ),
    )


def _update(item: Fields) -> Update:
    return Update(_moment(item, "created", "created_at"), _STATES.get(_number(item), "unknown"), item.body("message"))


def _number(item: Fields) -> int:
    """Read a status: a number, or an object that has it as its value."""
    return item.fields("status").number("value") or item.number("status") or 0


def _moment(item: Fields, *keys: str) -> datetime | None:
    """Read a time: as it is, or an object that has it as ``string``."""
    return next((at for key in keys if (at := item.fields(key).at("string") or item.at(key))), None)


def _names(components: Iterable[Fields]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for component in components if (name := component.title("name"))))
