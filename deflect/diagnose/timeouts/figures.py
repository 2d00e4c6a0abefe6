"""Makes the figures that people and programs read out of what was added up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from deflect.diagnose.timeouts.advice import advise
from deflect.diagnose.timeouts.codes import explain
from deflect.diagnose.timeouts.names import Names
from deflect.diagnose.timeouts.reader import Seen
from deflect.diagnose.timeouts.report import CodeCount, Dyno, Release, Route, Slot
from deflect.diagnose.timeouts.tally import Tally, quantile
from deflect.diagnose.timeouts.verdict import Record, Verdict, judge

#: A release is named where at most this part of a route's requests was slow before, and so many were seen.
_MAX_SLOW_BEFORE = 0.02
_MIN_BEFORE = 5


def routes_of(names: Names, tally: Tally, releases: list[tuple[float, str]]) -> tuple[Route, ...]:
    """Return the figures of each route with a request, from the most own time to the least."""
    seen = [i for i in range(len(names.texts)) if tally.sums["n_requests"][i]]
    verdicts = judge([_record(tally, i) for i in seen])
    total_ms = sum(tally.all_own_ms(i) for i in seen) or 1.0
    routes = [
        _route(names.texts[i], tally, i, verdict, total_ms, releases) for i, verdict in zip(seen, verdicts, strict=True)
    ]
    return tuple(sorted(routes, key=lambda route: (-route.share_fraction, -route.n_requests, route.name)))


def _record(tally: Tally, i: int) -> Record:
    def n(name: str) -> int:
        return int(tally.sums[name][i])

    return Record(
        n_requests=n("n_requests"),
        n_timeouts=n("n_timeouts"),
        n_timeouts_behind=n("n_timeouts_behind"),
        n_streams=n("n_streams"),
        n_judged=n("n_judged"),
        n_slow=n("n_slow"),
        n_slow_answers=n("n_slow_answers"),
        n_slow_alone=n("n_slow_alone"),
        own_ms=tally.all_own_ms(i),
        own_p50_ms=quantile(tally.own_bins[i], 0.5),
        own_p95_ms=quantile(tally.own_bins[i], 0.95),
    )


def _route(  # noqa: PLR0917 - one caller, above.
    name: str, tally: Tally, i: int, verdict: Verdict, total_ms: float, releases: list[tuple[float, str]]
) -> Route:
    def n(column: str) -> int:
        return int(tally.sums[column][i])

    def milliseconds(bins: str, fraction: float) -> float | None:
        return _known(quantile(getattr(tally, bins)[i], fraction))

    method, _, path = name.partition(" ")
    measured_ms = tally.sums["measured_ms"][i]
    database = float(tally.sums["database_ms"][i] / measured_ms) if measured_ms else math.nan
    is_culprit = verdict == "culprit"
    return Route(
        method=method if path else "-",
        path=path or name,
        verdict=verdict,
        n_requests=n("n_requests"),
        n_errors=n("n_errors"),
        n_timeouts=n("n_timeouts"),
        n_timeouts_behind=n("n_timeouts_behind"),
        n_proved_victims=n("n_proved_victims"),
        share_fraction=round(tally.all_own_ms(i) / total_ms, 4),
        p50_ms=milliseconds("service_bins", 0.5),
        p95_ms=milliseconds("service_bins", 0.95),
        p99_ms=milliseconds("service_bins", 0.99),
        own_p50_ms=milliseconds("own_bins", 0.5),
        own_p95_ms=milliseconds("own_bins", 0.95),
        own_p99_ms=milliseconds("own_bins", 0.99),
        n_judged=n("n_judged"),
        n_slow=n("n_slow"),
        n_measured=n("n_measured"),
        database_fraction=None if math.isnan(database) else round(min(database, 1.0), 3),
        first_slow_at=iso(tally.first_slow_at[i]) if n("n_slow") else None,
        since=_since(tally, i, releases) if is_culprit else None,
        advice=advise(path, database).kind if is_culprit else None,
    )


def _since(tally: Tally, i: int, releases: list[tuple[float, str]]) -> str | None:
    """Name the release before which a route was not slow; None where the log does not show it."""
    slow, judged = tally.slow_by_release[i], tally.judged_by_release[i]
    first = int(np.flatnonzero(slow > _MAX_SLOW_BEFORE * judged)[0]) if slow.any() else 0
    if not 0 < first <= len(releases) or tally.n_before(releases[first - 1][0]) < _MIN_BEFORE:
        return None
    before = judged[:first].sum()
    return releases[first - 1][1] if before == 0 or before >= _MIN_BEFORE else None


def timeline_of(tally: Tally, names: Names, culprits: Sequence[str]) -> tuple[Slot, ...]:
    """Return the time line; what is not known of a culprit's own work is taken for its average."""
    timeline, numbers = tally.timeline, [names.number(name) for name in culprits]
    average = np.array([tally.mean_own_ms(i) for i in numbers]) / 1000
    seconds = timeline.own_seconds[:, numbers] + timeline.n_unknown[:, numbers] * average
    return tuple(
        Slot(
            iso(slot * timeline.width_seconds) or "",
            int(counts[0]),
            int(counts[1]),
            int(counts[2]),
            tuple(round(float(own), 1) for own in row),
        )
        for slot, counts, row in zip(timeline.slots.tolist(), timeline.counts, seconds, strict=True)
    )


def dynos_of(names: Names, tally: Tally) -> tuple[Dyno, ...]:
    """Return what each dyno did, the busiest first."""
    counts = (tally.requests_by_dyno, tally.timeouts_by_dyno, tally.slow_answers_by_dyno)
    dynos = [Dyno(name, *(int(count[i]) for count in counts)) for i, name in enumerate(names.texts)]
    return tuple(sorted((dyno for dyno in dynos if dyno.n_requests), key=lambda dyno: -dyno.n_requests))


def codes_of(seen: Seen) -> tuple[CodeCount, ...]:
    """Return how often each code was seen, the most frequent first."""
    return tuple(
        CodeCount(
            code,
            explain(code, seen.descriptions.get(code, "")).title,
            n,
            iso(seen.first.get(code, math.nan)),
            iso(seen.last.get(code, math.nan)),
        )
        for code, n in seen.codes.most_common()
    )


def releases_of(releases: list[tuple[float, str]]) -> tuple[Release, ...]:
    """Return the releases in order."""
    return tuple(Release(iso(time) or "", name) for time, name in releases)


def iso(seconds: float) -> str | None:
    """Return a time as people and programs read it; None where it is none."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (ValueError, OverflowError, OSError):
        return None


def _known(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 1)
