"""What a status page does not say: when an incident that it no longer lists was over, and what is old news."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from deflect.incidents.snapshot import Incident, Snapshot, State

#: An entry of a feed that tells no state is taken for current this long.
_NEWS_AGE = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Grace:
    """How long what is over stays, seen from ``now``; ``lists_news`` as in Provider."""

    now: datetime
    time: timedelta
    lists_news: bool = False

    def apply(self, fresh: Snapshot, before: Snapshot, source: str) -> Snapshot:
        """Return a snapshot in which what is over stays for the grace time, as resolved, and goes then.

        Most pages list an incident no longer once it is over: what was on in the snapshot before, came from the same
        source and is gone now, is over now.
        """
        return replace(
            fresh,
            incidents=self._kept(fresh.incidents, before.incidents, source),
            maintenances=self._kept(fresh.maintenances, before.maintenances, source),
        )

    def _kept(self, fresh: Sequence[Incident], before: Sequence[Incident], source: str) -> tuple[Incident, ...]:
        listed = {incident.id for incident in fresh}
        unlisted = [incident for incident in before if incident.source == source and incident.id not in listed]
        # A maintenance that was to come and is gone was called off.
        over = [self._ended(incident) for incident in unlisted if incident.state != "scheduled"]
        return tuple(incident for incident in (*fresh, *over) if self._is_worth_showing(incident))

    def _ended(self, incident: Incident) -> Incident:
        """Return an incident that is no longer listed, as over since now if it was not yet."""
        if incident.is_over:
            return incident
        state: State = "completed" if incident.kind == "maintenance" else "resolved"
        return replace(incident, state=state, resolved_at=self.now)

    def _is_worth_showing(self, incident: Incident) -> bool:
        if incident.is_over:
            return incident.resolved_at is not None and self.now - incident.resolved_at <= self.time
        if self.lists_news and incident.state == "unknown":
            return incident.updated_at is not None and self.now - incident.updated_at <= _NEWS_AGE
        return True
