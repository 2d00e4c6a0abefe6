"""Tells how long each request was worked on from how long it waited for a free thread.

The router gives one number, which is both. But waiting is shared: who arrives at the same dyno at the same moment waits
about as long, whatever the path. So the wait of a request is what requests of *other* paths took that arrived there
within about two seconds, each path with one vote, and the middle vote counts; what is left is the request's own. Where
nobody else arrived, a request waited for nothing if the dyno was idle, and else nothing can be said. Where the app
itself measured (rack-timeout, lograge, Rails), that counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deflect.diagnose.timeouts.heads import Floats, Ints, Mask
from deflect.diagnose.timeouts.lines import TimingLine
from deflect.diagnose.timeouts.reader import Requests

#: The platform's limit: no first byte within this is an H12.
LIMIT_MS = 30_000.0
#: A request of at least this is slow: far from the half second to aim at, near enough to the limit to matter.
SLOW_MS = 5_000.0
#: Requests that arrive within this of each other wait alike.
_MOMENT_MS = 2_000
#: What neighbours take in so short a time is their own work: nobody waits for a thread.
_NO_WAIT_MS = 500.0
#: A dyno works on after the router gave up, nobody knows how long: it counts as busy for so long.
_AFTERMATH_MS = 60_000
#: A request that took longer, without an error, sent its first byte in time and the rest slowly: it streams.
_STREAM_MS = LIMIT_MS + 1_000
_MAX_SERVICE_MS = (1 << 22) - 1
#: Arrivals are numbers of 36 bits: two years.
_MAX_SPAN_MS = (1 << 36) - (1 << 24)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known about each of some requests; times in milliseconds, not a number where nothing can be said.

    ``own`` is how long the app worked on it, a lower bound where ``is_timeout``; ``wait`` how long it waited for a
    thread before. ``is_measured`` says that the app itself tells. ``n_beside`` counts the requests in flight on the
    same dyno on arrival, ``is_behind`` says that a slow one of another route was among them.
    """

    arrival: Floats
    own: Floats
    wait: Floats
    database: Floats
    is_timeout: Mask
    is_stream: Mask
    is_measured: Mask
    n_beside: Ints
    is_behind: Mask

    def since(self, n: int) -> Evidence:
        """Return it without the first so many requests."""
        return Evidence(*(getattr(self, name)[n:] for name in self.__slots__))


def weigh(requests: Requests, timeout_code: int, timings: Mapping[int, TimingLine]) -> Evidence:
    """Weigh requests, which stand together with all that was in flight beside them."""
    is_timeout = requests["code"] == timeout_code if timeout_code else np.zeros(len(requests), bool)
    service = np.where(is_timeout & np.isnan(requests["service"]), LIMIT_MS, requests["service"])
    has_answer = (requests["code"] == 0) & (requests["status"] != 101)  # 101: a web socket stays open.
    is_stream = has_answer & (service > _STREAM_MS)
    counts = (has_answer | is_timeout) & ~np.isnan(service) & ~np.isnan(requests["time"]) & ~is_stream
    arrival = requests["time"] * 1000 - np.nan_to_num(service)
    own, wait = np.full(len(requests), np.nan), np.full(len(requests), np.nan)
    n_beside, is_behind = np.zeros(len(requests), np.int64), np.zeros(len(requests), bool)
    chosen = np.flatnonzero(counts)
    chosen = chosen[np.argsort(arrival[chosen], kind="stable")]
    chosen = chosen[np.argsort(requests["dyno"][chosen].astype(np.int16), kind="stable")]
    if len(chosen):
        flights = _Flights.of(requests.take(chosen), arrival[chosen], service[chosen], is_timeout[chosen])
        beside, unseen = flights.n_beside(), flights.n_unseen()
        n_beside[chosen], is_behind[chosen] = beside, flights.is_behind()
        shared = flights.neighbours_wait()
        wait[chosen] = np.where(np.isnan(shared) & flights.is_idle(beside, unseen), 0.0, shared)
        own[chosen] = np.fmax(np.maximum(service[chosen] - wait[chosen], 0.0), flights.gaps(unseen))
        # Where all wait until the limit, a time-out says nothing about its own path.
        own[chosen[is_timeout[chosen] & (own[chosen] < SLOW_MS)]] = np.nan
    measured_own, measured_wait, database = _measured(requests["id"], timings)
    is_measured = ~np.isnan(measured_own)
    return Evidence(
        arrival=arrival / 1000,
        own=np.where(is_measured, measured_own, own),
        wait=np.where(np.isnan(measured_wait), wait, measured_wait),
        database=database,
        is_timeout=is_timeout,
        is_stream=is_stream,
        is_measured=is_measured,
        n_beside=n_beside,
        is_behind=is_behind,
    )


@dataclass(frozen=True, slots=True)
class _Flights:
    """Requests with a known time, sorted by dyno and arrival; arrival and duration in whole milliseconds."""

    dyno: Ints
    route: Ints
    arrival: Ints
    service: Ints
    is_timeout: Mask

    @classmethod
    def of(cls, requests: Requests, arrival: Floats, service: Floats, is_timeout: Mask) -> _Flights:
        return cls(
            requests["dyno"].astype(np.int64),
            requests["route"].astype(np.int64),
            _since_first(arrival) + 2 * _MOMENT_MS,
            np.clip(np.round(service), 0, _MAX_SERVICE_MS).astype(np.int64),
            is_timeout,
        )

    def neighbours_wait(self) -> Floats:
        """Return what requests of other routes took that arrived at about the same moment; nan where none did."""
        # The moment of each arrival: dynos have moments of their own, with room between them.
        mine = (self.dyno << 40) | (self.arrival // _MOMENT_MS)
        is_new = _changes(mine)
        moments, place = mine[is_new], np.cumsum(is_new) - 1
        then = self._votes(place)
        before, after = (_look_up(moments, then, moments + step) for step in (-1, 1))
        # A jam may begin or end at any time: without a vote of the moment itself it takes those of both sides.
        waits = np.where(np.isnan(then), np.maximum(before, after), np.fmax(np.fmax(before, after), then))
        waits = np.where(waits < _NO_WAIT_MS, 0.0, waits)
        return waits.take(place)

    def _votes(self, place: Ints) -> Floats:
        """Return the lower middle of the routes' shortest times in each moment; nan where fewer than two arrived."""
        ballots = np.sort((place << 36) | (self.route << 22) | self.service)
        first = ballots[_changes(ballots >> 22)]  # A route's shortest.
        votes = np.sort(((first >> 36) << 22) | (first & _MAX_SERVICE_MS))
        n_votes = np.bincount(votes >> 22)
        middle = np.cumsum(n_votes) - n_votes + (n_votes - 1) // 2
        return np.where(n_votes > 1, (votes[middle] & _MAX_SERVICE_MS).astype(np.float64), np.nan)

    def gaps(self, n_unseen: Ints) -> Floats:
        """Return how long nothing else left the dyno before each request left it: it was being worked on all the while.

        It began on its arrival or when another left, so this much is its own, however many threads there are. It is 0
        where one that had timed out may have left unseen.
        """
        leaves = self.arrival + self.service
        order = np.lexsort((leaves, self.dyno))
        before = np.empty(len(order), np.int64)
        before[order] = np.append(0, leaves[order][:-1])
        is_same = np.empty(len(order), bool)
        is_same[order] = np.append(False, self.dyno[order][1:] == self.dyno[order][:-1])
        begins = np.maximum(self.arrival, np.where(is_same, before, self.arrival))
        return np.where((n_unseen == 0) & is_same & ~self.is_timeout, leaves - begins, 0).astype(np.float64)

    def n_beside(self) -> Ints:
        """Count what was in flight on the same dyno on arrival: as ``_n_in_flight`` does of everyone, but sooner."""
        mine = (self.dyno << 36) | self.arrival
        is_new = _changes(mine)
        n_arrived = np.flatnonzero(is_new).take(np.cumsum(is_new) - 1)
        return n_arrived - np.searchsorted(np.sort(mine + self.service), mine, "right")

    def n_unseen(self) -> Ints:
        """Count what had timed out or was going to, and could have kept the same dyno busy on arrival."""
        return self._n_in_flight(self.dyno, self.is_timeout, self._busy())

    def is_idle(self, n_beside: Ints, n_unseen: Ints) -> Mask:
        """Say on whose arrival the dyno had nothing to do, nor could have."""
        n_counted_twice = self._n_in_flight(self.dyno, self.is_timeout, self.service)
        is_idle: Mask = n_beside + n_unseen == n_counted_twice
        return is_idle

    def is_behind(self) -> Mask:
        """Say on whose arrival the dyno had, or could have, a slow request of another route."""
        slow = self.service >= SLOW_MS
        routes = (self.dyno << 14) | self.route
        n_slow, n_own = (self._n_in_flight(group, slow, self._busy()) for group in (self.dyno, routes))
        is_behind: Mask = n_slow > n_own
        return is_behind

    def _busy(self) -> Ints:
        """Return how long a request may have kept its dyno busy."""
        return self.service + np.where(self.is_timeout, _AFTERMATH_MS, 0)

    def _n_in_flight(self, group: Ints, members: Mask, busy: Ints) -> Ints:
        """Count, on each arrival, the members of its group that had arrived before and had not left."""
        arrivals = np.sort((group[members] << 36) | self.arrival[members])
        leavings = np.sort((group[members] << 36) | (self.arrival + busy)[members])
        mine = (group << 36) | self.arrival
        return np.searchsorted(arrivals, mine, "left") - np.searchsorted(leavings, mine, "right")


def _changes(values: Ints) -> Mask:
    """Say which values differ from the one before them; the first does."""
    return np.append(True, values[1:] != values[:-1])


def _since_first(arrival: Floats) -> Ints:
    """Return whole milliseconds since the first arrival; where a clock was wrong by years, gaps are cut to hours."""
    whole = np.round(arrival).astype(np.int64)
    if whole.max() - whole.min() > _MAX_SPAN_MS:
        order = np.argsort(whole, kind="stable")
        gaps = np.minimum(np.diff(whole[order], prepend=whole[order[0]]), 2 * _MAX_SERVICE_MS)
        whole[order] = np.minimum(np.cumsum(gaps), _MAX_SPAN_MS)
    since: Ints = whole - whole.min()
    return since


def _look_up(keys: Ints, values: Floats, wanted: Ints) -> Floats:
    """Return the value of each wanted key; nan where it is not among the keys, which are sorted."""
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, values[place], np.nan)


def _measured(ids: npt.NDArray[np.uint64], timings: Mapping[int, TimingLine]) -> tuple[Floats, Floats, Floats]:
    """Return what the app itself measured: its own time, the wait before, and the database's part."""
    empty = np.full(len(ids), np.nan)
    if not timings:
        return empty, empty.copy(), empty.copy()
    keys = np.array(list(timings), np.uint64)
    order = np.argsort(keys)
    values = np.array([(line.own_ms, line.wait_ms, line.database_ms) for line in timings.values()])[order]
    place = np.minimum(np.searchsorted(keys[order], ids), len(keys) - 1)
    found = np.where((keys[order][place] == ids)[:, None], values[place], np.nan)
    return found[:, 0], found[:, 1], found[:, 2]
