"""Runs coroutines in one daemon thread, whoever asks for them: code with or without an event loop of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

Result = TypeVar("Result")

#: Names are resolved and files are read in these; more would only pile up behind a name server that is silent.
_N_BLOCKING_THREADS = 2
#: What was broken off gets so long to end.
_END_SECONDS = 1.0


class Background:
    """A daemon thread with an event loop.

    Only an event loop can break off whatever a coroutine waits for, such as a server that sends a byte now and then.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._pool = ThreadPoolExecutor(_N_BLOCKING_THREADS, thread_name_prefix=name)
        self._loop.set_default_executor(self._pool)
        self._futures: set[Future[Any]] = set()
        self._last: Coroutine[None, None, None] | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def submit(self, coroutine: Coroutine[None, None, Result]) -> Future[Result]:
        """Start a coroutine in the thread."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        self._futures.add(future)
        future.add_done_callback(self._futures.discard)
        return future

    def close(self, timeout_seconds: float, last: Coroutine[None, None, None] | None = None) -> None:
        """Break off what was submitted, run a last coroutine, and end the thread."""
        self._last = last
        for future in [*self._futures]:
            future.cancel()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout_seconds)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._end())
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._loop.close()

    async def _end(self) -> None:
        """Wait for what was broken off.

        It is cancelled already, and ends what it began itself: cancelled from outside, a connection that is just being
        opened would complain.
        """
        await self._others()
        if self._last is not None:
            await self._last
        await self._loop.shutdown_asyncgens()
        await self._others()

    async def _others(self) -> None:
        if tasks := asyncio.all_tasks(self._loop) - {asyncio.current_task(self._loop)}:
            await asyncio.wait(tasks, timeout=_END_SECONDS)
