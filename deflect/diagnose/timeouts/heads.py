"""Reads the heads of many lines at once: when, and whether the router or the app wrote them.

Two shapes: ``TIME heroku[router]: ...`` as ``heroku logs`` prints it, and ``<158>1 TIME HOST heroku router - ...`` as
it comes from a syslog drain, with its length before it or not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from deflect.diagnose.timeouts.times import Seconds, parse_iso_columns

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]
Words: TypeAlias = npt.NDArray[np.uint64]
Mask: TypeAlias = npt.NDArray[np.bool_]

#: The longest time at the head of a line, or host behind it, and the space behind that.
_HEAD = 40
#: A block is read with so much behind its end, so that nothing that is looked at lies outside.
PADDING = bytes(2 * _HEAD)


@dataclass(frozen=True, slots=True)
class Heads:
    """The heads of lines: ``message`` is where that of the router begins, -1 where another wrote the line."""

    time: Seconds
    message: Ints
    is_app: Mask


def read_heads(text: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> Heads:
    """Read the heads of lines; ``is_app`` leaves out what the app's API announces, such as releases."""
    words = words_of(text)
    lines = _stretches(text, _HEAD)
    begins = starts + _priority_lengths(lines[starts])
    heads = lines[begins]
    lengths = (heads == ord(" ")).argmax(axis=1)
    behind = begins + lengths
    time = parse_iso_columns(heads, lengths)
    time[behind >= ends] = np.nan
    message, is_app = _native(words, behind)
    drained = np.flatnonzero(begins > starts)
    if len(drained):
        message[drained], is_app[drained] = _drained(words, lines, behind[drained])
    return Heads(time, np.where(np.isnan(time), -1, message), is_app & ~np.isnan(time))


def words_of(text: npt.NDArray[np.uint8]) -> Words:
    """Return a view of the text whose items are the 8 bytes that begin at each place, as a number."""
    return np.ndarray((len(text) - 7,), "<u8", text, 0, (1,))


def words_at(words: Words, at: Ints) -> Words:
    """Return the 8 bytes at each place; places behind the end are those at the end."""
    found: Words = words[np.minimum(at, len(words) - 1)]
    return found


def word(text: bytes) -> np.uint64:
    """Return up to 8 bytes as a number."""
    return np.uint64(int.from_bytes(text, "little"))


def starts_with(words: Words, text: bytes) -> Mask:
    """Say which words start with a text."""
    is_same: Mask = words << np.uint64(64 - 8 * len(text)) == word(text) << np.uint64(64 - 8 * len(text))
    return is_same


def _stretches(text: npt.NDArray[np.uint8], length: int) -> npt.NDArray[np.uint8]:
    """Return a view of the text whose rows are the stretches that begin at each place."""
    return np.lib.stride_tricks.as_strided(text, (len(text) - length + 1, length), (1, 1))


def _priority_lengths(lines: npt.NDArray[np.uint8]) -> Ints:
    """Return how long the priority and version of each line are, such as ``83 <158>1 ``; 0 where it has none."""
    ends: Ints = (lines[:, :12] == ord(">")).argmax(axis=1)
    if not ends.any():
        return ends
    rows = np.arange(len(lines))
    is_priority = (lines[rows, ends + 1] == ord("1")) & (lines[rows, ends + 2] == ord(" "))
    return np.where(is_priority & (ends > 0), ends + 3, 0)


def _native(words: Words, behind: Ints) -> tuple[Ints, Mask]:
    """Read `` heroku[router]: `` behind the time, or `` app[``."""
    source = words_at(words, behind)
    is_router = (source == word(b" heroku[")) & (words_at(words, behind + 8) == word(b"router]:"))
    is_app = starts_with(source, b" app[") & (words_at(words, behind + 1) != word(b"app[api]"))
    return np.where(is_router, behind + 17, -1), is_app


def _drained(words: Words, lines: npt.NDArray[np.uint8], behind: Ints) -> tuple[Ints, Mask]:
    """Read `` HOST heroku router - `` behind the time, or `` HOST app ``; another dash may follow."""
    hosts = lines[np.minimum(behind + 1, len(lines) - 1)]
    source_at = behind + 1 + (hosts == ord(" ")).argmax(axis=1)
    source = words_at(words, source_at)
    is_router = (source == word(b" heroku ")) & (words_at(words, source_at + 8) == word(b"router -"))
    is_app = starts_with(source, b" app ") & ~starts_with(source, b" app api")
    has_dash = starts_with(words_at(words, source_at + 16), b" - ")
    return np.where(is_router, source_at + 17 + 2 * has_dash, -1), is_app
