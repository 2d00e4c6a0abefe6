"""Reads values out of a TOML table and collects what is wrong with them, so that one error can name every fault."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import urlsplit

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]{1,60}")
_PARAMETER = re.compile(r"[a-z][a-z0-9_]*")
#: Where a url takes a parameter.
TEMPLATE_FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
#: RFC 3986 lets none of these stand in a URL.
_NOT_IN_A_URL = frozenset(' "<>\\^`{|}')
#: An error message shows this much of a value.
_SHOWN_CHARACTERS = 60
_SHOWN_ITEMS = 9
_SHOWN_BITS = 64


@dataclass(frozen=True, slots=True)
class TomlTable:
    """Holds a table, its place, and the list to which every fault goes; a faulty value reads as an empty one."""

    values: Mapping[str, object]
    place: str
    faults: list[str]

    def at(self, key: str) -> str:
        """Return the place of a key."""
        name = key if _BARE_KEY.fullmatch(key) else shown(key)
        return f"{self.place}.{name}" if self.place else name

    def fault(self, key: str, wanted: str) -> None:
        """Report that a key must be something else."""
        got = shown(self.values[key]) if key in self.values else "nothing"
        self.faults.append(f"{self.at(key)} must be {wanted}, got {got}")

    def accept(self, keys: Sequence[str]) -> None:
        """Report every key that is not one of these."""
        for key in self.values:
            if key not in keys:
                self.faults.append(f"{self.at(key)} must be one of the keys {', '.join(keys)}, got {shown(key)}")

    def text(self, key: str, *, is_required: bool = True) -> str:
        """Read a text that is not empty."""
        value = self.values.get(key)
        if isinstance(value, str) and value.strip():
            return value
        if is_required or key in self.values:
            self.fault(key, "a text that is not empty")
        return ""

    def web_url(self, key: str) -> str:
        """Read the URL of a page."""
        url = self.text(key)
        if url and not is_web_url(url):
            self.fault(key, "an http or https URL")
        return url

    def url_template(self, key: str, parameters: Sequence[str]) -> str:
        """Read a URL in which each parameter stands as ``{name}``."""
        url = self.text(key)
        used = dict.fromkeys(TEMPLATE_FIELD.findall(url))
        if url and not is_web_url(TEMPLATE_FIELD.sub("0", url)):
            self.fault(key, "an http or https URL with parameters like {domain}")
        elif url and set(used) != set(parameters):
            self.faults.append(
                f"{self.at('parameters')} must be the names in the url, {shown([*used])}, got {shown([*parameters])}"
            )
        return url

    def choice(self, key: str, choices: Sequence[str], default: str) -> str:
        """Read one of some words."""
        value = self.values.get(key, default)
        if isinstance(value, str) and value in choices:
            return value
        self.fault(key, f"one of {', '.join(choices)}")
        return default

    def day(self, key: str) -> date:
        """Read a date."""
        value = self.values.get(key)
        if isinstance(value, date) and not isinstance(value, datetime):
            return value
        self.fault(key, "a date like 2026-11-23, without quotes")
        return date.min

    def names(self, key: str) -> tuple[str, ...]:
        """Read a list of different parameter names."""
        value = self.values.get(key, [])
        names = value if isinstance(value, list) else [None]
        found = tuple(name for name in names if isinstance(name, str) and _PARAMETER.fullmatch(name))
        if len(set(found)) != len(names):
            self.fault(key, "a list of different names like domain or app_id")
        return found

    def table(self, key: str) -> TomlTable | None:
        """Read a table; None where there is none."""
        value = self.values.get(key)
        if isinstance(value, dict):
            return TomlTable(value, self.at(key), self.faults)
        if key in self.values:
            self.fault(key, "a table")
        return None

    def by_name(self, key: str) -> dict[str, TomlTable]:
        """Read a table of tables."""
        outer = self.table(key)
        inner = {} if outer is None else {name: outer.table(name) for name in outer.values}
        return {name: table for name, table in inner.items() if table is not None}

    def tables(self, key: str) -> list[TomlTable]:
        """Read a list of tables."""
        value = self.values.get(key, [])
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return [TomlTable(item, f"{self.at(key)}[{i}]", self.faults) for i, item in enumerate(value)]
        self.fault(key, f"a list of tables, each headed [[{self.at(key)}]]")
        return []


def is_web_url(url: str) -> bool:
    """Say whether a text is the http or https URL of a page."""
    try:
        parts = urlsplit(url)
        has_address = bool(parts.hostname) and (parts.port or 0) >= 0  # A port that is no number raises.
    except ValueError:
        return False
    return has_address and parts.scheme in {"http", "https"} and url.isprintable() and _NOT_IN_A_URL.isdisjoint(url)


def shown(value: object) -> str:
    """Show a value in an error message, on one line and cut where it is long."""
    if isinstance(value, str):
        return repr(value if len(value) <= _SHOWN_CHARACTERS else f"{value[:_SHOWN_CHARACTERS]}...")
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return f"[{', '.join(map(shown, value[:_SHOWN_ITEMS]))}{', ...' if len(value) > _SHOWN_ITEMS else ''}]"
    if isinstance(value, (dict, list)):
        return "a table" if isinstance(value, dict) else "a list"
    if isinstance(value, bool):
        return str(value).lower()
    # Python refuses to print an int of more than 4,300 digits.
    return "a very large number" if isinstance(value, int) and value.bit_length() > _SHOWN_BITS else str(value)
