"""Reads an observation: what the zone's own servers say, or else the resolvers; and where a host leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from deflect.diagnose.dns.hostname import is_under
from deflect.diagnose.dns.observation import Observation, Record, Reply

_MAX_LINKS = 20
_ADDRESS_TYPES = ("A", "AAAA")


@dataclass(frozen=True, slots=True)
class Chain:
    """The CNAMEs from a host to the name that has the addresses."""

    start: str
    links: tuple[Record, ...] = ()
    is_loop: bool = False
    is_answered: bool = True

    @property
    def end(self) -> str:
        """Return the last name."""
        return self.links[-1].value if self.links else self.start

    @property
    def names(self) -> tuple[str, ...]:
        """Return every name that the host leads to."""
        return tuple(link.value for link in self.links)

    def __str__(self) -> str:
        return " -> ".join([self.start, *self.names])


@dataclass(frozen=True)
class View:
    """Reads an observation; the newest of the zone's own servers goes before the resolvers."""

    observation: Observation

    def best(self, name: str, kind: str) -> Reply | None:
        """Return the reply to believe about a name and a type, if any tells what exists."""
        own = self.authoritative(name, kind)
        if own:
            return max(own, key=lambda reply: self.serials.get(reply.question.server, -1))
        return next(iter(self.resolved(name, kind)), None)

    def authoritative(self, name: str, kind: str) -> list[Reply]:
        """Return the usable replies of the zone's own servers."""
        if not is_under(name, self.observation.delegation.zone):
            return []
        return [
            reply
            for reply in self.observation.replies_to(name, kind)
            if reply.is_usable and reply.is_authoritative and not reply.question.is_recursive
        ]

    def resolved(self, name: str, kind: str) -> list[Reply]:
        """Return the usable replies of the resolvers, unvalidated ones last."""
        replies = [r for unchecked in (False, True) for r in self._of_resolvers(name, kind, is_unchecked=unchecked)]
        return [reply for reply in replies if reply.is_usable]

    def records(self, name: str, kind: str) -> tuple[Record, ...]:
        """Return the records of one type that a name itself has."""
        reply = self.best(name, kind)
        found = reply.answer if reply else ()
        return tuple(record for record in found if record.name == name and record.type == kind)

    def cname(self, name: str) -> Record | None:
        """Return the CNAME of a name."""
        replies = [self.best(name, kind) for kind in ("CNAME", "A", "AAAA")]
        found = (r for reply in replies if reply for r in reply.answer if r.type == "CNAME" and r.name == name)
        return next(found, None)

    def exists(self, name: str) -> bool | None:
        """Say whether a name leads anywhere; None where that is not known."""
        if any(self.records(name, kind) for kind in _ADDRESS_TYPES) or self.cname(name):
            return True
        return False if any(self.best(name, kind) for kind in _ADDRESS_TYPES) else None

    def chain(self, start: str) -> Chain:
        """Follow the CNAMEs from a name."""
        links: list[Record] = []
        seen, name = {start}, start
        while (link := self._link(name)) and len(links) < _MAX_LINKS:
            links.append(link)
            if link.value in seen:
                return Chain(start, tuple(links), is_loop=True)
            seen.add(link.value)
            name = link.value
        return Chain(start, tuple(links), is_answered=self._is_answered(start, name))

    def addresses(self, start: str, *, kinds: tuple[str, ...] = _ADDRESS_TYPES) -> tuple[str, ...]:
        """Return the addresses that a name leads to, in order."""
        end = self.chain(start).end
        own = [record for kind in kinds for record in self.records(end, kind)]
        found = own or [record for record in self._resolved_records() if record.name == end and record.type in kinds]
        return tuple(sorted({record.value for record in found}))

    def all_addresses(self, name: str) -> list[frozenset[str]]:
        """Return the addresses of a name as each server gave them, empty answers left out."""
        replies = [r for kind in _ADDRESS_TYPES for r in self.observation.replies_to(name, kind) if r.is_usable]
        sets = (frozenset(r.value for r in reply.answer if r.type in _ADDRESS_TYPES) for reply in replies)
        return [found for found in sets if found]

    @cached_property
    def serials(self) -> dict[str, int]:
        """Return the serial number of the zone at each of its servers."""
        found = {}
        for reply in self.authoritative(self.observation.delegation.zone, "SOA"):
            words = next((record.value.split() for record in reply.answer if record.type == "SOA"), [])
            if len(words) > 2 and words[2].isdecimal():
                found[reply.question.server] = int(words[2])
        return found

    @cached_property
    def is_resolved(self) -> bool:
        """Say whether a resolver gets answers about the zone, so that somebody serves it."""
        names = (self.observation.host.name, self.observation.host.registrable, self.observation.delegation.zone)
        return any(self.resolved(name, kind) for name in names for kind in ("A", "AAAA", "SOA", "NS"))

    def _of_resolvers(self, name: str, kind: str, *, is_unchecked: bool) -> list[Reply]:
        replies = self.observation.replies_to(name, kind, is_unchecked=is_unchecked)
        return [reply for reply in replies if reply.question.is_recursive]

    def _resolved_records(self) -> Iterator[Record]:
        """Yield the records of every usable answer of a resolver, validated ones first."""
        for unchecked in (False, True):
            for reply in self.observation.replies:
                if reply.is_usable and reply.question.is_recursive and reply.question.is_unchecked == unchecked:
                    yield from reply.answer

    def _link(self, name: str) -> Record | None:
        """Return the CNAME of a name, from its own zone or as part of another answer."""
        own = self.cname(name)
        if own or self.authoritative(name, "CNAME"):
            return own
        return next((r for r in self._resolved_records() if r.type == "CNAME" and r.name == name), None)

    def _is_answered(self, start: str, end: str) -> bool:
        """Say whether somebody was asked about the end of a chain, or told it unasked."""
        if any(record.name == end and record.type in _ADDRESS_TYPES for record in self._resolved_records()):
            return True
        for reply in self.observation.replies_to(end, "A"):
            if reply.question.is_recursive:
                return True
        last = (reply.answer[-1] for reply in self.resolved(start, "A") if reply.answer)
        return any(record.type == "CNAME" and record.value == end for record in last)
