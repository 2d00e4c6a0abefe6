"""Runs a function on many cores: in processes, because rows read or rendered one by one hold the interpreter lock."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

Given = TypeVar("Given")
Mark = TypeVar("Mark")
Made = TypeVar("Made")

#: A worker looks so often whether its run was killed.
_LOOK_SECONDS = 0.5


def n_cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def in_order(
    make: Callable[[Given], Made], items: Iterable[tuple[Given, Mark]], n_workers: int
) -> Iterator[tuple[Made, Mark]]:
    """Yield what is made of each item, in order, with the item's mark; few items are held at a time.

    One worker is this process itself; more are processes beside it.
    """
    if n_workers == 1:
        yield from ((make(item), mark) for item, mark in items)
        return
    from joblib.externals.loky import ProcessPoolExecutor

    waiting: deque[tuple[Future[Made], Mark]] = deque()
    pool = ProcessPoolExecutor(n_workers, initializer=_begin, initargs=(os.getpid(),))
    try:
        for item, mark in items:
            waiting.append((pool.submit(make, item), mark))
            while waiting and (len(waiting) > n_workers + 1 or waiting[0][0].done()):
                made, done = waiting.popleft()
                yield made.result(), done
        for made, done in waiting:
            yield made.result(), done
    except BaseException:
        pool.shutdown(kill_workers=True)
        raise
    pool.shutdown()


def _begin(parent: int) -> None:
    """Leave Ctrl-C to the process that gives the work, and end with it, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)
