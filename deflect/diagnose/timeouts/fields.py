"""Reads the usual router lines of a block, all at once: each field of all lines is one NumPy array.

A usual line is a head that ``heads`` reads, then ``at=... method=... path=... ... status=...``, each field once and in
the order that the router writes. Anything else is left to ``lines``: another shape, or a path that plays a field.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from deflect.diagnose.timeouts.heads import PADDING, Ints, Mask, Words, read_heads, words_at, words_of
from deflect.diagnose.timeouts.times import Seconds

#: What stands before the "=" of each field, in the router's order.
_KEYS = {
    "at": b" at",
    "code": b" code",
    "method": b" method",
    "path": b" path",
    "host": b" host",
    "request": b"quest_id",
    "fwd": b" fwd",
    "dyno": b" dyno",
    "connect": b" connect",
    "service": b" service",
    "status": b" status",
}
#: The number of the field whose key ends in two given characters: no two keys end alike.
_KEY_ENDS = np.zeros(1 << 16, np.uint8)
_KEY_ENDS[[int.from_bytes(key[-2:], "little") for key in _KEYS.values()]] = np.arange(1, len(_KEYS) + 1)
#: What the 8 bytes before a field's "=" are, of which the key is the last; number 0 is none.
_KEY_WORDS = np.array([0, *(int.from_bytes(key, "little") for key in _KEYS.values())], np.uint64)
_KEY_SHIFTS = np.array([0, *(64 - 8 * len(key) for key in _KEYS.values())], np.uint64)
_CODE = list(_KEYS).index("code")
#: App lines are looked at only where one of these stands in them: they tell how long the app itself took.
_TIMINGS = (b"source=rack-timeout", b"duration=", b'"duration"', b"Completed ")
#: So many words of 8 bytes of a dyno's name or a request's id are hashed: enough to tell all of a log apart.
_HASHED_WORDS = 3
_PRIME = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True, slots=True)
class Fields:
    """The usual router lines of a block, one item a line in each array, and the lines that are left to read.

    ``methods``, ``codes`` are the first 8 bytes of the text, ``dynos``, ``requests`` hashes of it; ``service`` is in
    milliseconds, -1 where it is empty. ``paths`` has each on a line, ``dyno_bounds`` say where a dyno's name stands.
    """

    time: Seconds
    methods: Words
    codes: Words
    dynos: Words
    requests: Words
    service: Ints
    status: Ints
    paths: bytes
    dyno_bounds: tuple[Ints, Ints]
    rest: list[tuple[int, int]]
    n_lines: int


def read_fields(block: bytes) -> Fields:
    """Read the usual lines of a block, which ends with a newline."""
    text = np.frombuffer(block + PADDING, np.uint8)
    ends = np.flatnonzero(text[: len(block)] == ord("\n"))
    starts = np.concatenate([[0], ends[:-1] + 1])
    words = words_of(text)
    heads = read_heads(text, starts, ends)
    places, is_usual = _places(text, words, ends)
    # It follows the router's head at once, or somebody else wrote it.
    is_usual &= (places["at"] == heads.message + 2) & (heads.message > 0)
    usual = np.flatnonzero(is_usual)
    at = {name: place[usual] for name, place in places.items()}
    has_code = at["code"] > at["at"]
    left = ~is_usual & ~heads.is_app
    if heads.is_app.any():
        left |= heads.is_app & _with_timing(block, ends)
    return Fields(
        time=heads.time[usual],
        methods=_short(words, at["method"] + 1, at["path"] - 5),
        codes=np.where(has_code, _short(words, at["code"] + 1, np.minimum(at["code"] + 4, at["method"])), 0),
        dynos=_hashes(words, at["dyno"] + 1, at["connect"] - 8),
        requests=_hashes(words, at["request"] + 1, at["fwd"] - 4),
        service=_numbers(words, at["service"] + 1),
        status=_numbers(words, at["status"] + 1),
        paths=_paths(text, at["path"] + 1, at["host"] - 5),
        dyno_bounds=(at["dyno"] + 1, at["connect"] - 8),
        rest=list(zip(starts[left].tolist(), ends[left].tolist(), strict=True)),
        n_lines=len(ends),
    )


def hash_text(text: bytes) -> int:
    """Return the hash that ``read_fields`` gives a request's id."""
    hashed = 0
    for i in range(0, 8 * _HASHED_WORDS, 8):
        hashed = (hashed ^ int.from_bytes(text[i : i + 8], "little")) * int(_PRIME) % (1 << 64)
        hashed ^= hashed >> 32
    return hashed


def text_of(word: int) -> str:
    """Return the text of up to 8 bytes that stand in one word."""
    return word.to_bytes(8, "little").rstrip(b"\0").decode("ascii", "replace")


def _places(text: npt.NDArray[np.uint8], words: Words, ends: Ints) -> tuple[dict[str, Ints], Mask]:
    """Return where the "=" of each field stands in each line, and whether the line has all, once and in order."""
    equals = np.flatnonzero(text == ord("="))
    equals = equals[equals >= 8]
    before = words[equals - 8]
    ending = _KEY_ENDS[before >> np.uint64(48)]
    field = np.where(before >> _KEY_SHIFTS[ending] == _KEY_WORDS[ending], ending, 0)
    line = np.repeat(np.arange(len(ends)), np.diff(np.searchsorted(equals, ends), prepend=0))
    cell = np.multiply(field, len(ends), dtype=np.int64) + line
    n_found = np.bincount(cell, minlength=len(_KEY_WORDS) * len(ends)).reshape(-1, len(ends))[1:]
    places = np.full((len(_KEY_WORDS), len(ends)), -1)
    places.reshape(-1)[cell] = equals
    places = places[1:]
    is_next = n_found == 1
    before_it = places[:-1].copy()
    before_it[_CODE] = before_it[_CODE - 1 : _CODE + 1].max(axis=0)  # It alone may be missing.
    is_next[1:] &= places[1:] > before_it
    is_next[_CODE] |= n_found[_CODE] == 0
    return dict(zip(_KEYS, places, strict=True)), is_next.all(axis=0)


def _with_timing(block: bytes, ends: Ints) -> Mask:
    """Say which lines hold what an app's measured time stands behind."""
    places = []
    for mark in _TIMINGS:
        at = block.find(mark)
        while at >= 0:
            places.append(at)
            at = block.find(mark, block.find(b"\n", at))
    found = np.zeros(len(ends), bool)
    found[np.searchsorted(ends, np.array(places, np.int64))] = True
    return found


_MASKS = np.array([(1 << 8 * i) - 1 for i in range(9)], np.uint64)


def _short(words: Words, starts: Ints, ends: Ints) -> Words:
    """Return a text's first 8 bytes, the rest zero."""
    texts: Words = words_at(words, starts) & _MASKS[np.clip(ends - starts, 0, 8)]
    return texts


def _hashes(words: Words, starts: Ints, ends: Ints) -> Words:
    """Return a hash of each text's first bytes; 0 for an empty text."""
    hashes = np.zeros(len(starts), np.uint64)
    for i in range(_HASHED_WORDS):
        hashes = (hashes ^ _short(words, starts + 8 * i, ends)) * _PRIME
        hashes ^= hashes >> np.uint64(32)
    return hashes


def _numbers(words: Words, starts: Ints) -> Ints:
    """Return the number that begins at each place; -1 where there is none."""
    digits = words_at(words, starts).view(np.uint8).reshape(-1, 8) - np.uint8(48)
    numbers = np.zeros(len(starts), np.int64)
    goes_on = digits[:, 0] <= 9
    is_number = goes_on.copy()
    for column in digits.T:
        goes_on = goes_on & (column <= 9)
        numbers = np.where(goes_on, numbers * 10 + column, numbers)
    return np.where(is_number, numbers, -1)


def _paths(text: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> bytes:
    """Return each path without its quotes and its query, as a line."""
    quote, questions = ord('"'), np.flatnonzero(text == ord("?"))
    starts = starts + (text[starts] == quote)
    ends = np.maximum(ends - (text[ends - 1] == quote), starts)
    ends = np.minimum(ends, np.append(questions, len(text))[np.searchsorted(questions, starts)])
    lengths = ends - starts + 1
    upto = np.cumsum(lengths)
    lines: npt.NDArray[np.uint8] = text[np.arange(lengths.sum()) + np.repeat(starts - upto + lengths, lengths)]
    lines[upto - 1] = ord("\n")
    return lines.tobytes()
