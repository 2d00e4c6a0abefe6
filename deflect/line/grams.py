"""Finds the character n-grams of words, which carry a word with a typo or a new ending to words that training saw."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deflect.line.hashing import Ints, PrefixHash, UInt64s

#: Lengths in characters; the edge before and behind a word counts as a character.
GRAM_LENGTHS = (2, 3, 4, 5)
#: Of a longer word (a key, a blob, a path without breaks) only this many leading bytes are cut into n-grams.
_MAX_BYTES = 64


def gram_hashes(buffer: npt.NDArray[np.uint8], prefix: PrefixHash, starts: Ints, ends: Ints) -> tuple[Ints, UInt64s]:
    """Return the n-grams of words as (index of the word, hash of the n-gram); one word may have one n-gram twice."""
    # Positions of characters, not of bytes: in UTF-8 a byte 10xxxxxx continues the character before it.
    characters = np.append(np.flatnonzero((buffer & 0xC0) != 0x80), len(buffer))
    first = np.searchsorted(characters, starts) - 1
    last = np.searchsorted(characters, np.minimum(ends, starts + _MAX_BYTES), side="left") + 1
    owners, hashes = [], []
    for length in GRAM_LENGTHS:
        n_grams = np.maximum(0, last - first - length + 1)
        owner = np.repeat(np.arange(len(starts)), n_grams)
        begin = first[owner] + np.arange(len(owner)) - (np.cumsum(n_grams) - n_grams)[owner]
        owners.append(owner)
        hashes.append(prefix(characters[begin], characters[begin + length]))
    return np.concatenate(owners), np.concatenate(hashes)


def gram_share(owners: Ints, n_words: int) -> npt.NDArray[np.float32]:
    """Return the length that makes each word's vector of n-grams a unit vector: 1 / sqrt(number of its n-grams)."""
    return (1 / np.sqrt(np.maximum(np.bincount(owners, minlength=n_words), 1))).astype(np.float32)
