"""Adds up what is known about requests, by route, dyno, release and time: all that stays of a log of any length."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deflect.diagnose.timeouts.evidence import SLOW_MS, Evidence
from deflect.diagnose.timeouts.heads import Floats, Ints
from deflect.diagnose.timeouts.reader import MAX_DYNOS, MAX_RELEASES, MAX_ROUTES, Requests
from deflect.diagnose.timeouts.timeline import Timeline

Column: TypeAlias = Callable[[Requests, Evidence], npt.NDArray[np.bool_] | Floats]

#: Durations are counted in bins whose edges grow by this factor, so a quantile is off by at most half of it: 2.5 %.
_BIN_RATIO = 1.05
_N_BINS = 284  # 1 millisecond to 17 minutes.

#: What is added up for each route.
COLUMNS: dict[str, Column] = {
    "n_requests": lambda requests, _: np.ones(len(requests)),
    "n_errors": lambda requests, _: (requests["status"] >= 500) | (requests["code"] != 0),
    "n_timeouts": lambda _, evidence: evidence.is_timeout,
    "n_timeouts_behind": lambda _, evidence: evidence.is_timeout & (evidence.is_behind | (evidence.wait >= SLOW_MS)),
    "n_streams": lambda _, evidence: evidence.is_stream,
    "service_ms": lambda requests, _: np.nan_to_num(requests["service"]),
    "own_ms": lambda _, evidence: np.nan_to_num(evidence.own),
    "n_judged": lambda _, evidence: ~np.isnan(evidence.own),
    "n_slow": lambda _, evidence: evidence.own >= SLOW_MS,
    "n_slow_answers": lambda _, evidence: (evidence.own >= SLOW_MS) & (~evidence.is_timeout | evidence.is_measured),
    "n_slow_alone": lambda _, evidence: (evidence.own >= SLOW_MS) & ~evidence.is_behind,
    "n_proved_victims": lambda _, evidence: (
        evidence.is_timeout & evidence.is_measured & (evidence.own < SLOW_MS) & ~(evidence.wait < SLOW_MS)
    ),
    "n_measured": lambda _, evidence: evidence.is_measured,
    "measured_ms": lambda _, evidence: np.where(evidence.database >= 0, evidence.own, 0),
    "database_ms": lambda _, evidence: np.nan_to_num(evidence.database),
}


class Tally:
    """What a log says in numbers; its size depends on nothing but the limits."""

    def __init__(self) -> None:
        self.sums = {name: np.zeros(MAX_ROUTES) for name in COLUMNS}
        self.service_bins = np.zeros((MAX_ROUTES, _N_BINS), np.uint32)
        self.own_bins = np.zeros((MAX_ROUTES, _N_BINS), np.uint32)
        self.judged_by_release = np.zeros((MAX_ROUTES, MAX_RELEASES + 1))
        self.slow_by_release = np.zeros((MAX_ROUTES, MAX_RELEASES + 1))
        self.first_slow_at = np.full(MAX_ROUTES, np.inf)
        self.requests_by_dyno = np.zeros(MAX_DYNOS)
        self.timeouts_by_dyno = np.zeros(MAX_DYNOS)
        self.slow_answers_by_dyno = np.zeros(MAX_DYNOS)
        self.n_beside = np.zeros(2)
        self.timeline = Timeline()

    def add(self, requests: Requests, evidence: Evidence, releases: list[float]) -> None:
        """Add requests and what is known about them; ``releases`` are the times of those so far, in order."""
        routes = requests["route"].astype(np.int64)
        for name, column in COLUMNS.items():
            self.sums[name] += np.bincount(routes, column(requests, evidence), MAX_ROUTES)
        _count(self.service_bins, routes, requests["service"])
        _count(self.own_bins, routes, evidence.own)
        self.requests_by_dyno += np.bincount(requests["dyno"], minlength=MAX_DYNOS)
        self.timeouts_by_dyno += np.bincount(requests["dyno"], evidence.is_timeout, MAX_DYNOS)
        is_slow_answer = ~evidence.is_timeout & (requests["service"] >= SLOW_MS)
        self.slow_answers_by_dyno += np.bincount(requests["dyno"], is_slow_answer, MAX_DYNOS)
        self.n_beside += evidence.n_beside.sum(), evidence.n_beside[evidence.is_timeout].sum()
        timed = np.flatnonzero(~np.isnan(evidence.arrival))
        if len(timed):
            self._add_times(requests.take(timed), evidence, timed, releases)

    def _add_times(self, requests: Requests, evidence: Evidence, timed: Ints, releases: list[float]) -> None:
        routes, arrival, own = requests["route"].astype(np.int64), evidence.arrival[timed], evidence.own[timed]
        is_error = (requests["status"] >= 500) | (requests["code"] != 0)
        self.timeline.add(arrival, routes, own / 1000, is_error, evidence.is_timeout[timed])
        release = np.searchsorted(releases, arrival, "right")
        cell = routes * self.judged_by_release.shape[1] + release
        np.add.at(self.judged_by_release.reshape(-1), cell, (~np.isnan(own)).astype(np.float64))
        slow = own >= SLOW_MS
        np.add.at(self.slow_by_release, (routes[slow], release[slow]), 1)
        np.minimum.at(self.first_slow_at, routes[slow], arrival[slow])

    def mean_own_ms(self, i: int) -> float:
        """Return how long a route works on a request, on average; 0 where nothing is known."""
        return float(self.sums["own_ms"][i] / max(self.sums["n_judged"][i], 1))

    def all_own_ms(self, i: int) -> float:
        """Return how long a route worked on all of its requests: those of which nothing is known were like the rest."""
        return self.mean_own_ms(i) * float(self.sums["n_requests"][i] - self.sums["n_streams"][i])

    def n_before(self, time: float) -> int:
        """Count the requests before a time, to a slot of the time line."""
        is_before = self.timeline.slots * self.timeline.width_seconds < time
        return int(self.timeline.counts[is_before, 0].sum())

    def renumber(self, numbers: Ints) -> None:
        """Give each route another number; what several routes had is added up for the one they become."""
        self.sums = {
            name: np.bincount(numbers, sums[: len(numbers)], MAX_ROUTES).astype(np.float64)
            for name, sums in self.sums.items()
        }
        for name in ("service_bins", "own_bins", "judged_by_release", "slow_by_release"):
            old = getattr(self, name)
            new = np.zeros_like(old)
            np.add.at(new, numbers, old[: len(numbers)])
            setattr(self, name, new)
        first = np.full(MAX_ROUTES, np.inf)
        np.minimum.at(first, numbers, self.first_slow_at[: len(numbers)])
        self.first_slow_at = first
        self.timeline.renumber(numbers)


def _count(bins: npt.NDArray[np.uint32], routes: Ints, milliseconds: Floats) -> None:
    known = ~np.isnan(milliseconds)
    place = np.ceil(np.log(np.maximum(milliseconds[known], 1)) / np.log(_BIN_RATIO)).astype(np.int64)
    np.add.at(bins.reshape(-1), routes[known] * _N_BINS + np.minimum(place, _N_BINS - 1), np.uint32(1))


def quantile(bins: npt.NDArray[np.uint32], fraction: float) -> float:
    """Return a quantile of the durations that were counted, in milliseconds; not a number where there are none."""
    upto = np.cumsum(bins, dtype=np.int64)
    if not upto[-1]:
        return float("nan")
    place = int(np.searchsorted(upto, max(fraction * upto[-1], 1)))
    return float(_BIN_RATIO ** (place - 0.5)) if place else 1.0
