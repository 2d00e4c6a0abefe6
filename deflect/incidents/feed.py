"""Keeps the last snapshot of a status page at hand: read in the background, never waited for."""

from __future__ import annotations

import asyncio
import math
import os
import random
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Self
from weakref import WeakSet

from deflect.errors import IncidentFeedError, NoStatusPageError, ParameterError
from deflect.incidents.background import Background
from deflect.incidents.fetch import Fetcher, host_of, open_client, retry_seconds
from deflect.incidents.grace import Grace
from deflect.incidents.providers.plain_text import one_line
from deflect.incidents.snapshot import Snapshot
from deflect.incidents.snapshot_file import read_snapshot, write_snapshot
from deflect.incidents.sources import sources_of

#: A page that fails is asked less and less often, but at least this often: it is needed most when it comes back.
_MAX_BACKOFF_SECONDS = 300.0
_MAX_DOUBLINGS = 10
_JITTER_FRACTION = 0.2
_CLOSE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Held:
    """The last snapshot, ready for before and after it is stale; replaced as a whole, so no lock is needed."""

    fresh: Snapshot
    stale: Snapshot
    stale_from: float  # In seconds of time.monotonic.


@dataclass(slots=True)
class _Session:
    """What lives from a start to a close, in one thread; the client is opened there too, as that takes a moment."""

    background: Background
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    fetcher: Fetcher | None = None


class IncidentFeed:
    """Keep the current incidents of a status page at hand.

    When to use it: in a ticket form's back end. ``snapshot`` is what is known now; reading it takes a microsecond,
    never waits and never raises. A daemon thread asks the page in the background, and whatever the page does, a slow,
    endless, lying, unpacking or broken answer, the last snapshot stays and ``snapshot.error`` says what is wrong.

    Parameters
    ----------
    url
        The status page: its host alone, the address of its JSON or feed, a ``file://`` address or a path.
    more_urls
        Asked in this order when those before do not answer; the first that answers counts. For Heroku's page, its
        failover at Salesforce is asked next without being named.
    provider
        Of ``url``, such as "statuspage"; docs/incidents.md lists them. None (default) has it guessed from the answer.
    interval_seconds
        The time from one reading to the next, give or take a fifth; after a failure twice that, and so on up to five
        minutes.
    timeout_seconds
        A source that has not answered in full by then, redirects and all, is given up.
    stale_seconds
        Without contact for so long, the snapshot says that it is stale.
    grace_seconds
        An incident that is over stays in the snapshot as resolved for so long.
    cache_path
        A file in which the snapshot survives a restart; None (default) keeps it in memory only.
    headers
        Sent to the host of ``url`` and no other, such as a key that an API wants; None (default) sends none.
    max_bytes
        A longer answer is refused.

    Raises
    ------
    ParameterError
        An argument is outside what it may be.

    Examples
    --------
    >>> feed = IncidentFeed("https://www.githubstatus.com")  # .start() begins to read it.
    >>> feed.snapshot.stale, feed.snapshot.incidents
    (True, ())

    """

    def __init__(
        self,
        url: str | os.PathLike[str],
        *more_urls: str | os.PathLike[str],
        provider: str | None = None,
        interval_seconds: float = 60.0,
        timeout_seconds: float = 10.0,
        stale_seconds: float = 600.0,
        grace_seconds: float = 1800.0,
        cache_path: str | os.PathLike[str] | None = None,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = 3_000_000,
    ) -> None:
        _check_positive(interval_seconds=interval_seconds, timeout_seconds=timeout_seconds, max_bytes=max_bytes)
        _check_positive(stale_seconds=stale_seconds, grace_seconds=grace_seconds, or_zero=True)
        self._address = os.fspath(url)
        self._sources = sources_of([self._address, *(os.fspath(address) for address in more_urls)], provider)
        self._interval_seconds, self._timeout_seconds = interval_seconds, timeout_seconds
        self._stale_seconds, self._grace = stale_seconds, timedelta(seconds=grace_seconds)
        self._headers, self._max_bytes = dict(headers or {}), max_bytes
        self._cache_path = None if cache_path is None else _cache_path(cache_path)
        cached = read_snapshot(self._cache_path, self._names) if self._cache_path else None
        self._held = self._hold(cached or Snapshot(stale=True))
        self._fault: IncidentFeedError | None = None
        self._session: _Session | None = None
        self._is_started = self._must_restart = False
        self._guard = threading.RLock()  # Of the session; the snapshot needs none.
        self._inherited: list[_Session | None] = []
        _FEEDS.add(self)
        _watch_forks()

    @property
    def snapshot(self) -> Snapshot:
        """The last snapshot: what is known now, and whether that is long ago. Reading it never waits."""
        if self._must_restart:
            self._must_restart = False
            self.start(check=False)
        held = self._held
        return held.fresh if time.monotonic() < held.stale_from else held.stale

    def start(self, *, check: bool = True) -> Self:
        """Begin to read the page in the background.

        Parameters
        ----------
        check
            True (default) waits for the first reading, ``timeout_seconds`` a source at most, and raises if what
            answered is no status page, unless the cache proves that it was one. A page that does not answer is no
            error: a form must start while it is down. False does not wait at all.

        Returns
        -------
        The feed itself.

        Raises
        ------
        NoStatusPageError
            What answered is no status page: the address or the provider must be mended.

        """
        if check:
            self.refresh()
            if isinstance(self._fault, NoStatusPageError) and self._held.fresh.fetched_at is None:
                fault = self._fault
                self.close()
                raise fault
        with self._guard:
            if not self._is_started:
                self._is_started = True
                self._submit(lambda session: self._keep_fresh(session, wait_first=check))
        return self

    def refresh(self, *, check: bool = False) -> Snapshot:
        """Read the page now and wait for it.

        When to use it: in scripts and tests; a form reads ``snapshot``. In a coroutine use ``refresh_async``.

        Parameters
        ----------
        check
            True raises if the page could not be read; False (default) says so in ``snapshot.error``.

        Returns
        -------
        The snapshot.

        Raises
        ------
        IncidentFeedError
            With ``check``: the page could not be read, or is none.

        """
        with suppress(CancelledError):  # Another thread closed the feed.
            self._submit(self._refresh).result()
        return self._checked(check=check)

    async def refresh_async(self, *, check: bool = False) -> Snapshot:
        """Read the page now, from a coroutine; else like ``refresh``."""
        await asyncio.wrap_future(self._submit(self._refresh))
        return self._checked(check=check)

    def close(self) -> None:
        """End the thread; the last snapshot stays, and ages. ``start`` begins again."""
        with self._guard:
            session, self._session = self._session, None
            self._is_started = self._must_restart = False
        if session is not None:
            fetcher = session.fetcher
            session.background.close(_CLOSE_SECONDS, last=fetcher.client.aclose() if fetcher else None)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    @property
    def _names(self) -> list[str]:
        return [source.name for source in self._sources]

    def _checked(self, *, check: bool) -> Snapshot:
        if check and self._fault is not None:
            raise self._fault
        return self.snapshot

    def _submit(self, work: Callable[[_Session], Coroutine[None, None, None]]) -> Future[None]:
        """Start work in the background thread, which begins with the first of it."""
        with self._guard:
            if self._session is None:
                self._session = _Session(Background("deflect-incidents"))
            return self._session.background.submit(work(self._session))

    def _after_fork(self) -> None:
        """Prepare a forked process, which takes over no threads: the next reading of the snapshot starts one.

        What the parent's thread works with is never touched and never freed: its sockets are the parent's too.
        """
        self._inherited.append(self._session)
        self._guard, self._session = threading.RLock(), None
        self._must_restart, self._is_started = self._is_started, False

    async def _keep_fresh(self, session: _Session, *, wait_first: bool) -> None:
        n_failures = 0
        while True:
            if not wait_first:
                await self._refresh(session)
            wait_first = False
            n_failures = n_failures + 1 if self._fault else 0
            await asyncio.sleep(self._delay_seconds(n_failures))

    def _delay_seconds(self, n_failures: int) -> float:
        backoff = self._interval_seconds * 2.0 ** min(n_failures, _MAX_DOUBLINGS)
        delay = min(backoff, max(self._interval_seconds, _MAX_BACKOFF_SECONDS))
        asked = retry_seconds(self._fault) if self._fault else 0.0
        # Many processes that were started together must not ask together.
        return max(delay, asked) * random.uniform(1 - _JITTER_FRACTION, 1 + _JITTER_FRACTION)  # noqa: S311  # No secret.

    async def _refresh(self, session: _Session) -> None:
        """Ask the sources in order until one answers, and hold what it says."""
        async with session.lock:
            faults: list[IncidentFeedError] = []
            for source in self._sources:
                try:
                    async with asyncio.timeout(self._timeout_seconds):
                        reading = await source.read(self._open_fetcher(session))
                except IncidentFeedError as error:
                    faults.append(error)
                except TimeoutError:
                    msg = f"{source.name} could not be read: no answer within {self._timeout_seconds:g} seconds"
                    faults.append(IncidentFeedError(msg))
                except Exception as error:  # noqa: BLE001  # The thread must outlive even a bug of ours.
                    msg = f"{source.name} could not be read: {type(error).__name__}"
                    faults.append(IncidentFeedError(msg))
                else:
                    grace = Grace(datetime.now(UTC), self._grace, reading.lists_news)
                    snapshot = grace.apply(reading.snapshot, self._held.fresh, source.name)
                    await self._accept(replace(snapshot, fetched_at=grace.now), source.name)
                    return
            # What none of them could be is worth more than that one was silent: it will not mend itself.
            self._fault = next((fault for fault in faults if isinstance(fault, NoStatusPageError)), faults[-1])
            said = one_line("; ".join(map(str, faults)), 1_000)
            self._held = self._hold(replace(self._held.fresh, error=said))

    async def _accept(self, snapshot: Snapshot, source: str) -> None:
        self._fault, self._held = None, self._hold(snapshot)
        if self._cache_path is not None:
            try:
                await asyncio.to_thread(write_snapshot, self._cache_path, snapshot, self._names, source)
            except OSError as error:
                said = f"{self._cache_path} could not be written: {error.strerror}"
                self._held = self._hold(replace(snapshot, error=one_line(said)))

    def _open_fetcher(self, session: _Session) -> Fetcher:
        if session.fetcher is None:
            client, host = open_client(self._timeout_seconds), host_of(self._address)
            session.fetcher = Fetcher(client, self._headers, host, self._max_bytes)
        return session.fetcher

    def _hold(self, snapshot: Snapshot) -> _Held:
        if snapshot.fetched_at is None:
            return _Held(snapshot, replace(snapshot, stale=True), -math.inf)
        # A clock that was put back must not make a snapshot young for ever.
        age_seconds = max(0.0, (datetime.now(UTC) - snapshot.fetched_at).total_seconds())
        fresh = replace(snapshot, stale=False)
        return _Held(fresh, replace(snapshot, stale=True), time.monotonic() + self._stale_seconds - age_seconds)


def _cache_path(path: str | os.PathLike[str]) -> Path:
    found = Path(path)
    if not found.parent.is_dir():
        msg = f"cache_path must be a file in a directory that exists. Got {str(path)!r} instead."
        raise ParameterError(msg)
    return found


def _check_positive(*, or_zero: bool = False, **values: float) -> None:
    for name, value in values.items():
        if not (value >= 0 if or_zero else value > 0) or math.isinf(value):
            msg = f"{name} must be {'0 or more' if or_zero else 'above 0'} and finite. Got {value} instead."
            raise ParameterError(msg)


#: All feeds of this process, for what a fork needs.
_FEEDS: WeakSet[IncidentFeed] = WeakSet()


@cache
def _watch_forks() -> None:
    """Have every feed prepared in forked processes; once is enough."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_prepare_feeds)


def _prepare_feeds() -> None:
    for feed in _FEEDS:
        feed._after_fork()  # noqa: SLF001  # Its own module.
