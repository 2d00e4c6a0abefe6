"""Asks the host for one page over HTTP, at an address that was checked before: bounded in time and size."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from deflect.diagnose.dns.network import Network
from deflect.diagnose.dns.observation import Page

_MAX_BYTES = 64_000
#: The share of the time limit that the page may take.
_SHARE = 0.4


async def fetch_page(host: str, addresses: Sequence[str], network: Network) -> Page | None:
    """Fetch ``http://host/``; None where no address may be asked."""
    allowed = [address for address in addresses if network.may_ask(address)]
    if not allowed or host.startswith("*."):
        return None
    try:
        async with asyncio.timeout(_SHARE * network.timeout_seconds):
            return _parse(allowed[0], await _exchange(host, allowed[0], network.http_port))
    except (OSError, EOFError, ValueError) as error:  # TimeoutError is an OSError.
        return Page(allowed[0], failure=type(error).__name__)


async def _exchange(host: str, address: str, port: int) -> bytes:
    """Send the request and read the answer, as much of it as is allowed."""
    reader, writer = await asyncio.open_connection(address, port)
    try:
        request = f"GET / HTTP/1.1\r\nHost: {host}\r\nUser-Agent: deflect\r\nAccept: */*\r\nConnection: close\r\n\r\n"
        writer.write(request.encode("ascii"))
        await writer.drain()
        answer = b""
        while len(answer) < _MAX_BYTES and (piece := await reader.read(_MAX_BYTES - len(answer))):
            answer += piece
        return answer
    finally:
        writer.close()


def _parse(address: str, answer: bytes) -> Page:
    """Read status, headers and body."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    status = int(words[1]) if len(words) > 1 and words[0].startswith("HTTP/") and words[1].isdecimal() else 0
    headers = tuple((name.strip().lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines))
    return Page(address, status, headers, body.decode("utf-8", "replace"), "" if status else "no HTTP answer")
