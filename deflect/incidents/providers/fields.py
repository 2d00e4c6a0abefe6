"""Reads values out of a JSON object of which nothing is certain: what is missing or wrong reads as empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

from deflect.incidents.providers.plain_text import MAX_BODY_CHARACTERS, MAX_TITLE_CHARACTERS, clean, one_line, plain
from deflect.incidents.providers.times import read_time
from deflect.incidents.providers.words import impact_of, state_of, worst
from deflect.incidents.snapshot import Impact, State
from deflect.line.toml_table import is_web_url

#: Longer lists are cut: a page with more on it than this is not read by people either.
MAX_ITEMS = 500
_MAX_URL_CHARACTERS = 2_000
_MAX_DIGITS_AS_BITS = 100


class Fields:
    """A JSON object; anything else reads as an empty one."""

    def __init__(self, value: object) -> None:
        self.values: dict[object, object] = value if isinstance(value, dict) else {}

    def has(self, *keys: str) -> bool:
        """Say whether any of some keys is there."""
        return any(key in self.values for key in keys)

    def fields(self, key: str) -> Fields:
        """Read an object in the object."""
        return Fields(self.values.get(key))

    def list(self, *keys: str) -> list[Fields]:
        """Read the first list of objects under some keys; what is no object in it is left out."""
        return next((found for key in keys if (found := objects(self.values.get(key)))), [])

    def title(self, *keys: str) -> str:
        """Read the first text under some keys that is not empty, as one plain line."""
        return self._first(keys, _title)

    def body(self, *keys: str) -> str:
        """Read the first text under some keys that is not empty, as plain text."""
        return self._first(keys, lambda text: plain(text, MAX_BODY_CHARACTERS))

    def verbatim(self, *keys: str) -> str:
        """Read the first text under some keys that is not empty, where it is plain text and no HTML."""
        return self._first(keys, clean)

    def verbatim_line(self, *keys: str) -> str:
        """Read the same as one line, such as a title."""
        return self._first(keys, one_line)

    def verbatim_names(self, key: str) -> tuple[str, ...]:
        """Read a list of texts that are plain text and no HTML; each once."""
        value = self.values.get(key)
        items = value[:MAX_ITEMS] if isinstance(value, list) else []
        return tuple(dict.fromkeys(name for item in items if (name := one_line(_text(item)))))

    def at(self, *keys: str) -> datetime | None:
        """Read the first time under some keys."""
        return next((time for key in keys if (time := read_time(self.values.get(key)))), None)

    def url(self, *keys: str) -> str:
        """Read the first http or https URL under some keys."""
        found = (value for key in keys if isinstance(value := self.values.get(key), str))
        return next((url for url in found if len(url) <= _MAX_URL_CHARACTERS and is_web_url(url)), "")

    def number(self, *keys: str) -> int | None:
        """Read the first whole number under some keys, also where it is written as a text."""
        found = (self.values.get(key) for key in keys)
        return next((int(_text(value)) for value in found if _text(value).isdecimal()), None)

    def state(self, *keys: str) -> State:
        """Read the first state under some keys."""
        states = (state_of(self.title(key)) for key in keys)
        return next((state for state in states if state != "unknown"), "unknown")

    def impact(self, *keys: str) -> Impact:
        """Read the first impact under some keys."""
        impacts = (impact_of(self.title(key)) for key in keys)
        return next((impact for impact in impacts if impact != "unknown"), "unknown")

    def names(self, key: str, *name_keys: str) -> tuple[str, ...]:
        """Read the names in a list of texts or of objects that have a name under one of some keys; each once."""
        value = self.values.get(key)
        items = value[:MAX_ITEMS] if isinstance(value, list) else []
        found = (Fields(item).title(*name_keys) if isinstance(item, dict) else _title(_text(item)) for item in items)
        return tuple(dict.fromkeys(name for name in found if name))

    def worst_impact(self, key: str, *impact_keys: str) -> Impact:
        """Read the worst impact in a list of objects that have one under one of some keys."""
        return worst(*(item.impact(*impact_keys) for item in self.list(key)))

    def _first(self, keys: tuple[str, ...], shape: Callable[[str], str]) -> str:
        texts = (shape(_text(self.values.get(key))) for key in keys)
        return next((text for text in texts if text), "")


def objects(value: object) -> list[Fields]:
    """Read a list of objects; what is no object in it is left out."""
    items = value[:MAX_ITEMS] if isinstance(value, list) else []
    return [Fields(item) for item in items if isinstance(item, dict)]


def _title(text: str) -> str:
    return one_line(plain(text, MAX_TITLE_CHARACTERS))


def _text(value: object) -> str:
    """Return a text or a number as text; of a translated text, the default one or else the first."""
    if isinstance(value, dict):
        value = next(_wordings(value), None)
    if isinstance(value, str):
        return value
    is_number = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _MAX_DIGITS_AS_BITS
    return str(value) if is_number else ""


def _wordings(texts: dict[object, object]) -> Iterator[str]:
    """Yield the wordings of a translated text, such as ``{"default": "Outage", "de": "Ausfall"}``, best first."""
    chosen = [texts.get("default"), texts.get("en"), *texts.values()]
    yield from (text for text in chosen if isinstance(text, str))
