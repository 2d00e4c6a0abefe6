"""One pattern: where it may begin, what it finds there, and which part of that is the value.

spaCy's matcher asks Python about each word and each pattern, half a microsecond every time, and most words begin
nothing. So the first token of a pattern is compared with all words here, and the matcher runs where all can fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from spacy.matcher import Matcher
    from spacy.tokens import Doc, Span
    from spacy.vocab import Vocab

Token = Mapping[str, object]

#: How many tokens an operator lets one of a pattern stand for at most; None is any number.
_MOST = {"1": 1, "?": 1, "!": 1, "+": None, "*": None}
_RANGE = re.compile(
    r"\{(?P<least>\d*)"  # {3 or {1 or {
    r"(?:,(?P<most>\d*))?\}"  # } or ,3} or ,}
)


@dataclass(frozen=True, slots=True)
class Text:
    """A text cut into tokens, with their words as Python's strings."""

    doc: Doc
    words: Sequence[str]
    lower_words: Sequence[str]
    n_characters: int


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a token of a pattern wants of its word, which is lower-cased where ``is_lower``."""

    is_lower: bool
    fits: Callable[[str], object]

    def words(self, text: Text) -> Sequence[str]:
        """Return the words of a text as it wants them."""
        return text.lower_words if self.is_lower else text.words


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern: ``first`` must fit its first word, and each of ``others`` one of the words behind; None fits all.

    ``value`` finds the part to fill in, None where that is all of it; ``n_tokens`` is the most that it covers, None
    where there is no limit.
    """

    matcher: Matcher
    first: Wanted | None
    others: tuple[Wanted, ...]
    value: re.Pattern[str] | None
    n_tokens: int | None

    @classmethod
    def of(cls, tokens: Sequence[Token], vocab: Vocab) -> Pattern:
        """Return the pattern with some tokens, as spaCy writes them."""
        from spacy.matcher import Matcher

        matcher = Matcher(vocab)
        matcher.add("", [[dict(token) for token in tokens]])
        first, *others = map(_wanted, tokens)
        return cls(matcher, first, tuple(filter(None, others)), _value(tokens), _n_tokens(tokens))

    def spans(self, text: Text, start: int, end: int) -> Iterator[Span]:
        """Yield what it finds in some tokens of a text."""
        for begin, stop in self._windows(text, start, end):
            if all(any(map(other.fits, other.words(text)[begin:stop])) for other in self.others):
                window = text.doc[begin:stop]
                yield from (window[i:k] for _, i, k in self.matcher(window))

    def _windows(self, text: Text, start: int, end: int) -> Iterator[tuple[int, int]]:
        """Yield the stretches of tokens in which it may be, one behind the other."""
        if self.first is None:
            yield start, end
            return
        fits, begin, stop = self.first.fits, -1, -1
        for i in [i for i, found in enumerate(map(fits, self.first.words(text)[start:end]), start) if found]:
            if i > stop:
                if stop > 0:
                    yield begin, stop
                begin = i
            stop = end if self.n_tokens is None else min(i + self.n_tokens, end)
        if stop > 0:
            yield begin, stop


def _wanted(token: Token) -> Wanted | None:
    """Return what a token wants of its word, if it must be there and wants something that is known here."""
    if token.get("OP", "1") not in {"1", "+"}:
        return None
    for name, value in token.items():
        fits = _test(value) if name in {"ORTH", "TEXT", "LOWER"} else None
        if fits is not None:
            return Wanted(name == "LOWER", fits)
    return None


def _test(value: object) -> Callable[[str], object] | None:
    if isinstance(value, str):
        return value.__eq__
    if isinstance(value, Mapping) and isinstance(words := value.get("IN"), list):
        return frozenset(words).__contains__
    if isinstance(value, Mapping) and isinstance(regex := value.get("REGEX"), str):
        return re.compile(regex).search
    return None


def _n_tokens(tokens: Iterable[Token]) -> int | None:
    most = [_most(str(token.get("OP", "1"))) for token in tokens]
    return None if None in most else sum(n for n in most if n is not None)


def _most(operator: str) -> int | None:
    found = _RANGE.fullmatch(operator)
    if found is None:
        return _MOST[operator]
    most = found["least"] if found["most"] is None else found["most"]
    return int(most) if most else None


def _value(tokens: Iterable[Token]) -> re.Pattern[str] | None:
    """Return the regex of a pattern that names the part to fill in, None where that is all of it."""
    for token in tokens:
        for name, wanted in token.items():
            regex = wanted.get("REGEX") if isinstance(wanted, Mapping) else None
            if isinstance(regex, str) and "(?P<value>" in regex:
                return re.compile(regex, re.IGNORECASE if name == "LOWER" else re.NOFLAG)
    return None
