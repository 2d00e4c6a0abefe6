"""What a status page said at one moment, in one shape whatever the provider."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

State = Literal[
    "investigating",
    "identified",
    "monitoring",
    "resolved",
    "postmortem",
    "scheduled",
    "in_progress",
    "verifying",
    "completed",
    "unknown",
]
Impact = Literal["none", "minor", "major", "critical", "maintenance", "unknown"]
Kind = Literal["incident", "maintenance"]

STATES: tuple[State, ...] = get_args(State)
IMPACTS: tuple[Impact, ...] = get_args(Impact)
#: In these states an incident or a maintenance is over.
OVER: frozenset[State] = frozenset({"resolved", "postmortem", "completed"})


@dataclass(frozen=True, slots=True)
class Update:
    """A comment that the platform posted; ``body`` is plain text, ``at`` is aware, None where the page has no time."""

    at: datetime | None
    state: State
    body: str


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident or a maintenance; ``updates`` come oldest first, all text is plain and comes from strangers."""

    source: str
    id: str
    title: str
    state: State = "unknown"
    impact: Impact = "unknown"
    kind: Kind = "incident"
    started_at: datetime | None = None
    updated_at: datetime | None = None
    resolved_at: datetime | None = None
    url: str = ""
    components: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    updates: tuple[Update, ...] = ()

    @property
    def is_over(self) -> bool:
        """Say whether it is resolved or completed."""
        return self.state in OVER or self.resolved_at is not None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is known of a status page: when it was read, whether that is too long ago, and what was wrong with reading.

    ``overall`` is the page's own word or worst impact. ``error`` is empty where the last reading went well.
    """

    fetched_at: datetime | None = None
    stale: bool = False
    overall: str = "unknown"
    incidents: tuple[Incident, ...] = ()
    maintenances: tuple[Incident, ...] = ()
    error: str = ""
