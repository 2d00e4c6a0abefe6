"""Finds entities in tickets: a blank spaCy pipeline whose rules are data, built once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.matcher import Matcher
    from spacy.tokens import Doc, Span

Pattern = Mapping[str, object]

#: The patterns that come with the package.
PATTERNS = Path(__file__).with_name("patterns.toml")
#: A text is cut to so many characters; what is wrong stands at its head.
MAX_CHARACTERS = 10_000
#: The neighbourhood that decides about an entity: so many tokens before it and behind it.
_NEIGHBOURS = 12
#: What is said of one label holds for the other: the address of a help page is no broken address.
_JUDGED_AS = {"url": "domain"}
#: What people have in their signatures.
_IN_SIGNATURES = frozenset({"domain", "url"})
_SIGNATURE = "signature"
_SURROGATES = re.compile("[\ud800-\udfff]")
_WHOLE_WORDS = re.compile(r".*\s", re.DOTALL)


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """Something in a text, ``text[start:end]``; it ``is_sure`` where its neighbourhood says that it is the one."""

    start: int
    end: int
    label: str
    value: str
    is_sure: bool = False


class Extractor:
    """Finds entities in texts.

    The pipeline is built on first use and kept; where spaCy is not imported yet, that takes seconds. One extractor may
    be used by many threads: they take turns.

    Parameters
    ----------
    patterns
        More patterns, tables with ``label`` and ``pattern`` as in ``patterns.toml``.

    Examples
    --------
    >>> found = Extractor().extract("H12 on www.example.com", ["code", "domain"])
    >>> [(entity.label, entity.value) for entity in found]
    [('code', 'H12'), ('domain', 'www.example.com')]

    """

    def __init__(self, patterns: Sequence[Pattern] = ()) -> None:
        self.patterns = tuple(patterns)
        self._lock = Lock()
        self._rules: _Rules | None = None

    def __reduce__(self) -> tuple[type[Extractor], tuple[tuple[Pattern, ...]]]:
        # A process that is sent an extractor builds a pipeline of its own.
        return type(self), (self.patterns,)

    def extract(self, text: str, labels: Iterable[str]) -> list[Entity]:
        """Return the entities with some labels, label by label, each in the order of the text."""
        readable = _SURROGATES.sub("\ufffd", bounded(text))  # spaCy holds UTF-8; every offset stays.
        with self._lock:
            rules = self._rules = self._rules or _Rules(self.patterns)
            # Otherwise spaCy keeps every word that it has ever met: memory grows, and tickets stay in it.
            with rules.nlp.memory_zone():
                doc = rules.nlp(readable)
                found = [entity for label in labels for entity in rules.entities(doc, label)]
        return [replace(entity, value=text[entity.start : entity.end]) for entity in found]


class _Rules:
    """Holds a blank pipeline and a matcher for each label.

    A pattern costs time on every word that its first token is compared with. So those of a label itself run over the
    text, and those that judge its entities (``not_``, ``sure_``) over the neighbourhood of each.
    """

    def __init__(self, patterns: Sequence[Pattern]) -> None:
        import spacy
        from spacy.attrs import IDS

        from deflect.entities.tokenizer import Tokenizer

        self.nlp: Language = spacy.blank("en")  # English numbers; every other word of a language is in the patterns.
        self.nlp.tokenizer = Tokenizer(self.nlp.vocab)
        self._matchers: dict[str, Matcher] = {}
        self._values: list[re.Pattern[str] | None] = []
        used = {"LOWER"}
        for table in (*tomllib.loads(PATTERNS.read_text("utf-8"))["entities"], *patterns):
            tokens = self._tokens(table["pattern"])
            used.update(name for token in tokens for name in token)
            self._add(str(table["label"]), tokens)
        # spaCy computes 23 attributes of each new word, which is half of the time, and the patterns use a few.
        kept = {IDS.get(name) for name in used}
        vocab: Any = self.nlp.vocab  # Its types lack lex_attr_getters.
        vocab.lex_attr_getters = {key: value for key, value in vocab.lex_attr_getters.items() if key in kept}

    def _tokens(self, pattern: object) -> list[dict[str, object]]:
        """Return a pattern as a list of tokens, which a text is short for."""
        if isinstance(pattern, str):
            return [{"ORTH": token.text} for token in self.nlp.make_doc(pattern)]
        return [dict(token) for token in pattern] if isinstance(pattern, Sequence) else []

    def _add(self, label: str, tokens: list[dict[str, object]]) -> None:
        from spacy.matcher import Matcher

        matcher = self._matchers.setdefault(label, Matcher(self.nlp.vocab))
        matcher.add(str(len(self._values)), [tokens])
        self._values.append(_value_regex(tokens))

    def entities(self, doc: Doc, label: str) -> Iterator[Entity]:
        """Yield the entities with a label that nothing speaks against."""
        found = sorted({entity for span in self._spans(label, doc) if (entity := self._entity(span, label))})
        if not found:
            return
        judges = {label, _JUDGED_AS.get(label, label)}
        signature = self._signature(doc) if label in _IN_SIGNATURES else len(doc.text)
        for entity in found:
            around = _neighbourhood(doc, entity)
            is_sure = self._is_judged("sure", judges, around, entity)
            if not self._is_judged("not", judges, around, entity) and (is_sure or entity.start < signature):
                yield replace(entity, is_sure=is_sure)

    def _spans(self, label: str, text: Doc | Span) -> Iterator[Span]:
        matcher = self._matchers.get(label)
        for key, start, end in matcher(text) if matcher else ():
            span = text[start:end]
            span.label = key
            yield span

    def _entity(self, span: Span, label: str) -> Entity | None:
        """Return what a pattern found: the part that it names, else all of it."""
        regex = self._values[int(span.label_)]
        if regex is None:
            return Entity(span.start_char, span.end_char, label, span.text)
        # From the end, for the words that lead to a value stand before it.
        for token in reversed([*span]):
            if match := regex.search(token.text):
                return Entity(token.idx + match.start("value"), token.idx + match.end("value"), label, match["value"])
        return None

    def _is_judged(self, judgement: str, labels: Iterable[str], around: Span, entity: Entity) -> bool:
        return any(
            span.start_char < entity.end and entity.start < span.end_char
            for label in labels
            for span in self._spans(f"{judgement}_{label}", around)
        )

    def _signature(self, doc: Doc) -> int:
        return min((span.start_char for span in self._spans(_SIGNATURE, doc)), default=len(doc.text))


def _neighbourhood(doc: Doc, entity: Entity) -> Span:
    span = doc.char_span(entity.start, entity.end, alignment_mode="expand") or doc[:]
    return doc[max(0, span.start - _NEIGHBOURS) : span.end + _NEIGHBOURS]


def bounded(text: str) -> str:
    """Cut a long text behind its last whole word: half a host name would be another host name."""
    if len(text) <= MAX_CHARACTERS:
        return text
    head = _WHOLE_WORDS.match(text, 0, MAX_CHARACTERS)
    return head[0] if head else ""


def _value_regex(tokens: Iterable[Pattern]) -> re.Pattern[str] | None:
    """Return the regex of a pattern that names the part to fill in, None where that is all of it."""
    for token in tokens:
        for name, wanted in token.items():
            regex = wanted.get("REGEX") if isinstance(wanted, Mapping) else None
            if isinstance(regex, str) and "(?P<value>" in regex:
                return re.compile(regex, re.IGNORECASE if name == "LOWER" else re.NOFLAG)
    return None
