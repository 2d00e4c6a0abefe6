"""Asks a status page over HTTP, within bounds that hold whatever the server does."""

from __future__ import annotations

import asyncio
import socket
import ssl
import zlib
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from http import HTTPStatus
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

from deflect.errors import IncidentFeedError, NoStatusPageError, OptionalDependencyError
from deflect.incidents.providers.plain_text import one_line

try:
    import httpx
except ImportError as missing:
    _PACKAGE, _EXTRA = "httpx", "incidents"
    raise OptionalDependencyError(_PACKAGE, _EXTRA) from missing

_MAX_REDIRECTS = 5
_HEADERS = {
    "User-Agent": "deflect (incident feed)",
    "Accept": "application/json, application/feed+json, application/atom+xml, application/rss+xml, */*;q=0.5",
    # httpx would offer what it can unpack, and unpack it all at once, however much it becomes.
    "Accept-Encoding": "gzip",
}
#: What to send with the next request, and the header of the last answer that says it.
_CONDITIONS = {"If-None-Match": "ETag", "If-Modified-Since": "Last-Modified"}
_GONE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
#: zlib's number for "gzip or zlib, look for yourself".
_ANY_WINDOW = 47
_MAX_RETRY_SECONDS = 3_600


class _UnavailableError(IncidentFeedError):
    """The server answered that it cannot; ``retry_seconds`` is how long it asks us to wait."""

    def __init__(self, message: str, retry_seconds: float) -> None:
        self.retry_seconds = retry_seconds
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer and what to say next time, so that the server need not send it again; ``body`` None: as it was."""

    body: bytes | None = field(repr=False)
    charset: str | None = None
    conditions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Asks for URLs with one client; ``headers`` may hold a key, and go to one host only."""

    client: httpx.AsyncClient
    headers: Mapping[str, str]
    headers_host: str
    max_bytes: int

    async def fetch(self, url: str, conditions: Mapping[str, str]) -> Answer:
        """Ask for a URL and follow its redirects. Every failure is an IncidentFeedError; the caller sets a time limit.

        Raises NoStatusPageError where there is nothing at this address.
        """
        try:
            return await self._fetch(url, conditions)
        except (httpx.HTTPError, httpx.InvalidURL, ssl.SSLError, OSError, zlib.error, UnicodeError) as error:
            # UnicodeError: a redirect to a host name that cannot be one.
            msg = f"{shown_url(url)} could not be read: {one_line(str(error)) or type(error).__name__}"
            raise IncidentFeedError(msg) from error

    async def _fetch(self, url: str, conditions: Mapping[str, str]) -> Answer:
        first, address = url, ""
        for _ in range(_MAX_REDIRECTS + 1):
            own = self.headers if host_of(url) == self.headers_host else {}
            request = self._request(url, address, {**_HEADERS, **own, **conditions})
            response = await self.client.send(request, stream=True, follow_redirects=False)
            try:
                if response.next_request is None:
                    return await self._answer(response, url)
                target = str(httpx.URL(url).join(response.headers["Location"]))
                address = await _checked_redirect(url, target, first)
                url = target
            finally:
                await response.aclose()
                self.client.cookies.clear()  # Nobody logs in here, and a server could send a new one each time.
        msg = f"{shown_url(first)} must end in a page after at most {_MAX_REDIRECTS} redirects, got more"
        raise IncidentFeedError(msg)

    def _request(self, url: str, address: str, headers: Mapping[str, str]) -> httpx.Request:
        """Return a request; with an address it goes there, and to no other that the host's name may have by then."""
        if not address:
            return self.client.build_request("GET", url, headers=headers)
        named = httpx.URL(url)
        # Closed behind it, so that no other name comes to use the connection.
        return self.client.build_request(
            "GET",
            named.copy_with(host=address),
            headers={**headers, "Host": named.netloc.decode("ascii"), "Connection": "close"},
            extensions={"sni_hostname": named.raw_host.decode("ascii")},  # Whose certificate it must have.
        )

    async def _answer(self, response: httpx.Response, url: str) -> Answer:
        if response.status_code == HTTPStatus.NOT_MODIFIED:
            return Answer(None)
        if response.status_code in _GONE:
            msg = f"{shown_url(url)} must be a status page, got HTTP {response.status_code}: nothing is there"
            raise NoStatusPageError(msg)
        if response.status_code != HTTPStatus.OK:
            msg = f"{shown_url(url)} could not be read: HTTP {response.status_code}"
            raise _UnavailableError(msg, _retry_seconds(response))
        body = await self._body(response, url)
        conditions = {name: response.headers[tag] for name, tag in _CONDITIONS.items() if response.headers.get(tag)}
        return Answer(body, response.charset_encoding, conditions)

    async def _body(self, response: httpx.Response, url: str) -> bytes:
        """Read a body, unpacked, up to the limit: neither an endless one nor one that unpacks to much gets further."""
        encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
        if encoding not in {"identity", "", "gzip", "x-gzip", "deflate"}:
            msg = f"{shown_url(url)} must be sent as it is or in gzip, got {one_line(encoding, 60)!r}"
            raise IncidentFeedError(msg)
        said = response.headers.get("Content-Length", "")
        if said.isdecimal() and int(said) > self.max_bytes:  # httpx has refused a length that is none, or endless.
            raise self._too_long(url, f"{int(said):,}")
        unpacker = None if encoding in {"identity", ""} else zlib.decompressobj(_ANY_WINDOW)
        body = bytearray()
        raw = cast("AsyncGenerator[bytes, None]", response.aiter_raw())  # It is one: left half read, it must be closed.
        async with aclosing(raw) as chunks:
            async for chunk in chunks:
                room = self.max_bytes - len(body) + 1
                body += chunk if unpacker is None else unpacker.decompress(chunk, room)
                if len(body) > self.max_bytes:
                    raise self._too_long(url, "more")
        if unpacker is not None and not unpacker.eof:
            msg = f"{shown_url(url)} could not be read: its gzip ends too early"
            raise IncidentFeedError(msg)
        return bytes(body)

    def _too_long(self, url: str, found: str) -> IncidentFeedError:
        return IncidentFeedError(f"{shown_url(url)} must be at most {self.max_bytes:,} bytes long, got {found}")


def open_client(timeout_seconds: float) -> httpx.AsyncClient:
    """Open a client; the caller bounds the whole, and this only what he forgets."""
    return httpx.AsyncClient(timeout=2 * timeout_seconds, limits=httpx.Limits(max_connections=4))


def retry_seconds(error: IncidentFeedError) -> float:
    """Return how long the server asked us to wait; 0 where it did not."""
    return error.retry_seconds if isinstance(error, _UnavailableError) else 0.0


def shown_url(url: str) -> str:
    """Return a URL as messages show it: without name, password, query and fragment, where secrets stand."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "the address"
    return one_line(urlunsplit((parts.scheme, host, parts.path, "", "")))


def host_of(url: str) -> str:
    """Return the host of a URL; empty where there is none."""
    return urlsplit(url).hostname or ""


async def _checked_redirect(url: str, target: str, first: str) -> str:
    """Return the address at which to follow a redirect, so that nobody can give the host another one meanwhile.

    Not from https to http, where anybody on the way could write the answer. Not to another host with an address that
    is not public: whoever writes the status page must not choose what is asked for inside the operator's network. The
    address is empty where it does not matter: on the host that was given, and behind a proxy, which looks it up itself.
    """
    scheme, host = urlsplit(target).scheme, host_of(target)
    if scheme not in {"http", "https"}:
        why = f"to {one_line(scheme, 20)!r}, which is neither http nor https"
    elif scheme == "http" and urlsplit(url).scheme == "https":
        why = "from https to http"
    elif host == host_of(first):
        return ""
    elif not all(map(_is_public, addresses := await _addresses(host))):
        why = f"to {one_line(host, 100)}, whose address is not public"
    else:
        return "" if _is_proxied(scheme, host) else addresses[0]
    msg = f"{shown_url(first)} must not be redirected {why}. Give the address where it ends."
    raise IncidentFeedError(msg)


async def _addresses(host: str) -> list[str]:
    found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in found]


def _is_public(address: str) -> bool:
    found = ip_address(address.partition("%")[0])
    return found.is_global and not found.is_multicast


def _is_proxied(scheme: str, host: str) -> bool:
    """Say whether the environment has a proxy that httpx asks for this."""
    proxies = getproxies()
    return (scheme in proxies or "all" in proxies) and not proxy_bypass(host)


def _retry_seconds(response: httpx.Response) -> float:
    value = response.headers.get("Retry-After", "")
    return min(float(value), _MAX_RETRY_SECONDS) if value.isascii() and value.isdecimal() else 0.0
