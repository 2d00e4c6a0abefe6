"""Answers a deflector's questions about incidents from the last snapshot of a status page; it never waits for one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

import numpy as np

from deflect.errors import ParameterError
from deflect.incidents.relevance import (
    Indexed,
    Level,
    Rarity,
    index,
    level,
    look,
    reach,
    resolved_at,
    speaks_of,
    ticket_stems,
)
from deflect.incidents.snapshot import Incident, Snapshot
from deflect.incidents.touched import CATEGORY_WORDS
from deflect.line.banner import Banner, Customer, Outlook
from deflect.line.scorer import Float64s

#: Impacts that shift the prior, worst first; an incident without impact is a notice.
_WORST_FIRST = ("critical", "major", "minor", "unknown")
_LEVELS: tuple[Level, ...] = ("nothing", "quiet", "banner")
_LOOKS = ("none", "scheduled", "maintenance", "resolved", "unknown", "minor", "major", "critical")
#: More incidents at once than this are no status page that a person could read; the newest count.
_MAX_INCIDENTS = 50
_ANYONE = Customer()
_EPOCH = datetime.fromtimestamp(0, UTC)


class Source(Protocol):
    """Has the last snapshot of a status page at hand, such as an ``IncidentFeed``."""

    @property
    def snapshot(self) -> Snapshot:
        """Return the last snapshot, at once."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _alike(words: Sequence[str]) -> Float64s:
    """Rate all words alike, where no model tells how rare each is."""
    return np.full(len(words), 0.5)


@dataclass(frozen=True, eq=False)
class _Index:
    """What a snapshot says, indexed; ``snapshot`` and ``rarity`` are what it was made from."""

    snapshot: Snapshot
    rarity: Rarity
    incidents: tuple[Indexed, ...]

    def is_of(self, snapshot: Snapshot) -> bool:
        """Say whether it was made from these incidents; a snapshot that only grew stale has the same."""
        return self.snapshot.incidents is snapshot.incidents and self.snapshot.maintenances is snapshot.maintenances


class StatusBoard:
    """Tell a ``Deflector`` which incidents concern the writer of a ticket.

    When to use it: ``Deflector.load(incidents=StatusBoard(feed))``, where ``feed`` is an ``IncidentFeed`` or anything
    else that has a ``snapshot``. It reads that attribute and computes; it uses no network, disk or lock.

    Parameters
    ----------
    source
        Has the last snapshot.
    categories
        For each category, words of incident titles and components that touch it. Default: those of the starter
        playbook.
    incident_category
        The category of tickets about incidents: such a ticket speaks of every incident. Default "incident".
    grace_seconds
        A resolved incident is told for so long. Default one hour.
    forget_seconds
        A status page that has not answered for so long is known no more, and nothing is said. Default six hours.
    clock
        Tells the time, aware. Default is the computer's.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> incident = Incident("page", "1", "DNS does not resolve", "identified", "major")
    >>> board = StatusBoard(SimpleNamespace(snapshot=Snapshot(incidents=(incident,))))
    >>> board.banner("my domain is gone", category="dns").level
    'banner'
    >>> board.banner("a question about my invoice", category="billing").level
    'quiet'
    >>> board.outlook(Customer())
    Outlook(impact='major', touched=('dns',))

    """

    def __init__(
        self,
        source: Source,
        *,
        categories: Mapping[str, Sequence[str]] = CATEGORY_WORDS,
        incident_category: str = "incident",
        grace_seconds: float = 3600,
        forget_seconds: float = 6 * 3600,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        for name, value in (("grace_seconds", grace_seconds), ("forget_seconds", forget_seconds)):
            if not 0 <= value < timedelta.max.total_seconds():
                msg = f"{name} must be 0 or more. Got {value!r} instead."
                raise ParameterError(msg)
        self.source = source
        self.categories = categories
        self.incident_category = incident_category
        self.grace = timedelta(seconds=grace_seconds)
        self.forget = timedelta(seconds=forget_seconds)
        self.clock = clock
        self._cached: _Index | None = None

    def outlook(self, customer: Customer) -> Outlook:
        """Return the worst impact of what is on for a customer, and the categories that it touches.

        It goes by components and regions only: the words of a ticket are weighed by the classifier already.
        """
        snapshot = self._known(self.clock())
        found = [
            indexed
            for indexed in (self._indexed(snapshot, None) if snapshot else ())
            if _is_on(indexed.incident)
            and reach(indexed.incident, customer, is_about=False, has_text=False) != "elsewhere"
        ]
        impacts = {indexed.incident.impact for indexed in found}
        touched = dict.fromkeys(category for indexed in found for category in indexed.touched)
        return Outlook(next((impact for impact in _WORST_FIRST if impact in impacts), None), tuple(touched))

    def banner(
        self,
        text: str = "",
        *,
        category: str | None = None,
        customer: Customer = _ANYONE,
        rarity: Rarity | None = None,
    ) -> Banner | None:
        """Return what to say to the writer of a ticket, None where there is nothing to say.

        Parameters
        ----------
        text
            What has been typed so far; empty before anything is.
        category
            The probable category of the ticket, None where it is not known.
        customer
            Where the writer is.
        rarity
            Tells how rare each of some words is among tickets; None takes all words alike.

        Returns
        -------
        The banner of the incident that concerns the writer most: the loudest, then the worst, then the newest.

        """
        at = self.clock()
        snapshot = self._known(at)
        told = self._indexed(snapshot, rarity) if snapshot else ()
        if snapshot is None or not told:
            return None
        stems = ticket_stems(text)
        best: tuple[tuple[int, int, datetime], Level, Incident] | None = None
        for indexed in told:
            incident = indexed.incident
            is_about = category is not None and (category in indexed.touched or category == self.incident_category)
            is_about = is_about or speaks_of(stems, indexed)
            reached = reach(incident, customer, is_about=is_about, has_text=bool(stems))
            loudness = level(incident, reached, at=at, grace=self.grace)
            if loudness != "nothing":
                kind = look(incident, at=at, grace=self.grace)
                rank = (_LEVELS.index(loudness), _LOOKS.index(kind), incident.started_at or _EPOCH)
                best = max(best, (rank, loudness, incident), key=lambda x: x[0]) if best else (rank, loudness, incident)
        return _banner(best[2], best[1], snapshot) if best else None

    def _known(self, at: datetime) -> Snapshot | None:
        """Return the snapshot unless it is too old to be told."""
        snapshot = self.source.snapshot
        is_forgotten = snapshot.fetched_at is not None and at - snapshot.fetched_at > self.forget
        return None if is_forgotten and snapshot.stale else snapshot

    def _indexed(self, snapshot: Snapshot, rarity: Rarity | None) -> tuple[Indexed, ...]:
        cached = self._cached
        if cached is None or not cached.is_of(snapshot) or (rarity is not None and cached.rarity != rarity):
            at, rare = self.clock(), rarity or _alike
            told = [
                i for i in (*snapshot.incidents, *snapshot.maintenances) if look(i, at=at, grace=self.grace) != "silent"
            ]
            newest = sorted(told, key=lambda i: i.started_at or _EPOCH, reverse=True)[:_MAX_INCIDENTS]
            indexed = tuple(index(incident, rare, self.categories) for incident in newest)
            # Two threads may both do this; one assignment keeps what belongs together.
            self._cached = cached = _Index(snapshot, rare, indexed)
        return cached.incidents


def _is_on(incident: Incident) -> bool:
    return incident.kind == "incident" and not incident.is_over and incident.impact in _WORST_FIRST


def _banner(incident: Incident, loudness: Level, snapshot: Snapshot) -> Banner:
    return Banner(
        level="banner" if loudness == "banner" else "quiet",
        kind=incident.kind,
        severity="maintenance" if incident.kind == "maintenance" else incident.impact,
        title=incident.title,
        update=incident.updates[-1].body if incident.updates else "",
        state=incident.state,
        started_at=incident.started_at,
        resolved_at=resolved_at(incident) if incident.is_over else None,
        url=incident.url,
        as_of=snapshot.fetched_at if snapshot.stale else None,
    )
