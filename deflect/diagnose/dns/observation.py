"""What was seen while looking: plain records, so that every decision can be made again from a recording."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from deflect.diagnose.dns.hostname import HostName

Failure = Literal["", "silent", "closed", "unreachable", "garbled", "unfinished", "over budget"]
Parent = Literal["delegates", "has no such name", "is the same server", "unknown"]


@dataclass(frozen=True, slots=True)
class Record:
    """One resource record, its value as text."""

    name: str
    type: str
    ttl: int
    value: str


@dataclass(frozen=True, slots=True)
class Question:
    """One question to one server; ``is_recursive`` asks a resolver, ``is_unchecked`` asks it not to validate."""

    server: str
    name: str
    type: str
    is_recursive: bool = False
    is_unchecked: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back: an answer with its response code, or a failure."""

    question: Question
    failure: Failure = ""
    code: str = ""
    is_authoritative: bool = False
    is_validated: bool = False
    answer: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()
    additional: tuple[Record, ...] = ()
    explanations: tuple[str, ...] = ()

    @property
    def is_usable(self) -> bool:
        """Say whether it tells what exists."""
        return not self.failure and self.code in {"NOERROR", "NXDOMAIN"}

    @property
    def outcome(self) -> str:
        """Return the failure, or the response code."""
        return self.failure or self.code


@dataclass(frozen=True, slots=True)
class NameServer:
    """A name server of the zone, and the addresses that may be asked; ``withheld`` are those that may not."""

    name: str
    addresses: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Delegation:
    """Where the host's zone is, and who serves it.

    ``parent_names`` are the name servers that the parent zone gives; they are known where ``parent`` is "delegates".
    """

    zone: str
    parent: Parent = "unknown"
    parent_names: tuple[str, ...] = ()
    servers: tuple[NameServer, ...] = ()

    @property
    def addresses(self) -> tuple[str, ...]:
        """Return every address that may be asked, once."""
        return tuple(dict.fromkeys(address for server in self.servers for address in server.addresses))


@dataclass(frozen=True, slots=True)
class Page:
    """What the host answered to an HTTP request, if it was asked."""

    address: str
    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    body: str = ""
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Observation:
    """Everything that was seen of one host name.

    ``resolvers`` are the servers that were asked as a customer's computer asks; ``probe`` is a random label that nobody
    has created, for finding wildcards. ``is_lab`` says that private names and addresses were allowed.
    """

    host: HostName
    seen_at: datetime
    resolvers: tuple[str, ...]
    delegation: Delegation
    replies: tuple[Reply, ...] = ()
    probe: str = "deflect-probe"
    page: Page | None = None
    is_lab: bool = False
    notes: tuple[str, ...] = ()

    def replies_to(self, name: str, kind: str, *, is_unchecked: bool = False) -> list[Reply]:
        """Return every reply about a name and a record type."""
        return [
            reply
            for reply in self.replies
            if reply.question.name == name
            and reply.question.type == kind
            and reply.question.is_unchecked == is_unchecked
        ]
