"""Plays a day with an incident, with and without the banner, under a stated model of customers: no measurement.

What the form says comes from the library itself: a deflector with a status board is asked for each ticket in its
moment. What customers do about it is assumed, and stands in ``Customers``: change it to what you know of yours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from deflect.incidents.board import StatusBoard
from deflect.incidents.snapshot import Incident, Snapshot, Update

if TYPE_CHECKING:
    import numpy as np

    from deflect.line.deflector import Deflector
    from deflect.line.suggestion import Suggestion

_HOUR = 3600.0
_DAY_HOURS = 24.0
_MIDNIGHT = datetime(2026, 11, 23, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Customers:
    """How customers come to the form and what they do there; every figure is an assumption.

    ``visits_per_hour`` open the form on their own business, ``affected_per_hour`` more because of the incident, while
    it is on. Without a banner, ``submit_fraction`` of all visits end in a ticket. A banner (not a quiet line) is read
    by ``read_fraction``; of affected readers ``leave_fraction`` leave without a ticket, and ``return_fraction`` of
    those come back and write one after all; of others ``misled_fraction`` leave though they should not.
    """

    visits_per_hour: float = 12.0
    affected_per_hour: float = 120.0
    submit_fraction: float = 0.8
    read_fraction: float = 0.8
    leave_fraction: float = 0.7
    return_fraction: float = 0.1
    misled_fraction: float = 0.05


@dataclass(frozen=True, slots=True)
class IncidentDay:
    """The day's incident: when it begins, is posted and is resolved, in hours of the day, and what the page says."""

    incident: Incident
    starts: float = 14.0
    posted: float = 14.0 + 10 / 60
    resolved: float = 15.5

    def snapshot(self, hour: float) -> Snapshot:
        """Return what the status page says at an hour of the day."""
        at = _MIDNIGHT + timedelta(hours=hour)
        if hour < self.posted:
            return Snapshot(fetched_at=at)
        begun = replace(self.incident, started_at=_MIDNIGHT + timedelta(hours=self.starts))
        if hour < self.resolved:
            return Snapshot(fetched_at=at, incidents=(begun,))
        over = _MIDNIGHT + timedelta(hours=self.resolved)
        last = Update(over, "resolved", "This incident is resolved.")
        ended = replace(begun, state="resolved", resolved_at=over, updates=(*begun.updates, last))
        return Snapshot(fetched_at=at, incidents=(ended,))


@dataclass(frozen=True, slots=True)
class DayTickets:
    """The tickets of one simulated day, of the same visits with and without the banner.

    ``n_affected`` visits came because of the incident; ``n_misled`` tickets on other business were not written though
    they should have been.
    """

    n_visits: int
    n_affected: int
    n_without: int
    n_with: int
    n_misled: int

    @property
    def avoided_fraction(self) -> float:
        """Return the share of the tickets that the banner avoided."""
        return 1 - self.n_with / self.n_without if self.n_without else 0.0


def simulate_day(
    deflector: Deflector,
    day: IncidentDay,
    *,
    affected: Sequence[str],
    others: Sequence[str],
    rng: np.random.Generator,
    customers: Customers | None = None,
) -> DayTickets:
    """Play one day.

    Parameters
    ----------
    deflector
        Answers the tickets; its own incidents are put aside for the day's.
    day
        The incident.
    affected, others
        What affected customers write, and what others do; each visit draws one.
    rng
        Draws the visits and what they do.
    customers
        How customers behave; None takes the defaults.

    Returns
    -------
    The tickets with and without the banner.

    """
    model = customers or Customers()
    clock = _Clock(day)
    board = StatusBoard(clock, clock=clock.now)
    kept, deflector.incidents = deflector.incidents, board
    try:
        own = [_visit(hour, others, rng) for hour in _arrivals(model.visits_per_hour, 0.0, _DAY_HOURS, rng)]
        hit = [
            _visit(hour, affected, rng) for hour in _arrivals(model.affected_per_hour, day.starts, day.resolved, rng)
        ]
        shown = [_is_shown(deflector.suggest, clock, *visit) for visit in (*own, *hit)]
    finally:
        deflector.incidents = kept
    return _tickets(model, shown, len(own), rng)


class _Clock:
    """Tells the hour of the day, and what the status page says at it."""

    def __init__(self, day: IncidentDay) -> None:
        self._day = day
        self.hour = 0.0

    @property
    def snapshot(self) -> Snapshot:
        return self._day.snapshot(self.hour)

    def now(self) -> datetime:
        return _MIDNIGHT + timedelta(hours=self.hour)


def _arrivals(per_hour: float, start: float, end: float, rng: np.random.Generator) -> list[float]:
    """Return the hours at which visits begin: a Poisson process."""
    hours: list[float] = rng.uniform(start, end, rng.poisson(per_hour * (end - start))).tolist()
    return hours


def _visit(hour: float, texts: Sequence[str], rng: np.random.Generator) -> tuple[float, str]:
    return hour, texts[int(rng.integers(len(texts)))]


def _is_shown(suggest: Callable[[str], Suggestion], clock: _Clock, hour: float, text: str) -> bool:
    clock.hour = hour
    banner = suggest(text).banner
    return banner is not None and banner.level == "banner"


def _tickets(model: Customers, shown: Sequence[bool], n_own: int, rng: np.random.Generator) -> DayTickets:
    """Draw what each visit does, once, and count the tickets with and without the banner."""
    n_without = n_with = n_misled = 0
    for place, is_shown in enumerate(shown):
        submits, reads, leaves, returns, is_misled = rng.random(5) < (
            model.submit_fraction,
            model.read_fraction,
            model.leave_fraction,
            model.return_fraction,
            model.misled_fraction,
        )
        is_own = place < n_own
        leaves = is_misled if is_own else leaves and not returns
        is_avoided = is_shown and reads and leaves
        n_without += bool(submits)
        n_with += bool(submits and not is_avoided)
        n_misled += bool(submits and is_avoided and is_own)
    return DayTickets(len(shown), len(shown) - n_own, n_without, n_with, n_misled)
