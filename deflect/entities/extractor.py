"""Finds entities in tickets: a blank spaCy pipeline whose rules are data, built once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from deflect.entities.pattern import Pattern, Text

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Span

#: A pattern as it is written: a table with a label and a pattern.
Table = Mapping[str, object]

#: The patterns that come with the package.
PATTERNS = Path(__file__).with_name("patterns.toml")
#: A text is cut to so many characters; what is wrong stands at its head.
MAX_CHARACTERS = 10_000
#: The neighbourhood that decides about an entity: at most so many tokens before it and behind it.
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

    def __init__(self, patterns: Sequence[Table] = ()) -> None:
        self.patterns = tuple(patterns)
        self._lock = Lock()
        self._rules: _Rules | None = None

    def __reduce__(self) -> tuple[type[Extractor], tuple[tuple[Table, ...]]]:
        # A process that is sent an extractor builds a pipeline of its own.
        return type(self), (self.patterns,)

    def extract(self, text: str, labels: Iterable[str]) -> list[Entity]:
        """Return the entities with some labels, label by label, each in the order of the text."""
        readable = _SURROGATES.sub("\ufffd", bounded(text))  # spaCy holds UTF-8; every offset stays.
        with self._lock:
            rules = self._rules = self._rules or _Rules(self.patterns)
            # Otherwise spaCy keeps every word that it has ever met: memory grows, and tickets stay in it.
            with rules.nlp.memory_zone():
                cut = rules.text(readable)
                found = [entity for label in labels for entity in rules.entities(cut, label)]
        return [replace(entity, value=text[entity.start : entity.end]) for entity in found]


class _Rules:
    """Holds a blank pipeline and the patterns of each label.

    A pattern costs time on every word that its first token is compared with. So those of a label itself run over the
    text, and those that judge its entities (``not_``, ``sure_``) over the neighbourhood of each.
    """

    def __init__(self, tables: Sequence[Table]) -> None:
        import spacy
        from spacy.attrs import IDS

        from deflect.entities.tokenizer import Tokenizer

        self.nlp: Language = spacy.blank("en")  # English numbers; every other word of a language is in the patterns.
        self._tokenizer = self.nlp.tokenizer = Tokenizer(self.nlp.vocab)
        self._patterns: dict[str, list[Pattern]] = {}
        used = {"LOWER"}
        for table in (*tomllib.loads(PATTERNS.read_text("utf-8"))["entities"], *tables):
            tokens = self._tokens(table["pattern"])
            used.update(name for token in tokens for name in token)
            self._patterns.setdefault(str(table["label"]), []).append(Pattern.of(tokens, self.nlp.vocab))
        # spaCy computes 23 attributes of each new word, which is half of the time, and the patterns use a few.
        kept = {IDS.get(name) for name in used}
        vocab: Any = self.nlp.vocab  # Its types lack lex_attr_getters.
        vocab.lex_attr_getters = {key: value for key, value in vocab.lex_attr_getters.items() if key in kept}
        for word in self.nlp.Defaults.stop_words:  # Half of a text; these alone spaCy may remember.
            self.nlp.vocab[word]

    def _tokens(self, pattern: object) -> list[dict[str, object]]:
        """Return a pattern as a list of tokens, which a text is short for."""
        if isinstance(pattern, str):
            return [{"ORTH": token.text} for token in self.nlp.make_doc(pattern)]
        return [dict(token) for token in pattern] if isinstance(pattern, Sequence) else []

    def text(self, text: str) -> Text:
        """Cut a text into tokens."""
        doc, words = self._tokenizer.tokens(text)
        return Text(doc, words, [word.lower() for word in words], len(text))

    def entities(self, text: Text, label: str) -> Iterator[Entity]:
        """Yield the entities with a label that nothing speaks against."""
        patterns, n = self._patterns.get(label, ()), len(text.words)
        maybe = {_entity(span, pattern, label) for pattern in patterns for span in pattern.spans(text, 0, n)}
        found = sorted(entity for entity in maybe if entity)
        if not found:
            return
        judges = {label, _JUDGED_AS.get(label, label)}
        signature = self._signature(text) if label in _IN_SIGNATURES else text.n_characters
        for entity in found:
            is_sure = self._is_judged("sure", judges, text, entity)
            if not self._is_judged("not", judges, text, entity) and (is_sure or entity.start < signature):
                yield replace(entity, is_sure=is_sure)

    def _is_judged(self, judgement: str, labels: Iterable[str], text: Text, entity: Entity) -> bool:
        at = text.doc.char_span(entity.start, entity.end, alignment_mode="expand") or text.doc[:]
        return any(
            span.start_char < entity.end and entity.start < span.end_char
            for label in labels
            for pattern in self._patterns.get(f"{judgement}_{label}", ())
            for span in pattern.spans(text, *_neighbourhood(pattern, at))
        )

    def _signature(self, text: Text) -> int:
        spans = (span for pattern in self._patterns[_SIGNATURE] for span in pattern.spans(text, 0, len(text.words)))
        return min((span.start_char for span in spans), default=text.n_characters)


def _entity(span: Span, pattern: Pattern, label: str) -> Entity | None:
    """Return what a pattern found: the part that it names, else all of it."""
    if pattern.value is None:
        return Entity(span.start_char, span.end_char, label, span.text)
    # From the end, for the words that lead to a value stand before it.
    for token in reversed([*span]):
        if match := pattern.value.search(token.text):
            return Entity(token.idx + match.start("value"), token.idx + match.end("value"), label, match["value"])
    return None


def _neighbourhood(pattern: Pattern, at: Span) -> tuple[int, int]:
    """Return the tokens in which a pattern may be that has some tokens in it: from and up to."""
    reach = _NEIGHBOURS if pattern.n_tokens is None else min(max(pattern.n_tokens - 1, 0), _NEIGHBOURS)
    return max(0, at.start - reach), min(at.end + reach, len(at.doc))


def bounded(text: str) -> str:
    """Cut a long text behind its last whole word: half a host name would be another host name."""
    if len(text) <= MAX_CHARACTERS:
        return text
    head = _WHOLE_WORDS.match(text, 0, MAX_CHARACTERS)
    return head[0] if head else ""
