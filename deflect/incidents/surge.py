"""Sees from the stream of tickets alone that something is wrong, before anyone has posted an incident."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Literal

from deflect.errors import ParameterError
from deflect.incidents.board import Source
from deflect.incidents.groups import SimilarGroups
from deflect.incidents.rates import DAY, MONTH, Baseline, Excess, Stream
from deflect.incidents.telling_words import TellingWords

Kind = Literal["all", "category", "similar"]

_KINDS: tuple[Kind, ...] = ("all", "category", "similar")
_WINDOWS = (15 * 60.0, 60 * 60.0)
#: A stream that was too many says so once, until it has not been for this long.
_QUIET_SECONDS = 3600.0
#: More categories than this are no categories; the one without a ticket for longest is forgotten.
_MAX_CATEGORIES = 1_000
_MINUTE = 60
#: A name of a category in an alarm is cut to this many characters.
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Surge:
    """More tickets than can be chance: ``n_tickets`` within ``window_seconds`` where ``expected`` were to be expected.

    ``kind`` is "all", "category", or "similar" for tickets that are nearly the same text. ``category`` is the one that
    most of them have, empty where none is known. ``words`` stand in many of them; there is no other text of a ticket in
    it. ``incident`` is the title of an incident that the status page has posted already, empty where there is none.

    Examples
    --------
    >>> surge = Surge(datetime(2026, 11, 23, 14, 5, tzinfo=UTC), "category", "timeout", 40, 900.0, 1.25, ("h12",))
    >>> print(surge.to_text())
    2026-11-23 14:05 UTC: 40 tickets of the category timeout in 15 minutes, 1.2 expected. No incident posted. Words: h12

    """

    at: datetime
    kind: Kind
    category: str
    n_tickets: int
    window_seconds: float
    expected: float
    words: tuple[str, ...] = ()
    incident: str = ""

    def to_text(self) -> str:
        """Return it as one line."""
        of = f" of the category {self.category}" if self.category else ""
        what = {"all": "tickets", "category": f"tickets{of}", "similar": f"similar tickets{of}"}[self.kind]
        posted = f"Incident posted: {self.incident}." if self.incident else "No incident posted."
        words = f" Words: {', '.join(self.words)}" if self.words else ""
        minutes = f"{self.window_seconds / _MINUTE:g} minutes"
        expected = f"{self.expected:.2g}" if self.expected < 10 else f"{self.expected:.0f}"
        return (
            f"{self.at:%Y-%m-%d %H:%M} UTC: {self.n_tickets} {what} in {minutes}, {expected} expected. {posted}{words}"
        )

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values, for JSON."""
        return {**asdict(self), "at": self.at.isoformat(), "words": list(self.words)}


class SurgeMonitor:
    """Watch a stream of tickets and tell when there are more of them than can be chance.

    When to use it: beside the ticket form or on the help desk's events, to tell the incident commander what customers
    see before the monitoring does. ``deflect surge`` is this on the command line. Memory is bounded; after a start it
    watches for ``warm_up_days`` before it tells anything.

    Parameters
    ----------
    false_alarms_per_month
        How many alarms a month chance may give, over all categories and groups together. Default 1.
    least_tickets
        Fewer tickets are never a surge. Default 5.
    half_life_days
        What is older by so many days weighs half. Default 28.
    warm_up_days
        Days to watch before the first alarm. Default 14.
    source
        Has the last ``snapshot`` of the status page: an alarm then names the incident that is posted already. None
        (default) knows of none.

    Examples
    --------
    >>> from datetime import timedelta
    >>> monitor, start = SurgeMonitor(), datetime(2026, 11, 2, tzinfo=UTC)
    >>> quiet = [monitor.add(start + timedelta(hours=i), "how do I?", "other") for i in range(24 * 21)]
    >>> at = start + timedelta(days=21)
    >>> found = [
    ...     surge for i in range(9) for surge in monitor.add(at + timedelta(minutes=i), "503 everywhere", "timeout")
    ... ]
    >>> found[0].kind, found[0].n_tickets, found[0].words
    ('all', 5, ('503', 'everywhere'))

    """

    def __init__(
        self,
        *,
        false_alarms_per_month: float = 1.0,
        least_tickets: int = 5,
        half_life_days: float = 28.0,
        warm_up_days: float = 14.0,
        source: Source | None = None,
    ) -> None:
        bounds = (
            ("false_alarms_per_month", false_alarms_per_month, 0.0),
            ("least_tickets", least_tickets, 1),
            ("half_life_days", half_life_days, 0.0),
        )
        for name, value, least in bounds:
            if not least < value < float("inf"):
                msg = f"{name} must be above {least:g}. Got {value!r} instead."
                raise ParameterError(msg)
        self.false_alarms_per_month = false_alarms_per_month
        self.least_tickets = least_tickets
        self.warm_up_seconds = warm_up_days * DAY
        self.source = source
        self._baseline = Baseline(half_life_days)
        self._all = Stream(_WINDOWS)
        self._categories: OrderedDict[str, Stream] = OrderedDict()
        self._groups = SimilarGroups()
        self._words = TellingWords(_WINDOWS[-1])
        self._last = float("-inf")

    def add(self, at: datetime, text: str = "", category: str | None = None) -> list[Surge]:
        """Add a ticket, and return the surges that it is the first to show.

        Parameters
        ----------
        at
            When it was written, aware. One that comes out of order counts as written with the newest.
        text
            Its text; empty leaves out what needs one.
        category
            Its category, or the most probable one; None leaves out what needs one.

        Returns
        -------
        Surges, mostly none.

        Raises
        ------
        ParameterError
            The time has no zone.

        """
        if at.tzinfo is None:
            msg = f"at must have a zone. Got {at.isoformat()} instead. Add the zone, such as +00:00."
            raise ParameterError(msg)
        seconds = self._last = max(at.timestamp(), self._last)
        self._baseline.advance(seconds)
        # Its own share of the false alarms for each test that a ticket makes.
        level = self._level()
        streams: dict[Kind, Stream] = {"all": self._all}
        if category is not None:
            streams["category"] = self._category(category)
        if text.strip():
            streams["similar"] = self._groups.stream_of(text, lambda: Stream(_WINDOWS))
        self._words.add(seconds, text, category or "", streams.get("similar"))
        surges = [self._tested(kind, stream, seconds, level, category) for kind, stream in streams.items()]
        self._baseline.learn(seconds)
        return [surge for surge in surges if surge]

    def _level(self) -> float:
        """Return the level of each test: so that each ticket's tests together give the stated false alarms a month."""
        per_second = self._all.count / self._baseline.exposure if self._baseline.exposure else 0.0
        n_tests = max(per_second * MONTH, 1.0) * len(_KINDS) * len(_WINDOWS)
        return self.false_alarms_per_month / n_tests

    def _category(self, name: str) -> Stream:
        stream = self._categories.setdefault(name, Stream(_WINDOWS))
        self._categories.move_to_end(name)
        if len(self._categories) > _MAX_CATEGORIES:
            self._categories.popitem(last=False)
        return stream

    def _tested(self, kind: Kind, stream: Stream, at: float, level: float, category: str | None) -> Surge | None:
        found = stream.add(at, self._baseline)
        worst = min(found, key=lambda excess: excess.tail)
        if worst.tail > level or worst.n_tickets < self.least_tickets:
            stream.learn_clumping(at, found, self._baseline.unit)
            return None
        is_new = at - stream.alarmed_at > _QUIET_SECONDS
        stream.alarm(at)
        is_warm = self._baseline.watched_seconds >= self.warm_up_seconds
        return self._surge(kind, stream, worst, at, category) if is_new and is_warm else None

    def _surge(self, kind: Kind, stream: Stream, worst: Excess, at: float, category: str | None) -> Surge:
        own = {"all": None, "category": category or "", "similar": stream}[kind]
        words, names = self._words.of(own, at - worst.window_seconds)
        return Surge(
            at=datetime.fromtimestamp(at, UTC),
            kind=kind,
            category=(category or "")[:_MAX_NAME] if kind == "category" else _most_frequent(names),
            n_tickets=worst.n_tickets,
            window_seconds=worst.window_seconds,
            expected=worst.expected,
            words=words,
            incident=self._posted(),
        )

    def _posted(self) -> str:
        """Return the title of the newest incident that is posted and on."""
        incidents = self.source.snapshot.incidents if self.source else ()
        on = [incident for incident in incidents if not incident.is_over]
        newest = max(on, key=lambda i: i.started_at.timestamp() if i.started_at else 0.0, default=None)
        return newest.title if newest else ""


def _most_frequent(names: Mapping[str, int]) -> str:
    named = Counter({name: count for name, count in names.items() if name})
    return named.most_common(1)[0][0][:_MAX_NAME] if named else ""
