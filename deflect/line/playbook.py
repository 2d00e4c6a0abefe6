"""Reads the playbook: what the customer sees for each category, which experts edit and code must not know."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast, get_args
from urllib.parse import quote

from deflect.errors import PlaybookError
from deflect.line.toml_table import TEMPLATE_FIELD, TomlTable, shown

if TYPE_CHECKING:
    from deflect.line.entity_patterns import EntityPattern

Mode = Literal["auto", "never", "always"]

#: The format number that this version reads and writes.
FORMAT = 1
#: The built-in diagnoses that a tool may name in place of a url.
DIAGNOSES = ("dns", "assets", "timeouts")
#: A playbook that is longer than this is refused before it is read.
MAX_BYTES = 5_000_000

_PLAYBOOK_KEYS = ("format", "out_of_scope", "categories", "entities")
_ENTRY_KEYS = ("mode", "owner", "reviewed_on", "lead", "locales", "articles", "tool")
_ARTICLE_KEYS = ("title", "url", "summary")
_TOOL_KEYS = ("name", "url", "diagnosis", "parameters")

_LOCALE = re.compile(
    "[a-z]{2,3}"  # The language: de, gsw.
    "(-[a-z0-9]{2,8})*"  # Script, region, variant: -hant, -at.
)
#: RFC 5646, section 4.4.1: what is longer than this is no locale that a playbook has.
_MAX_LOCALE_CHARACTERS = 35


@dataclass(frozen=True, slots=True)
class Article:
    """Holds a help page that solves what a category is about."""

    title: str
    url: str
    summary: str


@dataclass(frozen=True, slots=True)
class Tool:
    """Holds a tool: a url, in which each parameter stands as ``{name}``, or the name of a built-in diagnosis."""

    name: str
    url: str | None = None
    diagnosis: str | None = None
    parameters: tuple[str, ...] = ()

    def link(self, parameters: Mapping[str, str]) -> str | None:
        """Return the url with every parameter in its place; None without a url, or where one of them is missing."""
        if self.url is None or not all(parameters.get(name) for name in self.parameters):
            return None
        return TEMPLATE_FIELD.sub(lambda field: quote(parameters[field[1]], safe=""), self.url)


@dataclass(frozen=True, slots=True)
class Advice:
    """Holds what the customer sees, in the customer's language where the playbook has it."""

    lead: str
    articles: tuple[Article, ...] = ()
    tool: Tool | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """Holds what the playbook says about one category; ``locales`` has lower-case names such as ``de-at``."""

    category: str
    mode: Mode
    owner: str
    reviewed_on: date
    lead: str = ""
    articles: tuple[Article, ...] = ()
    tool: Tool | None = None
    locales: Mapping[str, Advice] = field(default_factory=dict)

    def for_locale(self, locale: str | None) -> Advice:
        """Return the advice in a customer's language.

        Use it to answer a ticket. ``de-AT`` and ``de_AT`` fall back to ``de``, and that to the default text.

        Parameters
        ----------
        locale
            The customer's locale; None means the default text.

        Returns
        -------
            The nearest variant. It has every article and the tool, also where only some of their text is translated.

        Examples
        --------
        >>> german = Advice("Hallo.")
        >>> Entry("dns", "auto", "networking", date(2026, 11, 1), "Hello.", locales={"de": german}).for_locale(
        ...     "de-AT"
        ... ).lead
        'Hallo.'
        """
        for name in _fallbacks(locale or ""):
            if name in self.locales:
                return self.locales[name]
        return Advice(self.lead, self.articles, self.tool)


@dataclass(frozen=True, slots=True)
class Playbook:
    """Holds the entry of each category, the category that means "none of these", and the TOML text verbatim.

    ``entities`` are patterns in spaCy's format, with which ``Deflector.prefill`` finds more than its own.

    Examples
    --------
    >>> playbook = parse_playbook('''
    ... format = 1
    ... [categories.dns]
    ... mode = "never"
    ... owner = "networking"
    ... reviewed_on = 2026-11-01
    ... ''')
    >>> playbook.entries["dns"].owner
    'networking'

    """

    entries: Mapping[str, Entry]
    out_of_scope: str | None
    source: str = field(repr=False)
    entities: tuple[EntityPattern, ...] = ()

    @property
    def patterns(self) -> tuple[EntityPattern, ...]:
        """Return the entity patterns, and the one that keeps the playbook's own pages from being a broken domain."""
        from deflect.line.entity_patterns import pattern_of_pages  # Not before something is prefilled.

        advice = [each for entry in self.entries.values() for each in (entry.for_locale(None), *entry.locales.values())]
        urls = [article.url for each in advice for article in each.articles]
        urls += [each.tool.url for each in advice if each.tool and each.tool.url]
        return (*self.entities, pattern_of_pages(urls)) if urls else self.entities


def load_playbook(path: str | os.PathLike[str]) -> Playbook:
    """Load a playbook file.

    Use it before building a ``Deflector``. For a text that is in memory already, use ``parse_playbook``.

    Parameters
    ----------
    path
        A TOML file in UTF-8, at most 5 MB.

    Returns
    -------
        The playbook.

    Raises
    ------
    PlaybookError
        If the file cannot be read, or has faults: all of them are listed.

    Examples
    --------
    >>> load_playbook("data/playbook.toml").entries["dns"].owner
    'networking'
    """
    name = os.fspath(path)
    try:
        with Path(path).open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path.
        reason = getattr(error, "strerror", None) or error
        raise PlaybookError(name, [f"the playbook must be a file that can be read, got: {reason}"]) from error
    if len(raw) > MAX_BYTES:
        raise PlaybookError(name, [f"the playbook must be at most {MAX_BYTES:,} bytes long, got more"])
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise PlaybookError(name, [f"the playbook must be UTF-8, got another encoding in line {line}"]) from error
    return parse_playbook(text, name)


def parse_playbook(text: str, name: str = "playbook") -> Playbook:
    """Parse the TOML text of a playbook.

    Use it where the text does not come from a file, such as a web form or a bundle.

    Parameters
    ----------
    text
        The playbook, in TOML.
    name
        What error messages call it.

    Returns
    -------
        The playbook; its ``source`` is ``text``.

    Raises
    ------
    PlaybookError
        If the text has faults: all of them are listed, each with its place. Articles are counted from 0.

    Examples
    --------
    >>> text = '''
    ... format = 1
    ... [categories.dns]
    ... owner = "networking"
    ... reviewed_on = 2026-11-23
    ... lead = "Most of the time a DNS record is missing."
    ... '''
    >>> parse_playbook(text).entries["dns"].mode
    'auto'
    """
    faults: list[str] = []
    root = TomlTable(_toml(text, name), "", faults)
    root.accept(_PLAYBOOK_KEYS)
    number = root.values.get("format")
    if number != FORMAT or isinstance(number, (bool, float)):
        root.fault("format", f"{FORMAT}, the only format that this version reads")
    out_of_scope = root.text("out_of_scope", is_required=False)
    if root.values.get("categories", {}) == {}:
        root.fault("categories", "a table with at least one category")
    entries = {category: _entry(category, table) for category, table in root.by_name("categories").items()}
    entities = _entities(root.tables("entities"))
    if faults:
        raise PlaybookError(name, faults)
    return Playbook(entries, out_of_scope or None, text, entities)


def _entities(tables: Sequence[TomlTable]) -> tuple[EntityPattern, ...]:
    if not tables:
        return ()
    from deflect.line.entity_patterns import read_pattern  # Few playbooks have patterns of their own.

    return tuple(map(read_pattern, tables))


def _toml(text: str, name: str) -> Mapping[str, object]:
    try:
        text.encode("utf-8")
        return tomllib.loads(text)
    except UnicodeEncodeError as error:
        fault = "the playbook must be text that UTF-8 can hold, got a lone surrogate"
        raise PlaybookError(name, [fault]) from error
    except RecursionError as error:
        raise PlaybookError(name, ["the playbook must be nested less deeply, got too many levels"]) from error
    except ValueError as error:  # TOMLDecodeError, or a number of more digits than Python converts.
        raise PlaybookError(name, [f"the playbook must be TOML, got: {error}"]) from error


@dataclass(frozen=True, slots=True)
class _Wording:
    """Texts that belong together, and what takes the place of some of them in a locale."""

    default: Mapping[str, str]
    variants: Mapping[str, Mapping[str, str]]

    def in_locale(self, locale: str) -> dict[str, str]:
        """Return every text in its nearest variant."""
        found = dict(self.default)
        for name in reversed([*_fallbacks(locale)]):
            found |= self.variants.get(name, {})
        return found


def _entry(category: str, table: TomlTable) -> Entry:
    table.accept(_ENTRY_KEYS)
    if not category.strip():
        table.faults.append(f"{table.place} must have a name that is not empty, got {shown(category)}")
    mode = cast("Mode", table.choice("mode", get_args(Mode), "auto"))
    owner, reviewed_on = table.text("owner"), table.day("reviewed_on")
    lead = _Wording({"lead": table.text("lead", is_required=mode != "never")}, _variants(table, ("lead",)))
    articles = [_article(article) for article in table.tables("articles")]
    tool_table = table.table("tool")
    tool = None if tool_table is None else _tool(tool_table)

    def advice(locale: str) -> Advice:
        translated = tuple(Article(**article.in_locale(locale)) for article in articles)
        return Advice(lead.in_locale(locale)["lead"], translated, tool)

    default = advice("")
    names = sorted({name for wording in (lead, *articles) for name in wording.variants})
    locales = {name: advice(name) for name in names}
    return Entry(category, mode, owner, reviewed_on, default.lead, default.articles, tool, locales)


def _article(table: TomlTable) -> _Wording:
    table.accept((*_ARTICLE_KEYS, "locales"))
    return _Wording(_texts(table, _ARTICLE_KEYS), _variants(table, _ARTICLE_KEYS))


def _tool(table: TomlTable) -> Tool:
    table.accept(_TOOL_KEYS)
    name, parameters = table.text("name"), table.names("parameters")
    has_url, has_diagnosis = "url" in table.values, "diagnosis" in table.values
    if has_url == has_diagnosis:
        got = "both" if has_url else "neither"
        table.faults.append(f"{table.place} must have exactly one of url and diagnosis, got {got}")
    url = table.url_template("url", parameters) if has_url else None
    diagnosis = table.choice("diagnosis", DIAGNOSES, "") if has_diagnosis else None
    return Tool(name, url, diagnosis, parameters)


def _texts(table: TomlTable, keys: Sequence[str]) -> dict[str, str]:
    return {key: table.web_url(key) if key == "url" else table.text(key) for key in keys}


def _variants(table: TomlTable, keys: Sequence[str]) -> dict[str, dict[str, str]]:
    """Read the locales of a table: any of the keys, each locale once however it is written."""
    variants: dict[str, dict[str, str]] = {}
    for written, variant in table.by_name("locales").items():
        variant.accept(keys)
        name = next(_fallbacks(written), "")
        if not _LOCALE.fullmatch(name) or name in variants:
            table.faults.append(f"{variant.place} must be named like de or de-AT, each once, got {shown(written)}")
        variants[name] = _texts(variant, [key for key in keys if key in variant.values])
    return variants


def _fallbacks(locale: str) -> Iterator[str]:
    """Yield a locale in lower case, then what it falls back to: de-at, de."""
    name = locale.replace("_", "-").lower() if len(locale) <= _MAX_LOCALE_CHARACTERS else ""
    while name:
        yield name
        name = name.rpartition("-")[0]
