"""Words as an incident and a ticket are compared by: in lower case, without accents, by their first letters."""

from __future__ import annotations

import re

from deflect.line.text import fold

_WORD = re.compile(r"\w+")
#: A word is its first letters: "certificates" is "certif". A stemmer for many languages that costs nothing.
_N_LETTERS = 6
#: A shorter word keeps its last s: "dns" is no plural.
_LEAST_PLURAL = 5


def words(text: str) -> set[str]:
    """Return the different words of a text."""
    return set(_WORD.findall(fold(text).lower()))


def stem(word: str) -> str:
    """Return what a word is compared by.

    Examples
    --------
    >>> [stem(word) for word in ("builds", "build", "dns", "certificates")]
    ['build', 'build', 'dns', 'certif']

    """
    singular = word[:-1] if word[-1] == "s" and len(word) >= _LEAST_PLURAL else word
    return singular[:_N_LETTERS]


def stems(text: str) -> set[str]:
    """Return the different stems of the words of a text.

    Examples
    --------
    >>> sorted(stems("DNS certificates, a certificate"))
    ['a', 'certif', 'dns']

    """
    return set(map(stem, words(text)))
