"""Holds requests back until all that was in flight beside them has been read: a slow one's line comes late."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from deflect.diagnose.timeouts.heads import Ints
from deflect.diagnose.timeouts.reader import REQUEST, Requests

#: So many requests are held; the older half goes when they are too many. It is half a minute of 3,000 a second.
MAX_HELD = 200_000
#: What arrived so long before the first to be judged may still have been in flight.
_CONTEXT_SECONDS = 120.0


class Window:
    """Gives requests on in the order of their arrival, each once, with what arrived shortly before them."""

    def __init__(self) -> None:
        self._held: list[Requests] = []
        self._n_held = 0
        self._context = np.zeros(0, REQUEST)

    def add(self, requests: Requests) -> Iterator[tuple[Requests, int]]:
        """Take requests; yield those that are due, behind so many that were given before."""
        self._held.append(requests)
        self._n_held += len(requests)
        if self._n_held >= MAX_HELD:
            yield self._due(self._n_held // 2)

    def close(self) -> Iterator[tuple[Requests, int]]:
        """Yield what is left."""
        if self._n_held:
            yield self._due(self._n_held)

    def renumber(self, numbers: Ints) -> None:
        """Give each route another number."""
        for requests in (*self._held, self._context):
            requests["route"] = numbers[requests["route"]]

    def _due(self, n: int) -> tuple[Requests, int]:
        requests = np.concatenate(self._held)
        requests = requests.take(np.argsort(_arrival(requests), kind="stable"))  # Many times faster than an index.
        due, late = requests[:n], requests[n:]
        self._held, self._n_held = [late], len(late)
        context = self._context
        arrival = _arrival(due)
        known = arrival[~np.isnan(arrival)]
        if len(known):
            context = context[_arrival(context) >= known[0] - _CONTEXT_SECONDS]
            self._context = due[arrival >= known[-1] - _CONTEXT_SECONDS][-MAX_HELD:]
        return np.concatenate([context, due]), len(context)


def _arrival(requests: Requests) -> npt.NDArray[np.float64]:
    arrival: npt.NDArray[np.float64] = requests["time"] - np.nan_to_num(requests["service"]) / 1000
    return arrival
