"""Reads Better Stack: a status page as JSON:API."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.fields import Fields
from deflect.incidents.providers.json_api import JsonApi
from deflect.incidents.providers.words import worst
from deflect.incidents.snapshot import Impact, Incident, Snapshot, State, Update


def recognises(document: object) -> bool:
    """Say whether an answer is a status page with an aggregate state."""
    return Fields(document).fields("data").fields("attributes").has("aggregate_state")


def parse(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``/index.json``."""
    answer = JsonApi(documents[0])
    names = {
        item.title("id"): item.fields("attributes").title("public_name", "name")
        for item in answer.of_type("status_page_resource")
    }
    overall = Fields(documents[0]).fields("data").fields("attributes").impact("aggregate_state")
    reports = answer.of_type("status_report")
    return assemble_snapshot((_incident(item, answer, names, source) for item in reports), overall)


def _incident(item: Fields, answer: JsonApi, names: Mapping[str, str], source: str) -> Incident:
    said = item.fields("attributes")
    is_planned = said.title("report_type") == "maintenance"
    updates = [update.fields("attributes") for update in answer.related(item, "status_updates")]
    touched = said.list("affected_resources")
    state = _state(said, is_planned=is_planned)
    return Incident(
        source=source,
        id=item.title("id"),
        title=said.title("title"),
        state=state,
        impact="maintenance" if is_planned else worst(said.impact("aggregate_state"), _impact([said, *updates])),
        kind="maintenance" if is_planned else "incident",
        started_at=said.at("starts_at"),
        resolved_at=None if is_planned else said.at("ends_at"),
        components=tuple(dict.fromkeys(name for resource in touched if (name := _name(resource, names)))),
        updates=tuple(Update(update.at("published_at"), "unknown", update.body("message")) for update in updates),
    )


def _state(said: Fields, *, is_planned: bool) -> State:
    """Return the state, which Better Stack does not write: an end, or what the resources suffer, tells."""
    if is_planned:
        return "in_progress" if said.impact("aggregate_state") == "maintenance" else "scheduled"
    return "resolved" if said.at("ends_at") or said.impact("aggregate_state") == "none" else "investigating"


def _impact(reports: Iterable[Fields]) -> Impact:
    return worst(*(report.worst_impact("affected_resources", "status") for report in reports))


def _name(resource: Fields, names: Mapping[str, str]) -> str:
    return names.get(resource.title("status_page_resource_id"), "") or resource.title("public_name", "name")
