"""Turns tickets into one byte buffer and finds the words in it, because every later step is a look-up by position."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deflect.line.text_column import TICKET_END, TextColumn

#: What every byte that is no word character becomes, so that an n-gram at a word's edge sees one and the same edge.
EDGE = 1
#: A ticket is cut to this many characters: its head, where people say what is wrong, and its tail, where logs end.
MAX_CHARACTERS = 40_000
_TAIL_CHARACTERS = 8_000
#: Larger chunks leave the cache, smaller ones spend their time in calls; measured best with one and two threads. A
#: smaller batch is cut into eight, so that threads share it evenly.
_CHUNK_CHARACTERS = 1 << 19
_LEAST_CHUNK_CHARACTERS = 1 << 16
_LEAST_CHUNKS = 8
#: Stands between two tickets in the joined text, as in a TextColumn; a ticket's own NUL bytes become spaces first.
_TICKET_END = TICKET_END.decode()


def _byte_table() -> bytes:
    """Map a byte to its lower-cased word character, or to EDGE; bytes of longer UTF-8 characters belong to words."""
    ascii_part = [ord(chr(byte).lower()) if chr(byte).isalnum() else EDGE for byte in range(0x80)]
    return bytes([*ascii_part, *range(0x80, 0x100)])


#: What each byte of a ticket becomes: a lower-cased word character, or EDGE.
BYTES = _byte_table()

#: A longer stretch without ASCII is folded each time anew, so that what is remembered stays small.
_MAX_REMEMBERED_BYTES = 80
# Patterns stay text until the first ticket that is not ASCII asks for them: compiling takes time that a start lacks.
_ACCENTS = (
    "["
    "\u0300-\u036f"  # Of Latin, Greek and Cyrillic letters.
    "\u0640\u064b-\u0655\u0670"  # Arabic vowel signs, hamzas above and below, the stretch: few write them all.
    "]+"
)
_SYMBOLS = (
    "["
    "\u0080-\u00a9\u00ab-\u00b4\u00b6-\u00b9\u00bb-\u00bf\u00d7\u00f7"  # Latin-1 punctuation and signs.
    "\u02c2-\u02df"  # Spacing accents.
    "\u055a-\u055f\u0589"  # Armenian punctuation.
    "\u060c\u061b\u061e\u061f\u066a-\u066d\u06d4"  # Arabic punctuation.
    "\u0964\u0965"  # The stops of Hindi and its neighbours.
    "\u1361-\u1368"  # Ethiopic punctuation.
    "\u2000-\u206f"  # General punctuation: curly quotes, dashes, zero-width characters.
    "\u20a0-\u20cf"  # Currency signs.
    "\u2190-\u2bff"  # Arrows, boxes, check marks.
    "\u3000-\u3004\u3008-\u303f"  # CJK punctuation.
    "\ufe00-\ufe0f\ufeff\ufffd"  # Variation selectors, byte order mark, replacement character.
    "\uff00-\uff0f\uff1a-\uff20"  # Full-width punctuation.
    "\U0001f000-\U0001faff"  # Pictographs.
    "]+"
)
_UNSPACED = (
    "(["
    "\u0e00-\u0eff"  # Thai, Lao.
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer.
    "\u3005-\u3007"  # The sign that repeats a Han character, and Han signs that look like punctuation.
    "\u3040-\u30ff"  # Hiragana, Katakana.
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han.
    "])"
)


def fold(text: str) -> str:
    """Fold what is not ASCII in a text: lower case, no accents, no symbols, unspaced scripts one word a character.

    One word a character makes the word pairs of Chinese, Japanese or Thai its character bigrams. What is ASCII stays as
    it is: nothing outside changes it, and the byte table lowers it.
    """
    return text if text.isascii() else _folded(text.encode("utf-8", "replace")).decode()


def _folded(raw: bytes) -> bytes:
    """Fold what is not ASCII in UTF-8; NumPy finds it many times as fast as a regular expression."""
    is_foreign = np.frombuffer(raw, dtype=np.uint8) >= 0x80
    borders = (is_foreign[1:] != is_foreign[:-1]).nonzero()[0] + 1
    parts = [raw[start:end] for start, end in pairwise([0, *borders.tolist(), len(raw)])]
    # Stretches of ASCII and of others take turns.
    others = slice(0 if is_foreign[0] else 1, None, 2)
    parts[others] = [
        _fold_run(run) if len(run) <= _MAX_REMEMBERED_BYTES else _fold_run.__wrapped__(run) for run in parts[others]
    ]
    return b"".join(parts)


@lru_cache(maxsize=1 << 14)
def _fold_run(raw: bytes) -> bytes:
    """Fold a stretch without ASCII; few of them, such as a curly quote or an umlaut, are most of what there is."""
    run = unicodedata.normalize("NFKD", raw.decode().lower())
    run = unicodedata.normalize("NFC", re.sub(_ACCENTS, "", run))
    return re.sub(_UNSPACED, r" \1 ", re.sub(_SYMBOLS, " ", run)).encode()


def clip(text: str) -> str:
    """Cut a ticket that is longer than MAX_CHARACTERS to its head and its tail."""
    if len(text) <= MAX_CHARACTERS:
        return text
    return f"{text[: MAX_CHARACTERS - _TAIL_CHARACTERS - 1]} {text[-_TAIL_CHARACTERS:]}"


def chunks(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut a sequence of tickets into runs of about _CHUNK_CHARACTERS; a longer ticket makes its run longer."""
    if isinstance(texts, TextColumn):
        lengths = texts.n_bytes  # Near enough.
    else:
        lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    ends = np.cumsum(lengths + 1)
    least = max(_LEAST_CHUNK_CHARACTERS, int(ends[-1]) // _LEAST_CHUNKS) if len(texts) else 1
    runs = ends // min(_CHUNK_CHARACTERS, least)
    cuts = [0, *(np.flatnonzero(np.diff(runs)) + 1).tolist(), len(texts)]
    for start, end in pairwise(cuts):
        if end > start:
            yield texts[start:end]


class Words(NamedTuple):
    """The words of a chunk of tickets: word i is ``buffer[starts[i]:ends[i]]``.

    Ticket t has the words from ``begins[t]`` to ``begins[t + 1]`` and stands between ``edges[t]`` and ``edges[t + 1]``.
    """

    buffer: npt.NDArray[np.uint8]
    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]
    begins: npt.NDArray[np.int64]
    edges: npt.NDArray[np.int64]

    @property
    def tickets(self) -> npt.NDArray[np.int64]:
        """Return the ticket of each word."""
        return np.repeat(np.arange(len(self.begins) - 1), np.diff(self.begins))


def find_words(texts: Sequence[str]) -> Words:
    """Join tickets into one buffer and find where its words begin and end."""
    raw = joined(texts)
    buffer = np.frombuffer(raw.translate(BYTES), dtype=np.uint8)
    is_word = buffer != EDGE
    # The buffer begins and ends with an edge, so the changes alternate: start, end, start, end.
    changes = (is_word[1:] != is_word[:-1]).nonzero()[0]
    changes += 1
    starts, ends = changes[0::2], changes[1::2]
    if len(texts) == 1:  # A form's ticket has no time for what finds the borders of many.
        return Words(buffer, starts, ends, np.array((0, len(starts))), np.array((0, len(buffer) - 1)))
    edges = np.flatnonzero(np.frombuffer(raw, dtype=np.uint8) == 0)
    return Words(buffer, starts, ends, starts.searchsorted(edges), edges)


def joined(texts: Sequence[str]) -> bytes:
    """Join tickets as UTF-8, clipped and folded, with a ticket end before, between and after them."""
    if isinstance(texts, TextColumn):
        raw = texts.joined()
        if texts.n_bytes.max(initial=0) <= MAX_CHARACTERS and raw.count(TICKET_END) == len(texts) + 1:
            return raw if raw.isascii() else _folded(raw)
        texts = list(texts)
    if max(map(len, texts), default=0) > MAX_CHARACTERS:
        texts = [clip(text) for text in texts]
    is_ascii = all(map(str.isascii, texts))
    if not is_ascii:
        texts = [text if text.isascii() else _bytes_as_characters(text) for text in texts]
    whole = _TICKET_END.join(("", *texts, ""))
    if whole.count(_TICKET_END) != len(texts) + 1:
        whole = _TICKET_END.join(("", *(text.replace(_TICKET_END, " ") for text in texts), ""))
    raw = whole.encode("latin-1")
    return raw if is_ascii else _folded(raw)


def _bytes_as_characters(text: str) -> str:
    """Return a text with a Latin-1 character for each byte of its UTF-8: one emoji would widen all that it joins."""
    return text.encode("utf-8", "replace").decode("latin-1")


def with_subject(subject: str, body: str) -> str:
    """Return the text of a ticket that has a subject and a body: a line each, as ``read_tickets`` joins columns."""
    return f"{subject}\n{body}" if subject and body else subject or body
