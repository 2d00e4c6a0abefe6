"""Many tickets in one stretch of memory, as columnar formats hold them: no Python object for each of millions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
import numpy.typing as npt

#: Stands behind each ticket.
TICKET_END = b"\0"


class TextColumn(Sequence[str]):
    """Tickets as UTF-8, each with a NUL behind it: ticket i is what stands from ``edges[i]`` to before that NUL.

    ``edges`` is one longer than there are tickets. A NUL may also stand within a ticket. It is a sequence of texts like
    any other; its parts share its memory.
    """

    def __init__(self, utf8: memoryview, edges: npt.NDArray[np.int64]) -> None:
        self._utf8 = utf8
        self._edges = edges

    def __len__(self) -> int:
        return len(self._edges) - 1

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> TextColumn: ...
    def __getitem__(self, place: int | slice) -> str | TextColumn:
        if isinstance(place, slice):
            start, stop, step = place.indices(len(self))
            if step != 1:
                msg = f"Texts must be taken in one piece. Got the step {step}. Take a list of them."
                raise ValueError(msg)
            return TextColumn(self._utf8, self._edges[start : max(start, stop) + 1])
        start, end = self._edges[range(len(self))[place] :][:2].tolist()
        return str(self._utf8[start : end - 1], "utf-8")

    def __iter__(self) -> Iterator[str]:
        edges = self._edges.tolist()
        return (str(self._utf8[edges[i] : edges[i + 1] - 1], "utf-8") for i in range(len(self)))

    @property
    def n_bytes(self) -> npt.NDArray[np.int64]:
        """Return the length of each ticket, (n_tickets,)."""
        return np.diff(self._edges) - 1

    def joined(self) -> bytes:
        """Return the tickets with a NUL before, between and behind them."""
        return b"".join((TICKET_END, self._utf8[self._edges[0] : self._edges[-1]]))

    @property
    def first_bytes(self) -> npt.NDArray[np.uint8]:
        """Return the first byte of each ticket, (n_tickets,), a NUL for an empty one."""
        return np.frombuffer(self._utf8, np.uint8).take(self._edges[:-1])
