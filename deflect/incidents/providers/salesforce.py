"""Reads the Salesforce Trust API, where Heroku's incidents stand when Heroku's own status API does not answer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from deflect.errors import NoStatusPageError
from deflect.incidents.providers.assembly import assemble_snapshot
from deflect.incidents.providers.fields import Fields, objects
from deflect.incidents.providers.plain_text import one_line
from deflect.incidents.providers.words import worst
from deflect.incidents.snapshot import Impact, Incident, Snapshot, State, Update

#: What a customer of Heroku calls a service of Heroku, by its key at Salesforce.
_SYSTEMS = {
    "HerokuApps": "Apps",
    "Apps": "Apps",
    "HerokuData": "Data",
    "Data": "Data",
    "TOOLS": "Tools",
    "Tools": "Tools",
    "CLI": "Tools",
    "Dashboard": "Tools",
    "Platform API": "Tools",
}
_MARKS = ("instanceKeys", "serviceKeys", "IncidentImpacts", "IncidentEvents")


def recognises(document: object) -> bool:
    """Say whether an answer is a list of incidents with the keys of instances."""
    return any(item.has(*_MARKS) for item in objects(document))


def parse(documents: Sequence[object], source: str) -> Snapshot:
    """Read ``/incidents/active``, ``/instances?products=Heroku`` and ``/maintenances?product=Heroku``.

    Without the instances it cannot be told which incidents are Heroku's. That raises NoStatusPageError.
    """
    active, instances, maintenances = (*documents, None, None)[:3]
    if not isinstance(active, list) or not isinstance(instances, list):
        msg = f"{source} must list active incidents and Heroku's instances, got something else"
        raise NoStatusPageError(msg)
    locations = {item.title("key"): item.title("location") for item in objects(instances)}
    ours = [item for item in objects(active) if item.values.get("affectsAll") is True or _keys(item) & locations.keys()]
    incidents = [_incident(item, locations, source) for item in ours]
    works = [item for item in objects(maintenances) if _keys(item) & locations.keys()]
    planned = [_maintenance(item, locations, source) for item in works]
    return assemble_snapshot([*incidents, *planned], worst("none", *(incident.impact for incident in incidents)))


def _keys(item: Fields) -> set[str]:
    return set(item.names("instanceKeys", "key"))


def _incident(item: Fields, locations: dict[str, str], source: str) -> Incident:
    impacts = item.list("IncidentImpacts")
    incident_id = item.title("id")
    explained = item.fields("message").body("rootCause", "actionPlan", "pathToResolution")
    events = [_event(event) for event in item.list("IncidentEvents")]
    state: State = "investigating" if all(event.state == "unknown" for event in events) else "unknown"
    systems = _systems(item)
    return Incident(
        source=source,
        id=incident_id,
        title=item.title("title") or (f"Incident affecting {', '.join(systems)}" if systems else "Incident"),
        state=state,
        impact=_open_impact(impacts),
        started_at=min((at for impact in impacts if (at := impact.at("startTime"))), default=item.at("createdAt")),
        updated_at=item.at("updatedAt"),
        url=f"https://status.salesforce.com/incidents/{incident_id}" if incident_id.isalnum() else "",
        components=systems,
        regions=_regions(item, locations),
        updates=(*events, *([Update(item.at("updatedAt"), "unknown", explained)] if explained else [])),
    )


def _maintenance(item: Fields, locations: dict[str, str], source: str) -> Incident:
    return Incident(
        source=source,
        id=item.title("id"),
        title=item.title("name", "title") or "Maintenance",
        state=item.state("status") if item.state("status") != "unknown" else "scheduled",
        impact="maintenance",
        kind="maintenance",
        started_at=item.at("plannedStartTime", "createdAt"),
        updated_at=item.at("updatedAt"),
        components=_systems(item),
        regions=_regions(item, locations),
    )


def _event(item: Fields) -> Update:
    return Update(item.at("createdAt", "updatedAt"), item.state("type"), item.body("message"))


def _open_impact(impacts: Iterable[Fields]) -> Impact:
    """Return the worst impact that has no end yet."""
    return worst(*(impact.impact("severity") for impact in impacts if impact.at("endTime") is None))


def _systems(item: Fields) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_SYSTEMS.get(key, one_line(key)) for key in item.names("serviceKeys", "key")))


def _regions(item: Fields, locations: dict[str, str]) -> tuple[str, ...]:
    found = (locations.get(key, "") for key in item.names("instanceKeys", "key"))
    return tuple(dict.fromkeys(location for location in found if location))
