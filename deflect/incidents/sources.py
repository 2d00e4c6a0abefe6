"""Where a status page is read from: an address on the web or a file, and what was read there last."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from stat import S_ISREG
from urllib.parse import unquote, urljoin, urlsplit

from deflect.errors import IncidentFeedError, NoStatusPageError, ParameterError
from deflect.incidents.fetch import Fetcher, shown_url
from deflect.incidents.providers import PROVIDERS, Provider, choose, named
from deflect.incidents.providers.documents import read_document
from deflect.incidents.snapshot import Snapshot
from deflect.line.toml_table import is_web_url, shown


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source said; ``lists_news`` as in Provider."""

    snapshot: Snapshot
    lists_news: bool = False


@dataclass(frozen=True, slots=True)
class _Page:
    url: str
    provider: Provider | None = None


@dataclass(frozen=True, slots=True)
class _Kept:
    body: bytes = field(repr=False)
    charset: str | None
    conditions: Mapping[str, str]


class WebSource:
    """A status page on the web; the first reading finds where on the page its answer is."""

    def __init__(self, url: str, provider: Provider | None) -> None:
        self.name = shown_url(url)
        self._pages = _pages(url, provider)
        self._kept: dict[str, _Kept] = {}
        self._last: tuple[bytes, Reading] | None = None

    async def read(self, fetcher: Fetcher) -> Reading:
        """Read it; IncidentFeedError says why it could not be read, NoStatusPageError that it is none."""
        error: NoStatusPageError | None = None
        for page in self._pages:
            try:
                reading = await self._read_page(page, fetcher)
            except NoStatusPageError as fault:
                error = error or fault
                continue
            self._pages = [page]
            return reading
        if error is None or len(self._pages) == 1:
            raise error or NoStatusPageError(self.name)
        paths = ", ".join(urlsplit(page.url).path or "/" for page in self._pages)
        msg = f"{self.name} must be a status page that deflect knows, found none at {paths}"
        raise NoStatusPageError(msg)

    async def _read_page(self, page: _Page, fetcher: Fetcher) -> Reading:
        main = await self._fetch(page.url, fetcher)
        if self._last is not None and self._last[0] == main.body:
            return self._last[1]
        document = read_document(main.body, main.charset, self.name)
        provider = choose(document, self.name, page.provider)
        further = [await self._further(urljoin(page.url, path), fetcher) for path in provider.further]
        reading = Reading(provider.parse([document, *further], self.name), provider.lists_news)
        self._last = (main.body, reading) if not further else None
        return reading

    async def _further(self, url: str, fetcher: Fetcher) -> object:
        try:
            answer = await self._fetch(url, fetcher)
            return read_document(answer.body, answer.charset, self.name)
        except IncidentFeedError:
            return None

    async def _fetch(self, url: str, fetcher: Fetcher) -> _Kept:
        """Fetch a URL; where it has not changed since, return what is kept of it."""
        kept = self._kept.get(url)
        answer = await fetcher.fetch(url, kept.conditions if kept else {})
        if answer.body is not None:
            kept = self._kept[url] = _Kept(answer.body, answer.charset, answer.conditions)
        if kept is None:
            msg = f"{self.name} must send its answer, got: not modified, though it was never asked before"
            raise IncidentFeedError(msg)
        return kept


class FileSource:
    """A file with the answer of any provider, such as one that an operator writes by hand."""

    def __init__(self, path: Path, provider: Provider | None) -> None:
        self.name = str(path)
        self._path, self._provider = path, provider
        self._last: tuple[bytes, Reading] | None = None

    async def read(self, fetcher: Fetcher) -> Reading:
        """Read it; IncidentFeedError says why it could not be read, NoStatusPageError that it is no status page."""
        body = await asyncio.to_thread(self._bytes, fetcher.max_bytes)  # A disk may be on a network, and hang.
        if self._last is None or self._last[0] != body:
            document = read_document(body, None, self.name)
            provider = choose(document, self.name, self._provider)
            self._last = body, Reading(provider.parse([document], self.name), provider.lists_news)
        return self._last[1]

    def _bytes(self, max_bytes: int) -> bytes:
        try:
            if not S_ISREG(self._path.stat().st_mode):
                msg = f"{self.name} must be a file, got something else"
                raise IncidentFeedError(msg)
            with self._path.open("rb") as file:
                body = file.read(max_bytes + 1)
        except (OSError, ValueError) as error:  # ValueError: a NUL character in the path.
            msg = f"{self.name} could not be read: {getattr(error, 'strerror', None) or error}"
            raise IncidentFeedError(msg) from error
        if len(body) > max_bytes:
            msg = f"{self.name} must be at most {max_bytes:,} bytes long, got more"
            raise IncidentFeedError(msg)
        return body


def sources_of(addresses: Sequence[str], provider: str | None) -> list[WebSource | FileSource]:
    """Return the sources of some addresses, in the order of asking; ``provider`` is that of the first.

    Behind the address of a provider that has a failover of its own, that follows.
    """
    sources: list[WebSource | FileSource] = []
    for i, address in enumerate(addresses):
        given = named(provider) if provider is not None and i == 0 else None
        scheme, mark, rest = address.partition("://")
        if not mark or scheme.lower() == "file":
            sources.append(FileSource(_path(rest if mark else address), given))
            continue
        if not is_web_url(address):
            msg = f"A status page must be an http, https or file address, or a path. Got {shown(address)} instead."
            raise ParameterError(msg)
        known = given or _provider_of_host(address)
        sources.append(WebSource(address, known))
        if known is not None and known.failover and urlsplit(address).hostname in known.hosts:
            url, name = known.failover
            sources.append(WebSource(url, named(name)))
    return sources


def _path(text: str) -> Path:
    if not text:
        msg = "A status page must be an http, https or file address, or a path. Got nothing instead."
        raise ParameterError(msg)
    return Path(unquote(text) if text.startswith("/") else text)


def _provider_of_host(url: str) -> Provider | None:
    host = urlsplit(url).hostname
    return next((provider for provider in PROVIDERS.values() if host in provider.hosts), None)


def _pages(url: str, provider: Provider | None) -> list[_Page]:
    """Return where the answer may be: at the address, or if that is only a host, at the providers' paths on it."""
    parts = urlsplit(url)
    if parts.path not in {"", "/"} or parts.query:
        return [_Page(url, provider)]
    if provider is not None:
        return [_Page(urljoin(url, provider.path) if provider.path else url, provider)]
    elsewhere = [known for known in PROVIDERS.values() if known.path and not known.hosts]
    return [_Page(url), *(_Page(urljoin(url, known.path), known) for known in elsewhere)]
