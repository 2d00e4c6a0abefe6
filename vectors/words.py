"""Chooses the words that get a vector: those that many people use, never a name or a key of one ticket."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from deflect.line.text import find_words

#: A word of the dictionaries counts from this many tickets on, another one, which may be a name, from the second.
_LEAST_TICKETS, _LEAST_TICKETS_UNLISTED = 3, 8
#: As many of the dictionary's words, the most frequent, get a vector without being in any ticket.
_N_DICTIONARY = 35_000
_WORD = re.compile(
    r"[a-z]{1,24}"  # A word.
    r"|[0-9]{1,4}"  # A year, a port or an error code; longer numbers are keys.
)
_AFTER_AT = re.compile(r"@(\w+)")


@dataclass(frozen=True)
class Dictionaries:
    """General lists, the most frequent first: words of English, the encoder's whole words; and words of hosting."""

    words: Sequence[str]
    encoder: Sequence[str]
    hosting: Sequence[str]


def read_dictionaries(encoder: Path) -> Dictionaries:
    """Read the list of the package symspellpy (MIT), the encoder's word pieces, and the list beside this file."""
    import symspellpy

    folder = Path(symspellpy.__file__).parent
    unigrams = (folder / "frequency_dictionary_en_82_765.txt").read_text("utf-8-sig").splitlines()
    pieces = (encoder / "vocab.txt").read_text("utf-8").splitlines()
    hosting = Path(__file__).with_name("hosting_words.txt").read_text("utf-8").split()
    return Dictionaries(
        words=_fitting(line.split()[0].lower() for line in unigrams),
        encoder=_fitting(pieces),
        hosting=hosting,
    )


def choose_words(tickets: Sequence[str], known: Dictionaries) -> list[str]:
    """Return words, the most frequent first."""
    counts = Counter(word for ticket in tickets for word in set(_words(ticket)))
    listed = {*known.words, *known.encoder, *known.hosting}
    handles = {name.lower() for ticket in tickets for name in _AFTER_AT.findall(ticket)}
    common = [word for word, n in counts.items() if _is_common(word, n, listed, handles)]
    used = sorted(common, key=lambda word: (-counts[word], word))
    ranks: dict[str, int] = {}
    # A list of general English says less about support than its tickets do, so its ranks count twice.
    lists = ((used, 1), (known.hosting, 1), (known.encoder, 2), (known.words[:_N_DICTIONARY], 2))
    for words, weight in lists:
        for rank, word in enumerate(words):
            ranks[word] = min(ranks.get(word, len(listed) * weight), rank * weight)
    return sorted(ranks, key=ranks.__getitem__)


def _is_common(word: str, n_tickets: int, listed: set[str], handles: set[str]) -> bool:
    if not _WORD.fullmatch(word):
        return False
    return (
        n_tickets >= _LEAST_TICKETS if word in listed else n_tickets >= _LEAST_TICKETS_UNLISTED and word not in handles
    )


def _fitting(words: Iterable[str]) -> list[str]:
    return [word for word in words if _WORD.fullmatch(word)]


def _words(text: str) -> list[str]:
    """Return the words of a text as the line reads them."""
    found = find_words([text])
    raw = found.buffer.tobytes()
    spans = zip(found.starts.tolist(), found.ends.tolist(), strict=True)
    return [raw[start:end].decode("utf-8", "replace") for start, end in spans]
