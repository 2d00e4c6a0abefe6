"""Runs a function on many cores: in threads, since compiled code that keeps no interpreter lock does most of it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Given = TypeVar("Given")
Mark = TypeVar("Mark")
Made = TypeVar("Made")


def n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    make: Callable[[Given], Made], items: Iterable[tuple[Given, Mark]], n_workers: int
) -> Generator[tuple[Made, Mark], None, None]:
    """Yield what is made of each item, in order, with the item's mark; few items are held at a time.

    One worker is the calling thread itself; more are threads beside it, which takes the items and what is made.
    """
    if n_workers == 1:
        yield from ((make(item), mark) for item, mark in items)
        return
    waiting: deque[tuple[Future[Made], Mark]] = deque()
    pool = ThreadPoolExecutor(n_workers)
    try:
        for item, mark in items:
            waiting.append((pool.submit(make, item), mark))
            while waiting and (len(waiting) > n_workers + 1 or waiting[0][0].done()):
                made, done = waiting.popleft()
                yield made.result(), done
        for made, done in waiting:
            yield made.result(), done
    finally:
        pool.shutdown(cancel_futures=True)
