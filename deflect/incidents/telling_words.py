"""Finds the words that the tickets of a surge have in common, and lets none out that could name a person."""

from __future__ import annotations

import math
import re
from collections import Counter, deque
from dataclasses import dataclass

from deflect.incidents.rates import Stream

#: What a word may look like; all else (names of hosts, addresses, numbers, tokens) is masked by being left out.
_WORD = re.compile(
    r"[^\W\d_]{3,20}"  # Letters.
    r"|[a-z]?\d{3}"  # Status codes and the like: 503, h12 has two digits.
    r"|[a-z]\d{2}"
)
#: What stands in a piece of text that is an address, a host, a path or a file.
_NO_WORDS = re.compile(r"@|://|\w[./\\_=]\w")
#: A word that fewer tickets of a surge have could be a name.
_LEAST_TICKETS = 3
_LEAST_SHARE = 0.2
#: A word says nothing about the surge if it is not so many times as frequent as before, or if it is common anyway.
_LEAST_LIFT = 2
_MOST_SHARE = 0.05
_N_WORDS = 5
_N_CHARACTERS = 4_000
_MAX_TICKETS = 5_000
_MAX_WORDS = 20_000


@dataclass(frozen=True, eq=False)
class _Ticket:
    at: float
    category: str
    group: Stream | None
    words: frozenset[str]


class TellingWords:
    """The words of the last tickets, in memory only, and how many tickets had each word before."""

    def __init__(self, window_seconds: float) -> None:
        self._window = window_seconds
        self._recent: deque[_Ticket] = deque(maxlen=_MAX_TICKETS)
        self._counts: Counter[str] = Counter()
        self._n_tickets = 0

    def add(self, at: float, text: str, category: str, group: Stream | None) -> None:
        """Remember a ticket for as long as the longest window is."""
        while self._recent and at - self._recent[0].at > self._window:
            self._count(self._recent.popleft())
        if len(self._recent) == _MAX_TICKETS:
            self._count(self._recent.popleft())
        self._recent.append(_Ticket(at, category, group, masked_words(text)))

    def of(self, own: Stream | str | None, since: float) -> tuple[tuple[str, ...], Counter[str]]:
        """Return the telling words of the tickets of a group, of a category or (None) of all, and their categories."""
        tickets = [
            ticket for ticket in self._recent if ticket.at >= since and own in (None, ticket.category, ticket.group)
        ]
        found = Counter(word for ticket in tickets for word in ticket.words)
        least = max(_LEAST_TICKETS, _LEAST_SHARE * len(tickets))
        shares = {word: self._share(word) for word, n in found.items() if n >= least}
        n_told = {
            word: found[word]
            for word, share in shares.items()
            if share <= _MOST_SHARE and found[word] >= _LEAST_LIFT * share * len(tickets)
        }
        weights = {word: n * -math.log(shares[word]) for word, n in n_told.items()}
        best = sorted(weights, key=lambda word: (-weights[word], word))[:_N_WORDS]
        return tuple(best), Counter(ticket.category for ticket in tickets)

    def _share(self, word: str) -> float:
        """Return the share of the tickets before that had a word; one more is taken to have had it."""
        return (1 + self._counts[word]) / (2 + self._n_tickets)

    def _count(self, ticket: _Ticket) -> None:
        self._n_tickets += 1
        self._counts.update(ticket.words)
        if len(self._counts) > _MAX_WORDS:
            # What was seen once goes, and all counts are halved: the past is forgotten as memory fills.
            self._counts = Counter({word: n // 2 for word, n in self._counts.items() if n > 1})
            self._n_tickets //= 2


def masked_words(text: str) -> frozenset[str]:
    """Return the words of a ticket that may be shown where several tickets have them.

    Examples
    --------
    >>> sorted(masked_words("H12 on shop.example.com since 14:05, mail bob@example.com, id 48151623"))
    ['h12', 'mail', 'since']

    """
    pieces = [piece for piece in text[:_N_CHARACTERS].lower().split() if not _NO_WORDS.search(piece)]
    return frozenset(word for piece in pieces for word in re.split(r"\W+", piece) if _WORD.fullmatch(word))
