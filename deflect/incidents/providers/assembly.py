"""Puts incidents and snapshots together: what every provider needs, whatever its answer looks like."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from deflect.incidents.providers.fields import MAX_ITEMS
from deflect.incidents.providers.words import worst
from deflect.incidents.snapshot import OVER, Impact, Incident, Snapshot, Update

_EARLIEST = datetime.min.replace(tzinfo=UTC)
#: Of more updates, the latest are kept.
_MAX_UPDATES = 100


def assemble_incident(incident: Incident) -> Incident:
    """Sort the updates of an incident, and fill what they tell: state, id, and when it began, changed and was over.

    Updates without a text and a state are left out.
    """
    told = (update for update in incident.updates if update.body or update.state != "unknown")
    updates = tuple(sorted(told, key=lambda update: update.at or _EARLIEST)[-_MAX_UPDATES:])
    times = [update.at for update in updates if update.at]
    state = incident.state
    if state == "unknown":
        state = next((update.state for update in reversed(updates) if update.state != "unknown"), state)
    updated_at = incident.updated_at or (times[-1] if times else incident.started_at)
    over_at = [update.at for update in updates if update.state in OVER and update.at]
    resolved_at = incident.resolved_at
    if resolved_at is None and state in OVER:
        resolved_at = over_at[0] if over_at else updated_at
    return replace(
        incident,
        id=incident.id or _made_up_id(incident),
        title=incident.title or _first_line(updates),
        state=state,
        started_at=incident.started_at or (times[0] if times else None),
        updated_at=updated_at,
        resolved_at=resolved_at,
        updates=updates,
    )


def assemble_snapshot(incidents: Iterable[Incident], overall: Impact = "unknown") -> Snapshot:
    """Put incidents and maintenances into a snapshot, each newest first; those that say nothing at all are left out."""
    all_of_them = [assemble_incident(incident) for incident in incidents if incident.title or incident.updates]
    all_of_them.sort(key=lambda incident: incident.started_at or _EARLIEST, reverse=True)
    on = [incident for incident in all_of_them if incident.kind == "incident"]
    if overall == "unknown":
        overall = worst("none", *(incident.impact for incident in on if not incident.is_over))
    return Snapshot(
        overall=overall,
        incidents=tuple(on[:MAX_ITEMS]),
        maintenances=tuple(incident for incident in all_of_them if incident.kind == "maintenance")[:MAX_ITEMS],
    )


def _made_up_id(incident: Incident) -> str:
    """Return an id that stays the same from one reading to the next, for an incident that came without."""
    words = f"{incident.kind} {incident.title} {incident.started_at}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _first_line(updates: tuple[Update, ...]) -> str:
    return next((update.body.partition("\n")[0][:100] for update in updates if update.body), "")
