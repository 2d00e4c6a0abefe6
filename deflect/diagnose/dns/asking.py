"""Asks one server one question: UDP with repeats, TCP where the answer is long, within a budget and a deadline."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import time
from collections.abc import Iterable

import dns.asyncbackend
import dns.asyncquery
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from deflect.diagnose.dns.hostname import printable
from deflect.diagnose.dns.network import Network, parse_server
from deflect.diagnose.dns.observation import Question, Record, Reply

#: How long each sending of a question waits for the answer, as shares of the whole time.
_WAITS = (0.06, 0.10, 0.16, 0.20)
#: A server that said nothing for this share of the time is silent, even if the time was over then.
_SILENCE = 0.15
#: More records than this in one part of an answer are not kept, nor more characters of a record.
_MAX_RECORDS = 200
_MAX_VALUE_CHARACTERS = 300
_PAYLOAD_BYTES = 1232


class Asker:
    """Asks, and remembers every reply; the same question is sent once, whoever asks it."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.replies: list[Reply] = []
        self._tasks: dict[Question, asyncio.Task[Reply]] = {}
        self._n_sent = 0

    def ask(self, question: Question) -> asyncio.Task[Reply]:
        """Start a question, or return the one that is under way."""
        if question not in self._tasks:
            self._tasks[question] = asyncio.create_task(self._reply(question))
        return self._tasks[question]

    async def ask_all(self, questions: Iterable[Question]) -> list[Reply]:
        """Ask side by side, and return every reply."""
        return list(await asyncio.gather(*[self.ask(question) for question in questions]))

    async def ask_again(self, question: Question) -> Reply:
        """Ask what was asked before: a second answer tells a fault from an accident."""
        return await self._reply(question)

    async def close(self) -> None:
        """Stop what is still under way; what it found out is kept."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _reply(self, question: Question) -> Reply:
        began = time.monotonic()
        try:
            reply = await self._exchange(question)
        except asyncio.CancelledError:
            was_long = time.monotonic() - began >= _SILENCE * self.network.timeout_seconds
            self.replies.append(Reply(question, "silent" if was_long else "unfinished"))
            raise
        except ConnectionRefusedError:
            reply = Reply(question, "closed")
        except (OSError, EOFError):
            reply = Reply(question, "unreachable")
        except dns.exception.Timeout:
            reply = Reply(question, "silent")
        except (dns.exception.DNSException, ValueError):
            reply = Reply(question, "garbled")
        self.replies.append(reply)
        return reply

    async def _exchange(self, question: Question) -> Reply:
        if self._n_sent >= self.network.max_queries:
            return Reply(question, "over budget")
        where = parse_server(question.server, self.network.server_port)
        query = _query(question)
        message = await self._over_udp(query, where)
        if message.rcode() == dns.rcode.FORMERR:  # An old server that does not know EDNS.
            query.use_edns(False)  # noqa: FBT003  # dnspython's way to say so.
            message = await self._over_udp(query, where)
        if message.flags & dns.flags.TC:
            self._n_sent += 1
            with contextlib.suppress(OSError, EOFError, dns.exception.DNSException):
                limit = sum(_WAITS) * self.network.timeout_seconds
                message = await dns.asyncquery.tcp(query, where[0], limit, where[1])
        return _read(question, message)

    async def _over_udp(self, query: dns.message.Message, where: tuple[str, int]) -> dns.message.Message:
        family = socket.AF_INET6 if ":" in where[0] else socket.AF_INET
        backend = dns.asyncbackend.get_backend("asyncio")
        # A connected socket hears from nobody else, and learns at once that nobody listens.
        async with await backend.make_socket(family, socket.SOCK_DGRAM, 0, None, where) as udp:  # type: ignore[no-untyped-call]  # dnspython leaves it open.
            for share in _WAITS:
                if self._n_sent >= self.network.max_queries:
                    break
                self._n_sent += 1
                until = time.time() + share * self.network.timeout_seconds
                await dns.asyncquery.send_udp(udp, query, None, until)
                with contextlib.suppress(dns.exception.Timeout):
                    message, *_ = await dns.asyncquery.receive_udp(
                        udp, None, until, ignore_unexpected=True, ignore_errors=True, query=query
                    )
                    return _checked(message)
        raise dns.exception.Timeout


def _checked(message: object) -> dns.message.Message:
    """Return what dnspython does not type."""
    if not isinstance(message, dns.message.Message):
        msg = f"An answer must be a DNS message. Got {type(message).__name__}"
        raise TypeError(msg)
    return message


def _query(question: Question) -> dns.message.QueryMessage:
    """Write a question as a message."""
    flags = dns.flags.Flag(0)
    if question.is_recursive:
        flags |= dns.flags.RD | dns.flags.AD
    if question.is_unchecked:
        flags |= dns.flags.CD
    name = dns.name.from_text(question.name)
    return dns.message.make_query(name, question.type, use_edns=0, payload=_PAYLOAD_BYTES, flags=flags)


def _read(question: Question, message: dns.message.Message) -> Reply:
    """Write a message as a reply."""
    explanations = (option for option in message.options if isinstance(option, dns.edns.EDEOption))
    return Reply(
        question,
        code=dns.rcode.to_text(message.rcode()),
        is_authoritative=bool(message.flags & dns.flags.AA),
        is_validated=bool(message.flags & dns.flags.AD),
        answer=_records(message.answer),
        authority=_records(message.authority),
        additional=_records(message.additional),
        explanations=tuple(printable(str(option)[:_MAX_VALUE_CHARACTERS]) for option in explanations),
    )


def _records(section: Iterable[dns.rrset.RRset]) -> tuple[Record, ...]:
    """Write a part of a message as records."""
    found: list[Record] = []
    for rrset in section:
        name, kind = text_of(rrset.name), dns.rdatatype.to_text(rrset.rdtype)
        for data in sorted(rrset):  # Of a set that is cut, the same records are kept every time.
            if len(found) == _MAX_RECORDS:
                return tuple(found)
            target = getattr(data, "target", None)
            value = text_of(target) if isinstance(target, dns.name.Name) else data.to_text()
            found.append(Record(name, kind, rrset.ttl, value[:_MAX_VALUE_CHARACTERS]))
    return tuple(found)


def text_of(name: dns.name.Name) -> str:
    """Return a name in lower case without the dot at its end; the root is "."."""
    return str(name.canonicalize()).rstrip(".") or "."
