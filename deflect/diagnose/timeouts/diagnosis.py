"""Reads logs once, from beginning to end, and says what makes requests time out."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeAlias, cast

import numpy as np

from deflect.diagnose.timeouts.blocks import Log, name_of, read_blocks
from deflect.diagnose.timeouts.codes import TIMEOUT
from deflect.diagnose.timeouts.evidence import weigh
from deflect.diagnose.timeouts.figures import codes_of, dynos_of, iso, releases_of, routes_of, timeline_of
from deflect.diagnose.timeouts.findings import CHECKS, findings_of
from deflect.diagnose.timeouts.reader import MAX_ROUTES, Reader, Requests
from deflect.diagnose.timeouts.report import TimeoutsDiagnosis
from deflect.diagnose.timeouts.tally import Tally
from deflect.diagnose.timeouts.window import Window
from deflect.errors import DiagnosisError

#: Called now and then with what is known so far: bytes read, requests and time-outs.
Progress: TypeAlias = Callable[[int, int, int], None]

_MAX_NAMED_LOGS = 3


def diagnose_timeouts(
    logs: Log | Iterable[Log],
    *,
    follow: bool = False,
    progress: Progress | None = None,
    now: datetime | None = None,
) -> TimeoutsDiagnosis:
    r"""Say which paths are slow by themselves, which only timed out behind them, and what the error codes mean.

    Use it on a router log, of any length: memory does not grow with it. Every shape of Heroku's log is read, also
    mixed: as ``heroku logs`` prints it, from syslog drains and Papertrail, the shape of 2012, JSON of log services; in
    plain text or gzip.

    Parameters
    ----------
    logs
        A path, "-" for stdin, a binary file open for reading, or several of these: they are read one after the other.
    follow
        Whether to wait for more at the end of a file, until an interrupt (Ctrl-C); what was read until then counts.
    progress
        Called after each block as ``progress(n_bytes, n_requests, n_timeouts)``; None (default) is silent.
    now
        The time from which lines without a year get theirs; None (default) is the clock's.

    Returns
    -------
    Findings, and figures of each route and of the time line.

    Raises
    ------
    DiagnosisError
        A log cannot be opened, or none of the lines is of a router's log.

    Examples
    --------
    >>> import io
    >>> line = (
    ...     b"2026-11-23T08:00:00+00:00 heroku[router]: at=info method=GET path=/users/42 host=a.example "
    ...     b"request_id=a-1 fwd=192.0.2.1 dyno=web.1 connect=0ms service=12ms status=200 bytes=512\n"
    ... )
    >>> diagnosis = diagnose_timeouts(io.BytesIO(line))
    >>> diagnosis.is_fine, diagnosis.routes[0].name
    (True, 'GET /users/{id}')

    """
    several = _several(logs)
    run = _Run(now or datetime.now(UTC), progress)
    try:
        for log in several:
            for block in read_blocks(log, run.faults, follow=follow):
                run.read(block)
    except KeyboardInterrupt:
        if not follow:
            raise
    return run.diagnosis([name_of(log) for log in several])


def _several(logs: Log | Iterable[Log]) -> list[Log]:
    """Return one log, or several, as a list: an open file is one, though its lines could be walked."""
    if isinstance(logs, str | os.PathLike) or hasattr(logs, "read"):
        return [cast("Log", logs)]
    return list(logs)


class _Run:
    """One pass over logs, and what it has found out so far."""

    def __init__(self, now: datetime, progress: Progress | None) -> None:
        self.faults: list[str] = []
        self._progress = progress
        self._n_bytes = 0
        self._reader = Reader(now)
        self._window = Window()
        self._tally = Tally()
        self._begins, self._ends = math.inf, -math.inf

    def read(self, block: bytes) -> None:
        """Read a block of whole lines."""
        if block:
            requests = self._reader.read(block)
            for due, n_before in self._window.add(requests):
                self._weigh(due, n_before)
            if self._reader.is_crowded:
                self._merge_routes()
        self._n_bytes += len(block)
        if self._progress is not None:
            seen = self._reader.seen
            self._progress(self._n_bytes, seen.n_requests, seen.codes[TIMEOUT])

    def _weigh(self, requests: Requests, n_before: int) -> None:
        seen, tally = self._reader.seen, self._tally
        evidence = weigh(requests, self._reader.codes.number(TIMEOUT), seen.timings)
        tally.add(requests[n_before:], evidence.since(n_before), [time for time, _ in sorted(seen.releases)])
        times = requests["time"][~np.isnan(requests["time"])]
        if len(times):
            self._begins, self._ends = min(self._begins, times.min()), max(self._ends, times.max())

    def _merge_routes(self) -> None:
        numbers = self._reader.merge_routes()
        self._tally.renumber(numbers)
        self._window.renumber(numbers)

    def diagnosis(self, names: list[str]) -> TimeoutsDiagnosis:
        """Return the findings and figures."""
        for due, n_before in self._window.close():
            self._weigh(due, n_before)
        seen = self._reader.seen
        subject = ", ".join(names[:_MAX_NAMED_LOGS]) + (", ..." if len(names) > _MAX_NAMED_LOGS else "")
        if not seen.n_requests and not seen.codes:
            msg = (
                f"A log must have lines of Heroku's router. Got {seen.n_lines:,} lines of {subject or 'nothing'}, none "
                f"of them such. Write one with: heroku logs --num 1500 --app APP > app.log"
            )
            raise DiagnosisError(msg)
        self._merge_routes()
        return self._with_findings(subject)

    def _with_findings(self, subject: str) -> TimeoutsDiagnosis:
        seen, tally, names = self._reader.seen, self._tally, self._reader.routes
        releases = sorted(seen.releases)
        routes = routes_of(names, tally, releases)
        culprits = [route.name for route in routes if route.verdict == "culprit"]
        n_timeouts = int(tally.sums["n_timeouts"].sum())
        figures = TimeoutsDiagnosis(
            "timeouts",
            subject,
            checked=(*CHECKS, "codes"),
            skipped=tuple(self._skipped()),
            n_lines=seen.n_lines,
            n_requests=seen.n_requests,
            n_timeouts=n_timeouts,
            begins_at=iso(self._begins),
            ends_at=iso(self._ends),
            n_beside=round(float(tally.n_beside[0]) / max(seen.n_requests, 1), 2),
            n_beside_timeouts=round(float(tally.n_beside[1]) / max(n_timeouts, 1), 2),
            routes=routes,
            dynos=dynos_of(self._reader.dynos, tally),
            codes=codes_of(seen),
            releases=releases_of(releases),
            slot_seconds=tally.timeline.width_seconds,
            timeline=timeline_of(tally, names, culprits),
        )
        return figures.with_findings(findings_of(figures, seen.descriptions))

    def _skipped(self) -> list[tuple[str, str]]:
        seen, tally = self._reader.seen, self._tally
        skipped = [("part of the log", fault) for fault in self.faults]
        if seen.n_dropped:
            skipped.append(("part of the log", f"{seen.n_dropped:,} lines were dropped before they were written"))
        if math.isinf(self._begins):
            skipped.append(("timeouts.culprit", "no line has a time, so waiting and working cannot be told apart"))
        if not seen.releases:
            skipped.append(("releases", "the log has no line of a release"))
        if tally.sums["n_requests"][0]:
            n_other = int(tally.sums["n_requests"][0])
            skipped.append(("routes", f"more than {MAX_ROUTES:,} different ones; {n_other:,} requests count as other"))
        return skipped
