"""How often tickets come: a rate for each stream of them, a profile of the week for all, and when a count is too many.

The model is that of Noufaily et al., "An improved algorithm for outbreak detection in multiple surveillance systems",
Statistics in Medicine 32 (2013): counts are negative binomial, their mean is a level times a season, their variance is
the mean times a dispersion; a count is an alarm when its upper tail is small enough. Two things differ, since tickets
come one by one and no week is waited for:

- the past is forgotten with a half-life, so memory does not grow;
- a count is looked at whenever a ticket comes, in the time before it. For tickets of rate r a month, each tested at
  level a, the expected number of false alarms a month is r * a (Campbell's formula), whatever the windows overlap. What
  a ticket sees is the count of the others, and that, for negative binomial counts of size s, is negative binomial of
  size s + 1 with the same dispersion (its Palm distribution).
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections import deque
from dataclasses import dataclass, field

HOUR, DAY = 3600.0, 86_400.0
MONTH = 30.44 * DAY
#: What a stream is thought to have had before it began: Jeffreys' prior of a Poisson rate.
_PRIOR_TICKETS = 0.5
#: So many tickets of each hour and day are thought to have come at the mean rate: with few, the profile is flat.
_PRIOR_PROFILE = 10.0
#: So many arrivals without clumping are thought to have been seen, before the dispersion is believed.
_PRIOR_ARRIVALS = 20.0
#: No ticket at all for longer than this is a gap in the stream, not a quiet time.
_LONGEST_QUIET = DAY
#: More tickets than this within a window are counted as this many.
_MOST_TIMES = 20_000
#: Times before the longest window are thrown away so many at once.
_KEPT_PAST = 1_000


class _Cells:
    """Tickets and time by hour of the day, or by day of the week."""

    def __init__(self, n_cells: int) -> None:
        self.tickets = [0.0] * n_cells
        self.seconds = [0.0] * n_cells

    def weight(self, cell: int, unit: float) -> float:
        """Return how busy a cell is; 1 is the mean, to which it is drawn while there are few tickets."""
        rate = sum(self.tickets) / max(sum(self.seconds), unit)
        prior = _PRIOR_PROFILE * unit
        return (self.tickets[cell] + prior) / (self.seconds[cell] * rate + prior)


class Baseline:
    """What all streams share: how much the past weighs, the profile of the week, and the time that was watched.

    Sums are kept in units that grow with time, so that the newest ticket weighs ``unit`` and older ones less and less;
    a ratio of two sums needs no units.
    """

    def __init__(self, half_life_days: float) -> None:
        self._half_life = half_life_days * DAY
        self._start: float | None = None
        self._last = 0.0
        self._hours, self._days = _Cells(24), _Cells(7)
        self.unit = 1.0
        self.exposure = 0.0
        self.watched_seconds = 0.0

    def advance(self, at: float) -> None:
        """Watch until a moment, in seconds since 1970, not before the last one."""
        if self._start is None:
            self._start = self._last = at
        passed = at - self._last
        if passed <= _LONGEST_QUIET:
            self._watch(self._last, at)
            self.watched_seconds += passed
        self._last = at

    def learn(self, at: float) -> None:
        """Learn the profile from one more ticket."""
        self._hours.tickets[_hour(at)] += self.unit
        self._days.tickets[_weekday(at)] += self.unit

    def weight(self, at: float) -> float:
        """Return how busy a moment is by its hour and weekday (UTC); 1 is the mean."""
        return self._hours.weight(_hour(at), self.unit) * self._days.weight(_weekday(at), self.unit)

    def _watch(self, start: float, end: float) -> None:
        """Add a time to what was watched, an hour at a time."""
        while start < end:
            stop = min(end, (start // HOUR + 1) * HOUR)
            self.unit = 2 ** ((stop - (self._start or 0.0)) / self._half_life)
            seconds = (stop - start) * self.unit
            self.exposure += seconds * self.weight(start)
            self._hours.seconds[_hour(start)] += seconds
            self._days.seconds[_weekday(start)] += seconds
            start = stop


@dataclass(frozen=True, slots=True)
class Excess:
    """A count in a window that ends with a ticket: how many tickets, how many were expected, and the upper tail."""

    n_tickets: int
    window_seconds: float
    expected: float
    tail: float


@dataclass(slots=True, eq=False)
class Stream:
    """The tickets of one kind: their decayed number, how much they clump in each window, and the last ones' times."""

    windows: tuple[float, ...]
    count: float = 0.0
    times: list[float] = field(default_factory=list)
    surplus: list[float] = field(default_factory=list)
    pending: deque[tuple[float, list[float]]] = field(default_factory=deque)
    alarmed_at: float = -math.inf

    def add(self, at: float, baseline: Baseline) -> list[Excess]:
        """Add a ticket and return what each window that ends with it holds; learn from it afterwards."""
        self.times.append(at)
        n_past = bisect_left(self.times, at - self.windows[-1])
        if n_past > _KEPT_PAST or len(self.times) > _MOST_TIMES:
            del self.times[: max(n_past, len(self.times) - _MOST_TIMES)]
        found = [self._excess(place, at, baseline) for place in range(len(self.windows))]
        self.count += baseline.unit
        return found

    def learn_clumping(self, at: float, found: list[Excess], unit: float) -> None:
        """Learn how much tickets clump on ordinary days, an hour late: the beginning of a surge must not teach it."""
        self.surplus = self.surplus or [0.0] * len(self.windows)
        self.pending.append((at, [unit * (excess.n_tickets - 1 - excess.expected) for excess in found]))
        while at - self.pending[0][0] > self.windows[-1] or len(self.pending) > _MOST_TIMES:
            _, values = self.pending.popleft()
            self.surplus = [known + value for known, value in zip(self.surplus, values, strict=True)]

    def alarm(self, at: float) -> None:
        """Note that the last tickets are too many; they teach nothing about ordinary days."""
        self.alarmed_at = at
        self.pending.clear()

    def _excess(self, place: int, at: float, baseline: Baseline) -> Excess:
        window, unit = self.windows[place], baseline.unit
        n_others = len(self.times) - bisect_left(self.times, at - window) - 1
        shape = self.count / unit + _PRIOR_TICKETS
        level = shape * unit / baseline.exposure if baseline.exposure else 0.0
        expected = level * window * baseline.weight(at - window / 2)
        # The mean surplus of a ticket's neighbours is the dispersion less 1; not knowing the level well adds to it.
        surplus = self.surplus[place] / (self.count + _PRIOR_ARRIVALS * unit) if self.surplus else 0.0
        dispersion = 1 + max(surplus, 0.0) + expected / shape
        return Excess(n_others + 1, window, expected, upper_tail(n_others, expected, dispersion))


def upper_tail(n_others: int, expected: float, dispersion: float) -> float:
    """Return the probability that a ticket sees so many others or more, where ``expected`` come in its window.

    Examples
    --------
    >>> round(upper_tail(2, 1.0, 1.0), 4), round(upper_tail(2, 1.0, 2.0), 4)
    (0.2642, 0.5)

    """
    from scipy.special import betainc, gammainc

    if n_others <= 0:
        return 1.0
    if dispersion - 1 < 1e-9:
        return float(gammainc(n_others, expected))
    size = expected / (dispersion - 1) + 1
    return float(betainc(n_others, size, (dispersion - 1) / dispersion))


def _hour(at: float) -> int:
    return int(at // HOUR) % 24


def _weekday(at: float) -> int:
    # The first of January 1970 was a Thursday.
    return int(at // DAY + 3) % 7
