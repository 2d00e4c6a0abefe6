"""Walks from the parent zone to the servers of a host's zone, as a resolver does."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from deflect.diagnose.dns.asking import Asker
from deflect.diagnose.dns.hostname import ancestors, is_under
from deflect.diagnose.dns.network import parse_server
from deflect.diagnose.dns.observation import Delegation, NameServer, Question, Record, Reply

#: So many servers of a parent are asked side by side, and so many of the zone itself.
_MAX_PARENT_SERVERS = 4
_MAX_SERVERS = 8
#: No public zone is deeper than this many delegations.
_MAX_STEPS = 10


@dataclass(frozen=True, slots=True)
class Walk:
    """Walks for one name; ``resolvers`` say where the parent is and which addresses name servers have."""

    asker: Asker
    resolvers: tuple[str, ...]

    async def to(self, registrable: str) -> Delegation:
        """Find the zone of a registrable domain, from the closest zone above it that the resolvers know."""
        zone, servers = await self._start(registrable)
        for _ in range(_MAX_STEPS):
            replies = await self.asker.ask_all(Question(server, registrable, "NS") for server in servers)
            reply = next((reply for reply in replies if reply.is_usable), None)
            if reply is None:
                break
            child = referral(reply, registrable, zone)
            if child is None:
                return await self._end(reply, registrable, zone)
            found = await self.servers(reply.authority, reply.additional, child)
            if child == registrable:
                return Delegation(child, "delegates", _targets(reply.authority, child), found)
            zone, servers = child, addresses_of(found)[:_MAX_PARENT_SERVERS]
        return await self._as_resolved(registrable)

    async def below(self, above: Delegation, replies: Iterable[Reply], host: str) -> Delegation | None:
        """Follow a referral that a zone's own servers gave for a host in a zone of its own."""
        for reply in replies:
            child = referral(reply, host, above.zone) if reply.is_usable else None
            if child is not None:
                found = await self.servers(reply.authority, reply.additional, child)
                return Delegation(child, "delegates", _targets(reply.authority, child), found)
        return None

    async def servers(self, names: Sequence[Record], glue: Sequence[Record], zone: str) -> tuple[NameServer, ...]:
        """Find the addresses of name servers: in the glue, or else by asking a resolver."""
        wanted = _targets(names, zone)[:_MAX_SERVERS]
        known = {name: _addresses(glue, name) for name in wanted}
        missing = [name for name in wanted if not known[name]]
        questions = [
            Question(resolver, name, kind, is_recursive=True)
            for resolver, name, kind in itertools.product(self.resolvers[:1], missing, ("A", "AAAA"))
        ]
        for reply in await self.asker.ask_all(questions):
            # A name server's name may be an alias, against the rules; the address is what counts.
            owner = reply.answer[-1].name if reply.answer else ""
            known[reply.question.name] += _addresses(reply.answer, owner)
        return tuple(self._name_server(name, known[name]) for name in wanted)

    async def _start(self, registrable: str) -> tuple[str, list[str]]:
        """Find the closest zone above, and addresses of its servers."""
        if self.asker.network.roots:
            return ".", list(self.asker.network.roots)
        for reply in await self._resolved([*ancestors(registrable)[1:], "."]):
            if reply.is_usable and _targets(reply.answer, reply.question.name):
                found = await self.servers(reply.answer, reply.additional, reply.question.name)
                if addresses := addresses_of(found):
                    return reply.question.name, addresses[:_MAX_PARENT_SERVERS]
        return ".", []

    async def _end(self, reply: Reply, registrable: str, zone: str) -> Delegation:
        """Read the answer of a server that refers to nobody."""
        if reply.code == "NXDOMAIN":
            return Delegation(registrable, "has no such name")
        if _targets(reply.answer, registrable):
            found = await self.servers(reply.answer, reply.additional, registrable)
            return Delegation(registrable, "is the same server", (), found)
        # The name exists, but is no zone: its records lie in the zone above.
        address, _ = parse_server(reply.question.server, 0xFFFF)
        return Delegation(zone, "unknown", (), (NameServer(address, (reply.question.server,)),))

    async def _as_resolved(self, registrable: str) -> Delegation:
        """Believe the resolvers where no parent can be asked."""
        replies = await self._resolved([registrable])
        above = await self._resolved([*ancestors(registrable)[1:], "."])
        knows_more = any(reply.code == "NOERROR" for reply in above)  # A resolver without a network knows nothing.
        if knows_more and all(reply.code == "NXDOMAIN" for reply in replies):
            return Delegation(registrable, "has no such name")
        for reply in replies:
            if reply.is_usable and _targets(reply.answer, registrable):
                return Delegation(
                    registrable, "unknown", (), await self.servers(reply.answer, reply.additional, registrable)
                )
        return Delegation(registrable)

    async def _resolved(self, names: Sequence[str]) -> list[Reply]:
        """Ask every resolver for name servers."""
        pairs = itertools.product(names, self.resolvers)
        return await self.asker.ask_all(Question(resolver, name, "NS", is_recursive=True) for name, resolver in pairs)

    def _name_server(self, name: str, addresses: Sequence[str]) -> NameServer:
        """Keep apart what may be asked and what may not; IPv6 is asked only where there is no IPv4."""
        unique = list(dict.fromkeys(addresses))
        allowed = [address for address in unique if self.asker.network.may_ask(address)]
        ipv4 = [address for address in allowed if ":" not in address]
        return NameServer(name, tuple((ipv4 or allowed)[:2]), tuple(a for a in unique if a not in allowed))


def referral(reply: Reply, name: str, zone: str) -> str | None:
    """Return the zone that a server refers to, if it lies between its own zone and the name."""
    if reply.is_authoritative and (reply.answer or reply.code == "NXDOMAIN"):
        return None
    for record in reply.authority:
        if record.type == "NS" and record.name != zone and is_under(record.name, zone) and is_under(name, record.name):
            return record.name
    return None


def addresses_of(servers: Iterable[NameServer]) -> list[str]:
    """Return the addresses that may be asked."""
    return list(dict.fromkeys(address for server in servers for address in server.addresses))


def _targets(records: Iterable[Record], owner: str) -> tuple[str, ...]:
    """Return the name servers that records give for a zone, in order."""
    return tuple(sorted({record.value for record in records if record.type == "NS" and record.name == owner}))


def _addresses(records: Iterable[Record], owner: str) -> list[str]:
    """Return the addresses that records give for a name."""
    return [record.value for record in records if record.type in {"A", "AAAA"} and record.name == owner]
