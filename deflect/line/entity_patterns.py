"""Checks the entity patterns of a playbook against spaCy's format without spaCy, which would take seconds to import."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from deflect.line.toml_table import TomlTable

#: A table with a label and a pattern, as spaCy's rulers read it.
EntityPattern = Mapping[str, object]

_LABEL = re.compile(r"[a-z][a-z0-9_]{0,59}")
_OPERATOR = re.compile(
    r"[!?+*]"  # None, perhaps one, some, any number.
    r"|\{(?P<exact>\d{1,2})\}"  # {3}
    r"|\{(?P<least>\d{0,2}),(?P<most>\d{0,2})\}"  # {1,3}, {1,}, {,3}
)
#: What spaCy knows of a token in a blank pipeline; parts of speech and the like need a trained one.
_TEXTS = ("ORTH", "TEXT", "LOWER", "NORM", "SHAPE")
_NUMBERS = ("LENGTH",)
_FLAGS = (
    *("IS_ALPHA", "IS_ASCII", "IS_DIGIT", "IS_LOWER", "IS_UPPER", "IS_TITLE", "IS_PUNCT", "IS_SPACE", "IS_STOP"),
    *("IS_BRACKET", "IS_QUOTE", "IS_LEFT_PUNCT", "IS_RIGHT_PUNCT", "IS_CURRENCY"),
    *("LIKE_NUM", "LIKE_URL", "LIKE_EMAIL", "SPACY"),
)
_FUZZY = ("FUZZY", *(f"FUZZY{n_edits}" for n_edits in range(1, 10)))
#: What an error message calls the values of an attribute.
_NAMES: dict[type[str | int], str] = {str: "a text", int: "a number from 0"}
_COMPARISONS = ("==", "!=", ">=", "<=", ">", "<")
_LISTS = ("IN", "NOT_IN")


def read_pattern(table: TomlTable) -> EntityPattern:
    """Read a table with a label and a pattern: a text, or a list of tokens."""
    table.accept(("label", "pattern"))
    if not _LABEL.fullmatch(table.text("label") or "x"):
        table.fault("label", "a name like order_id")
    pattern = table.values.get("pattern")
    if isinstance(pattern, list) and pattern:
        for token in table.tables("pattern"):
            _check_token(token)
    elif not isinstance(pattern, str) or not pattern.strip():
        table.fault("pattern", "a text that is not empty or a list of tokens")
    return dict(table.values)


def pattern_of_pages(urls: Sequence[str]) -> EntityPattern:
    """Return the pattern that finds the hosts of our own pages, whose names in a ticket are not what is broken."""
    hosts = "|".join(sorted({re.escape(urlsplit(url).hostname or "") for url in urls}))
    return {"label": "not_domain", "pattern": [{"LOWER": {"REGEX": rf"^(?:https?://)?(?:{hosts})(?:[:/?#].*)?$"}}]}


def _check_token(token: TomlTable) -> None:
    token.accept((*_TEXTS, *_NUMBERS, *_FLAGS, "OP"))
    for key, value in token.values.items():
        if key in _TEXTS:
            _check_value(token, key, str, {"REGEX": _is_regex, **dict.fromkeys(_FUZZY, _is_text)})
        elif key in _NUMBERS:
            _check_value(token, key, int, dict.fromkeys(_COMPARISONS, _is_number))
        elif key in _FLAGS and not isinstance(value, bool):
            token.fault(key, "true or false")
        elif key == "OP" and not _is_operator(value):
            token.fault(key, "one of ! ? + * {n} {n,m} {n,} {,m}, with numbers below 100")


def _check_value(
    token: TomlTable, key: str, kind: type[str | int], predicates: Mapping[str, Callable[[object], bool]]
) -> None:
    """Report what is neither a value of a kind, nor a table of lists and predicates."""
    if _is_a(token.values[key], kind):
        return
    table = token.table(key) if isinstance(token.values[key], dict) else None
    if table is None or not table.values:
        token.fault(key, f"{_NAMES[kind]} or a table like {{ IN = [...] }}")
        return
    table.accept((*_LISTS, *predicates))
    for name, value in table.values.items():
        if name in _LISTS and not (isinstance(value, list) and all(_is_a(item, kind) for item in value)):
            table.fault(name, f"a list, each {_NAMES[kind]}")
        elif name in predicates and not predicates[name](value):
            table.fault(name, "a regular expression" if name == "REGEX" else _NAMES[kind])


def _is_a(value: object, kind: type[str | int]) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool) and not (isinstance(value, int) and value < 0)


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_number(value: object) -> bool:
    return _is_a(value, int)


def _is_regex(value: object) -> bool:
    try:
        re.compile(str(value))
    except (re.error, OverflowError, RecursionError):
        return False
    return isinstance(value, str)


def _is_operator(value: object) -> bool:
    match = _OPERATOR.fullmatch(value) if isinstance(value, str) else None
    if match is None or match["least"] is None:
        return match is not None
    least, most = match["least"], match["most"]
    return bool(least or most) and (not most or int(least or 0) <= int(most))
