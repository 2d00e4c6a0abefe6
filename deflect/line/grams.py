"""Finds the character n-grams of words, which carry a word with a typo or a new ending to words that training saw."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deflect.line.hashing import Ints, PrefixHash, UInt64s

#: Lengths in characters; the edge before and behind a word counts as a character.
GRAM_LENGTHS = (2, 3, 4, 5)
#: Of a longer word (a key, a blob, a path without breaks) only this many leading bytes are cut into n-grams.
_MAX_BYTES = 64
_LENGTHS = np.array(GRAM_LENGTHS)
#: How many n-grams a word of so many characters has, its two edges counted.
_N_GRAMS = np.maximum(np.arange(_MAX_BYTES + 3)[:, None] - _LENGTHS + 1, 0).sum(axis=1)
_NONE = np.zeros(1, dtype=np.int64)


def gram_hashes(buffer: npt.NDArray[np.uint8], prefix: PrefixHash, starts: Ints, ends: Ints) -> tuple[Ints, UInt64s]:
    """Return where the n-grams of each word begin and end, (n_words + 1,), and the hashes of all, word by word.

    One word may have one n-gram twice.
    """
    ends = np.minimum(ends, starts + _MAX_BYTES)
    if np.maximum.reduce(buffer) < 0x80:
        characters, first, last = None, starts - 1, ends + 1
    else:
        characters, first, last = _characters(buffer, starts, ends)
    n_characters = last - first
    behind = n_characters.cumsum()
    # Each character of each word, and behind it the ends of the n-grams that begin there, as far as the word reaches.
    places = np.arange(behind[-1] if len(behind) else 0) + (first + n_characters - behind).repeat(n_characters)
    stops = places[:, None] + _LENGTHS
    is_inside = stops <= last.repeat(n_characters)[:, None]
    stops, places = stops[is_inside], (stops - _LENGTHS)[is_inside]
    if characters is not None:
        places, stops = characters.take(places), characters.take(stops)
    return np.concatenate((_NONE, _N_GRAMS.take(n_characters).cumsum())), prefix(places, stops)


def _characters(buffer: npt.NDArray[np.uint8], starts: Ints, ends: Ints) -> tuple[Ints, Ints, Ints]:
    """Return where each character of some words begins, and which of these are first in each word and behind it.

    In UTF-8 a byte 10xxxxxx continues the character before it.
    """
    # Up to behind the edge, or where a long word is cut, behind the next character, which has up to four bytes.
    n_bytes = ends - starts + 9
    behind = n_bytes.cumsum()
    places = np.arange(behind[-1] if len(behind) else 0) + (starts - 1 + n_bytes - behind).repeat(n_bytes)
    begins = ((buffer.take(places, mode="clip") & 0xC0) != 0x80).nonzero()[0]
    first = begins.searchsorted(behind - n_bytes)
    last = begins.searchsorted(behind - n_bytes + ends - starts + 1) + 1
    return places.take(begins), first, last


def gram_share(begins: Ints) -> npt.NDArray[np.float32]:
    """Return the length that makes each word's vector of n-grams a unit vector: 1 / sqrt(number of its n-grams)."""
    return (1 / np.sqrt(np.maximum(np.diff(begins), 1))).astype(np.float32)
