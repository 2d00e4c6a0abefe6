"""Reads incident.io: its API v2, which needs a key, and its public widget."""

from __future__ import annotations

from collections.abc import Sequence

from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.fields import Fields, objects
from deflect.incidents.providers.words import worst
from deflect.incidents.snapshot import Incident, Snapshot, State, Update

#: The lists of the widget, and the state of a maintenance that stands in them without one.
_WIDGET: dict[str, State] = {
    "ongoing_incidents": "investigating",
    "in_progress_maintenances": "in_progress",
    "scheduled_maintenances": "scheduled",
}
_WIDGET_MARKS = ("ongoing_incidents", "in_progress_maintenances", "current_worst_impact")
_API_LISTS = ("status_page_incidents", "incidents")
_API_MARKS = ("status_page_id", "component_impacts", "published_at")


def recognises(document: object) -> bool:
    """Say whether an answer is the widget's, or a list of API v2, or one incident of either."""
    root = Fields(document)
    return root.has("status_page_incidents", "status_page_incident", *_WIDGET_MARKS) or any(
        item.has(*_API_MARKS) for item in (root, *root.list("incidents"), *objects(document))
    )


def parse(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``/api/v1/summary`` of a page, or ``/v2/status-page-incidents`` of the API."""
    root = Fields(documents[0])
    from_widget = [_of_widget(item, key, source) for key in _WIDGET for item in root.list(key)]
    listed = [*objects(documents[0]), *root.list(*_API_LISTS), root.fields("status_page_incident"), root]
    single = [_of_widget(root, "ongoing_incidents", source)] if root.has("current_worst_impact") else []
    return assemble_snapshot(
        [*from_widget, *single, *(_of_api(item, source) for item in listed if item.has(*_API_MARKS))]
    )


def _of_widget(item: Fields, key: str, source: str) -> Incident:
    is_planned = key.endswith("maintenances")
    state = item.state("status")
    said = item.body("last_update_message")
    return Incident(
        source=source,
        id=item.title("id"),
        title=item.title("name"),
        state=_WIDGET[key] if state == "unknown" else state,
        impact="maintenance" if is_planned else item.impact("current_worst_impact"),
        kind="maintenance" if is_planned else "incident",
        started_at=item.at("started_at", "starts_at", "published_at", "created_at"),
        updated_at=item.at("last_update_at"),
        url=item.url("url"),
        components=item.names("affected_components", "name"),
        updates=(Update(item.at("last_update_at"), state, said),) if said else (),
    )


def _of_api(item: Fields, source: str) -> Incident:
    return Incident(
        source=source,
        id=item.title("id"),
        title=item.title("name"),
        state=item.state("status"),
        impact=worst(*(touched.impact("component_status") for touched in item.list("component_impacts"))),
        started_at=item.at("published_at"),
        url=item.url("url", "permalink"),
        components=item.names("component_impacts", "component_name", "component_id"),
        updates=tuple(_update(update) for update in item.list("updates")),
    )


def _update(item: Fields) -> Update:
    return Update(item.at("published_at"), item.state("incident_status", "status"), item.body("message"))
