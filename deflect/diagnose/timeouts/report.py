"""What `diagnose timeouts` returns: findings, and the figures of each route and of the time line."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from deflect.diagnose.finding import Diagnosis, Finding
from deflect.diagnose.timeouts.verdict import Verdict


@dataclass(frozen=True, slots=True)
class Route:
    """The figures of one route: method and path template; times in milliseconds, None where nothing is known.

    ``verdict`` is "culprit" (slow by itself), "victim" (fast by itself, timed out behind others), "slow" (slow by
    itself, but holds too little to harm others), "stream" (answers for longer than 30 seconds), "unclear" (timed out,
    and too little is known) or "fine". ``own`` times leave out what a request waited for a thread.
    ``n_timeouts_behind`` counts the time-outs that waited behind others, ``share_fraction`` is its part of all the
    dynos' own time, ``since`` the release after which it was first slow.
    """

    method: str
    path: str
    verdict: Verdict
    n_requests: int
    n_errors: int
    n_timeouts: int
    n_timeouts_behind: int
    n_proved_victims: int
    share_fraction: float
    p50_ms: float | None
    p95_ms: float | None
    p99_ms: float | None
    own_p50_ms: float | None
    own_p95_ms: float | None
    own_p99_ms: float | None
    n_judged: int
    n_slow: int
    n_measured: int
    database_fraction: float | None = None
    first_slow_at: str | None = None
    since: str | None = None
    advice: str | None = None

    @property
    def name(self) -> str:
        """Return method and path."""
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class Slot:
    """What arrived in one slot of the time line; ``culprit_seconds`` is the own work of each culprit, in order."""

    begins_at: str
    n_requests: int
    n_errors: int
    n_timeouts: int
    culprit_seconds: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class CodeCount:
    """How often a code was seen, and when."""

    code: str
    title: str
    n: int
    first_at: str | None
    last_at: str | None


@dataclass(frozen=True, slots=True)
class Dyno:
    """What one dyno did; ``n_slow_answers`` took 5 seconds or more, waiting included, and were answered."""

    name: str
    n_requests: int
    n_timeouts: int
    n_slow_answers: int


@dataclass(frozen=True, slots=True)
class Release:
    """A release or deploy that the log tells of."""

    at: str
    name: str


@dataclass(frozen=True, slots=True)
class TimeoutsDiagnosis(Diagnosis):
    """A diagnosis with figures: ``routes`` from the most own time to the least, and the ``timeline`` in slots.

    ``n_beside`` is how many other requests were in flight on the same dyno when one arrived, on average, and
    ``n_beside_timeouts`` the same for those that timed out.

    Examples
    --------
    >>> TimeoutsDiagnosis("timeouts", "app.log", n_requests=10).culprits
    ()

    """

    n_lines: int = 0
    n_requests: int = 0
    n_timeouts: int = 0
    begins_at: str | None = None
    ends_at: str | None = None
    n_beside: float = 0.0
    n_beside_timeouts: float = 0.0
    routes: tuple[Route, ...] = ()
    dynos: tuple[Dyno, ...] = ()
    codes: tuple[CodeCount, ...] = ()
    releases: tuple[Release, ...] = ()
    slot_seconds: int = 1
    timeline: tuple[Slot, ...] = ()

    @property
    def culprits(self) -> tuple[Route, ...]:
        """Return the routes that are slow by themselves and hold the dynos, the worst first."""
        return tuple(route for route in self.routes if route.verdict == "culprit")

    @property
    def victims(self) -> tuple[Route, ...]:
        """Return the routes that are fast by themselves and timed out behind others."""
        return tuple(route for route in self.routes if route.verdict == "victim")

    def with_findings(self, findings: tuple[Finding, ...]) -> TimeoutsDiagnosis:
        """Return the same figures with other findings."""
        return dataclasses.replace(self, findings=findings)

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values, for JSON."""
        return {**dataclasses.asdict(self), "is_fine": self.is_fine}
