"""Counts over time in few slots: when a log outgrows them, each becomes twice as wide."""

from __future__ import annotations

import numpy as np

from deflect.diagnose.timeouts.heads import Floats, Ints, Mask
from deflect.diagnose.timeouts.reader import MAX_ROUTES

#: Slots that have something in them; a gap takes none, nor does a line with a year of its own push the rest together.
MAX_SLOTS = 480
_FIRST_WIDTH_SECONDS = 1
_BY_ROUTE = ("own_seconds", "n_unknown")


class Timeline:
    """Requests, errors and time-outs in each slot of time, and each route's own work.

    ``own_seconds`` is the work of the requests of which it is known, ``n_unknown`` counts the others.
    """

    def __init__(self) -> None:
        self.width_seconds = _FIRST_WIDTH_SECONDS
        self.slots: Ints = np.zeros(0, np.int64)
        self.counts = np.zeros((0, 3))
        self.own_seconds = np.zeros((0, MAX_ROUTES), np.float32)
        self.n_unknown = np.zeros((0, MAX_ROUTES), np.float32)

    def add(self, times: Floats, routes: Ints, own_seconds: Floats, is_error: Mask, is_timeout: Mask) -> None:
        """Add requests; ``own_seconds`` is not a number where it is unknown."""
        self._make_room(np.unique(np.floor(times / self.width_seconds).astype(np.int64)))
        place = np.searchsorted(self.slots, np.floor(times / self.width_seconds).astype(np.int64))
        for column, weights in enumerate((None, is_error, is_timeout)):
            self.counts[:, column] += np.bincount(place, weights, len(self.slots))
        cell, is_unknown = place * MAX_ROUTES + routes, np.isnan(own_seconds)
        np.add.at(self.own_seconds.reshape(-1), cell[~is_unknown], own_seconds[~is_unknown].astype(np.float32))
        np.add.at(self.n_unknown.reshape(-1), cell[is_unknown], np.float32(1))

    def renumber(self, numbers: Ints) -> None:
        """Give each route another number; several may get the same."""
        for name in _BY_ROUTE:
            old = getattr(self, name)
            new = np.zeros_like(old)
            np.add.at(new.T, numbers, old[:, : len(numbers)].T)
            setattr(self, name, new)

    def _make_room(self, new: Ints) -> None:
        slots = np.union1d(self.slots, new)
        factor = 1
        while len(np.unique(slots // factor)) > MAX_SLOTS:
            factor *= 2
        self.width_seconds *= factor
        wider = np.unique(slots // factor)
        if len(wider) == len(self.slots) and factor == 1:
            return
        place = np.searchsorted(wider, self.slots // factor)
        for name in ("counts", *_BY_ROUTE):
            old = getattr(self, name)
            room = np.zeros((len(wider), old.shape[1]), old.dtype)
            if factor == 1:
                room[place] = old  # No two slots became one, and this is faster.
            else:
                np.add.at(room, place, old)
            setattr(self, name, room)
        self.slots = wider
