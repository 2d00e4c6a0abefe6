"""Says which routes are slow by themselves and which only waited behind them. A false accusation is worse than silence.

Waiting hits all routes of a dyno alike, so a route whose requests are slow *by themselves* far more often than those of
all others cannot be explained by bad luck: that is a binomial test against the rate of the others. It is held up to
every route of the log at once (Bonferroni), so a log with more routes does not find more culprits by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from deflect.diagnose.timeouts.evidence import SLOW_MS

Verdict = Literal["culprit", "victim", "slow", "stream", "unclear", "fine"]

#: A culprit has at least so many slow requests, and this part of its requests is slow by itself: its p95 is.
MIN_SLOW = 3
_MIN_SLOW_FRACTION = 0.05
#: Time-outs alone say something only beside so many quick requests: somebody may have cut the log down to time-outs.
_MIN_QUICK = 10
#: It holds this part of the dynos' own time; what holds less is slow, and harms nobody else.
_MIN_SHARE = 0.02
#: The probability that any route of an innocent log is accused.
_ERROR_RATE = 0.01
#: Its odds of being slow are at least so many times those of the others.
_MIN_ODDS_RATIO = 5.0
#: No rate of the others is taken for lower than this: a log is short, and clocks differ.
_MIN_BASE_RATE = 0.005
#: A route that is not slow in that sense, but takes a second each time and this part of the own time, is one as well.
_HEAVY_MS = 1_000.0
_MIN_HEAVY_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class Record:
    """What the verdict on one route needs to know; ``own`` means by itself, without waiting."""

    n_requests: int
    n_timeouts: int
    n_timeouts_behind: int
    n_streams: int
    n_judged: int
    n_slow: int
    n_slow_answers: int
    n_slow_alone: int
    own_ms: float
    own_p50_ms: float
    own_p95_ms: float

    @property
    def n_accusing(self) -> int:
        """Count the requests that speak against it: without a slow answer, only time-outs with nobody to blame."""
        return self.n_slow if self.n_slow_answers else self.n_slow_alone

    @property
    def is_suspect(self) -> bool:
        """Say whether it must be looked at more closely."""
        return self.n_accusing >= MIN_SLOW and self.n_accusing >= _MIN_SLOW_FRACTION * self.n_judged

    @property
    def is_stream(self) -> bool:
        """Say whether it usually sends its answer for longer than a request may wait for one."""
        return self.n_streams > 0.5 * self.n_requests


def judge(records: Sequence[Record]) -> list[Verdict]:
    """Return the verdict on each route."""
    total_ms = sum(record.own_ms for record in records) or 1.0
    guilty = {i for i in _proved(records) if records[i].own_ms >= _MIN_SHARE * total_ms}
    if not guilty and any(record.n_timeouts for record in records):
        guilty = {i for i, record in enumerate(records) if _is_heavy(record, total_ms)}
    return [_verdict(record, is_guilty=i in guilty) for i, record in enumerate(records)]


def _proved(records: Sequence[Record]) -> list[int]:
    """Return the places of the routes that are slow beyond doubt: the plainest case first, until one is none.

    Each is compared with all that are not proved yet, itself left out: so no culprit hides another, and where waiting
    is told from working badly, which makes all routes look a little slow, none is accused.
    """
    suspects = [i for i, record in enumerate(records) if record.is_suspect and not record.is_stream]
    suspects.sort(key=lambda i: records[i].n_accusing / records[i].n_judged, reverse=True)
    n_slow, n_judged = (sum(counts) for counts in zip(*((r.n_slow, r.n_judged) for r in records), strict=True))
    proved = []
    for i in suspects:
        n_slow, n_judged = n_slow - records[i].n_slow, n_judged - records[i].n_judged
        # The rule of succession: of no other requests at all, half may have been slow.
        rate = max((n_slow + 1) / (n_judged + 2), _MIN_BASE_RATE)
        has_others = records[i].n_slow_answers > 0 or n_judged - n_slow >= _MIN_QUICK
        if not has_others or not _is_proved(records[i], rate, len(records)):
            break
        proved.append(i)
    return proved


def _is_proved(record: Record, rate: float, n_routes: int) -> bool:
    from scipy.special import bdtrc

    n_fast = record.n_judged - record.n_accusing
    is_far = record.n_accusing * (1 - rate) >= _MIN_ODDS_RATIO * rate * n_fast
    chance = bdtrc(record.n_accusing - 1, record.n_judged, rate)
    return is_far and bool(chance * n_routes < _ERROR_RATE)


def _is_heavy(record: Record, total_ms: float) -> bool:
    is_heavy = record.own_p50_ms >= _HEAVY_MS and record.own_ms >= _MIN_HEAVY_SHARE * total_ms
    return is_heavy and record.n_judged >= 10 and not record.is_stream


def _verdict(record: Record, *, is_guilty: bool) -> Verdict:
    if is_guilty:
        return "culprit"
    if record.is_stream:
        return "stream"
    is_fast = record.n_judged >= 2 * MIN_SLOW and record.own_p95_ms < SLOW_MS
    if record.n_timeouts:
        return "victim" if is_fast and record.n_timeouts_behind else "unclear"
    return "slow" if record.is_suspect else "fine"
