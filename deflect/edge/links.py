"""Asks for every link of a playbook whether it still leads somewhere, because a dead help page is worse than none."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from functools import partial
from http import HTTPStatus
from http.client import HTTPException
from typing import IO
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
    UnknownHandler,
)

from deflect.errors import ParameterError
from deflect.line.playbook import Entry, Playbook

_MAX_THREADS = 8
_MAX_REDIRECTS = 5
_HEAD_IS_REFUSED = frozenset({HTTPStatus.METHOD_NOT_ALLOWED, HTTPStatus.NOT_IMPLEMENTED})
_HEADERS = {"User-Agent": "deflect-playbook-check", "Accept": "*/*"}
#: What RFC 3986 lets stand in a path or query; quote() escapes the rest, and leaves escapes as they are.
_URL_CHARACTERS = "/?:@!$&'()*+,;=-._~%[]"


@dataclass(frozen=True, slots=True)
class DeadLink:
    """Names a link of the playbook that leads nowhere, and why."""

    category: str
    url: str
    why: str


class _Redirects(HTTPRedirectHandler):
    """Follows few redirects, only to http and https, and keeps the method: urllib before 3.13 turns HEAD into GET."""

    max_redirections = _MAX_REDIRECTS

    def redirect_request(  # noqa: PLR0917 - urllib gives these.
        self,
        req: Request,
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: Message,  # noqa: ARG002
        newurl: str,
    ) -> Request | None:
        if urlsplit(newurl).scheme not in {"http", "https"}:
            why = f"must be redirected to http or https only, got {urlsplit(newurl).scheme}"
            raise URLError(why)
        return Request(newurl, headers=_HEADERS, method=req.get_method())  # noqa: S310 - checked above.


def find_dead_links(playbook: Playbook, *, timeout_seconds: float = 10.0) -> list[DeadLink]:
    """Find the links of a playbook that lead nowhere.

    Use it on a calendar, such as once a week: help pages move. It asks the network, so no ticket may wait for it.

    Parameters
    ----------
    playbook
        The playbook; its articles in every locale are asked for, and its tools' urls where they have no parameters.
    timeout_seconds
        How long a server may stay silent.

    Returns
    -------
        The dead links in the playbook's order, each once a category.

    Raises
    ------
    ParameterError
        If ``timeout_seconds`` is not above 0.
    """
    if not timeout_seconds > 0:
        msg = f"timeout_seconds must be above 0. Got {timeout_seconds} instead."
        raise ParameterError(msg)
    links = [(entry.category, url) for entry in playbook.entries.values() for url in dict.fromkeys(_urls(entry))]
    urls = list(dict.fromkeys(url for _, url in links))
    with ThreadPoolExecutor(max_workers=_MAX_THREADS) as threads:
        faults = dict(zip(urls, threads.map(partial(_fault, timeout_seconds=timeout_seconds), urls), strict=True))
    return [DeadLink(category, url, faults[url]) for category, url in links if faults[url]]


def _urls(entry: Entry) -> Iterator[str]:
    for advice in (entry.for_locale(None), *entry.locales.values()):
        yield from (article.url for article in advice.articles)
    if entry.tool is not None and entry.tool.url is not None and not entry.tool.parameters:
        yield entry.tool.url


def _fault(url: str, timeout_seconds: float) -> str:
    """Say why a link is dead; an empty text says that it is not."""
    try:
        status = _status(url, "HEAD", timeout_seconds)
        if status in _HEAD_IS_REFUSED:
            status = _status(url, "GET", timeout_seconds)
    except TimeoutError:
        return _silence(timeout_seconds)
    except URLError as error:
        return _silence(timeout_seconds) if isinstance(error.reason, TimeoutError) else str(error.reason)
    except (OSError, HTTPException, ValueError) as error:  # ValueError: a host name or redirect that is none.
        return str(error) or type(error).__name__
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return f"does not end in a page after {_MAX_REDIRECTS} redirects (HTTP {status})"
    return f"HTTP {status}" if status >= HTTPStatus.BAD_REQUEST else ""


def _silence(timeout_seconds: float) -> str:
    return f"no answer within {timeout_seconds:g} seconds"


def _status(url: str, method: str, timeout_seconds: float) -> int:
    request = Request(_ascii(url), headers=_HEADERS, method=method)  # noqa: S310 - the opener knows http and https only.
    try:
        with _opener().open(request, timeout=timeout_seconds) as response:
            return int(response.status)
    except HTTPError as error:
        with error:
            return error.code


def _opener() -> OpenerDirector:
    """Build an opener without those for file, ftp and data URLs, which urllib's own has."""
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(),
        UnknownHandler(),
        HTTPHandler(),
        HTTPSHandler(),
        HTTPDefaultErrorHandler(),
        _Redirects(),
        HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _ascii(url: str) -> str:
    """Write a URL with other letters than ASCII as servers know it."""
    if url.isascii():
        return url
    parts = urlsplit(url)
    host = parts.netloc.encode("idna").decode("ascii")
    path, query = quote(parts.path, safe=_URL_CHARACTERS), quote(parts.query, safe=_URL_CHARACTERS)
    return urlunsplit((parts.scheme, host, path, query, ""))
