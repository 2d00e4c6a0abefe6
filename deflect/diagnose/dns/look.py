"""Gathers an observation: all questions side by side, within one time limit."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime

import dns.resolver

from deflect.diagnose.dns.asking import Asker
from deflect.diagnose.dns.delegation import Walk
from deflect.diagnose.dns.hostname import HostName, ancestors, is_under, read_host
from deflect.diagnose.dns.network import Network
from deflect.diagnose.dns.observation import Delegation, Observation, Page, Question, Reply
from deflect.diagnose.dns.page import fetch_page
from deflect.diagnose.dns.view import View
from deflect.errors import DiagnosisError

#: What every server of the zone is asked about the host; the rest is asked of the first two.
_HOST_TYPES = ("A", "AAAA", "CNAME")
_MORE_HOST_TYPES = ("MX", "TXT")
_MAX_SERVERS_FOR_ALL = 8
_MAX_SERVERS_FOR_MORE = 2
#: A chain of CNAMEs is followed this far.
_MAX_CHASED = 20
_MAX_ZONE_CUTS = 6


async def look(host: HostName, network: Network, *, target: str = "", with_page: bool = False) -> Observation:
    """Ask about a host; whatever was seen when the time is over is what there is."""
    looking = _Looking(host, Asker(network), network.resolvers or _own_resolvers(), secrets.token_hex(6), target)
    notes: tuple[str, ...] = ()
    try:
        async with asyncio.timeout(network.timeout_seconds):
            await looking.at_everything(with_page=with_page)
    except TimeoutError:
        notes = (f"the time limit of {network.timeout_seconds:g} s was reached",)
    finally:
        await looking.asker.close()
    if any(reply.failure == "over budget" for reply in looking.asker.replies):
        notes += (f"the budget of {network.max_queries} queries was used up",)
    return looking.observation(notes)


def _own_resolvers() -> tuple[str, ...]:
    """Return the resolvers of this machine."""
    try:
        return tuple(str(server) for server in dns.resolver.Resolver().nameservers)[:2]
    except dns.resolver.NoResolverConfiguration as error:
        msg = f"A DNS resolver must be known. Got none from this machine: {error}. Give one: --resolver ADDRESS"
        raise DiagnosisError(msg) from None


@dataclass(slots=True)
class _Looking:
    """Holds what is known so far about one host."""

    host: HostName
    asker: Asker
    resolvers: tuple[str, ...]
    probe: str
    target: str
    delegation: Delegation = field(init=False)
    page: Page | None = None

    def __post_init__(self) -> None:
        self.delegation = Delegation(self.host.registrable)

    async def at_everything(self, *, with_page: bool) -> None:
        """Look at the host as the world sees it and as its own servers do, then at where it leads."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._as_the_world())
            tasks.create_task(self._at_the_source())
            tasks.create_task(self._at_the_target())
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._along_the_chain())
            tasks.create_task(self._at_validation())
        if with_page:
            addresses = View(self.observation()).addresses(self.host.name)
            self.page = await fetch_page(self.host.name, addresses, self.asker.network)

    def observation(self, notes: tuple[str, ...] = ()) -> Observation:
        """Return what is known so far."""
        return Observation(
            self.host,
            datetime.now(UTC),
            self.resolvers,
            self.delegation,
            tuple(self.asker.replies),
            self.probe,
            self.page,
            is_lab=self.asker.network.allow_private,
            notes=notes,
        )

    async def _as_the_world(self) -> None:
        """Ask the resolvers; only the first of them about everything."""
        name, first = self.host.name, self.resolvers[0]
        each = [(name, "A"), (name, "AAAA"), *((self.host.registrable, kind) for kind in ("SOA", "NS", "DS"))]
        more = [(above, "CAA") for above in ancestors(name.removeprefix("*."))]
        more += [(name, kind) for kind in ("CNAME", *_MORE_HOST_TYPES)]
        more += [(other, kind) for other in (self.host.sibling,) if other for kind in ("A", "AAAA")]
        questions = [Question(resolver, *what, is_recursive=True) for resolver in self.resolvers for what in each]
        questions += [Question(first, *what, is_recursive=True) for what in more]
        questions += [
            Question(resolver, name, kind, is_recursive=True, is_unchecked=True)
            for resolver, kind in itertools.product(self.resolvers, ("A", "AAAA"))
        ]
        await self.asker.ask_all(questions)

    async def _at_the_source(self) -> None:
        """Walk to the zone's servers and ask them, again where they refer to a zone below."""
        walk = Walk(self.asker, self.resolvers)
        self.delegation = await walk.to(self.host.registrable)
        for _ in range(_MAX_ZONE_CUTS):
            replies = await self._of_the_servers()
            deeper = await walk.below(self.delegation, replies, self.host.name)
            if deeper is None:
                break
            self.delegation = deeper

    async def _of_the_servers(self) -> list[Reply]:
        """Ask the zone's servers, and the first resolver what else there is in the zone."""
        zone, name = self.delegation.zone, self.host.name
        servers = self.delegation.addresses[:_MAX_SERVERS_FOR_ALL]
        each = [(zone, "SOA"), (zone, "NS"), *((name, kind) for kind in _HOST_TYPES)]
        more = [(name, kind) for kind in _MORE_HOST_TYPES]
        more += [(above, "CAA") for above in ancestors(name.removeprefix("*.")) if is_under(above, zone)]
        more += [(other, kind) for other in (self.host.sibling,) if other for kind in ("A", "AAAA")]
        around = [(other, "A") for other in neighbours(name, zone, self.probe)]
        questions = [Question(server, *what) for server in servers for what in each]
        questions += [Question(server, *what) for server in servers[:_MAX_SERVERS_FOR_MORE] for what in more + around]
        questions += [Question(self.resolvers[0], *what, is_recursive=True) for what in around]
        return await self.asker.ask_all(questions)

    async def _at_the_target(self) -> None:
        """Find the addresses of the expected target, at the resolvers and at its own servers."""
        if not self.target:
            return
        kinds = ("A", "AAAA")
        questions = [Question(r, self.target, k, is_recursive=True) for r in self.resolvers for k in kinds]
        domain = read_host(self.target).registrable
        walked, _ = await asyncio.gather(Walk(self.asker, self.resolvers).to(domain), self.asker.ask_all(questions))
        await self.asker.ask_all(Question(s, self.target, k) for s in walked.addresses[:2] for k in kinds)

    async def _along_the_chain(self) -> None:
        """Follow the CNAMEs as far as no answer has followed them yet."""
        for _ in range(_MAX_CHASED):
            chain = View(self.observation()).chain(self.host.name)
            if not chain.links or chain.is_loop or chain.is_answered:
                return
            kinds = ("CNAME", "A", "AAAA")
            await self.asker.ask_all(Question(self.resolvers[0], chain.end, k, is_recursive=True) for k in kinds)

    async def _at_validation(self) -> None:
        """Ask once more where an answer came only without validation."""
        for resolver in self.resolvers:
            checked = Question(resolver, self.host.name, "A", is_recursive=True)
            unchecked = Question(resolver, self.host.name, "A", is_recursive=True, is_unchecked=True)
            replies = await self.asker.ask_all([checked, unchecked])
            if replies[0].code == "SERVFAIL" and replies[1].is_usable:
                await self.asker.ask_again(checked)


def neighbours(name: str, zone: str, probe: str) -> tuple[str, ...]:
    """Return names around a host that tell what its provider did: doubled, beside it, below it."""
    bare = name.removeprefix("*.")
    around = (
        f"{bare}.{zone}",  # What a provider makes of a full name typed where a relative one belongs.
        f"{probe}.{zone}.{zone}",  # Nobody made it: whoever answers has a wildcard.
        f"{probe}.{bare.partition('.')[2]}" if bare != zone else f"{probe}.{bare}",  # The same, beside the host
        f"{probe}.{bare}",  # and below it: a wildcard reaches there only past a host that does not exist.
    )
    return tuple(dict.fromkeys(other for other in around if len(other) <= 253))
