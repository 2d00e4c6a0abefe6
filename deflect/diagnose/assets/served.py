"""Reads which versions of assets a page names, and which a build log says were written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from deflect.diagnose.assets.formats import versions
from deflect.diagnose.assets.names import shown
from deflect.diagnose.assets.stacks import LogRule

#: A page is read up to this, a log too.
MAX_PAGE_BYTES = 10_000_000
MAX_LOG_BYTES = 50_000_000

_WORD = re.compile(r"[^\s\"'<>()=,;|]{5,500}(?:\?id=[0-9a-f]{4,64})?")
_HAS_ENDING = re.compile(
    r"\.(?:"
    r"js|mjs|css|map|json|wasm"  # Code.
    r"|png|jpe?g|gif|svg|webp|avif|ico"  # Images.
    r"|woff2?|ttf|otf|eot"  # Fonts.
    r")(?:\?|\Z)"
)
_COLOUR = re.compile(r"\x1b\[[0-9;]{0,20}[A-Za-z]")


@dataclass(frozen=True, slots=True)
class Served:
    """The versions of each file that something names, by the file's name without its version."""

    versions: Mapping[str, set[str]]


@dataclass(frozen=True, slots=True)
class LogLine:
    """What a rule found in a build log."""

    rule: LogRule
    line: str


@dataclass(frozen=True, slots=True)
class Log:
    """What a build log says: its telling lines, and the versions that it says were written."""

    lines: tuple[LogLine, ...]
    versions: Mapping[str, set[str]]


def read_page(text: str) -> Served:
    """Read the assets that a page names."""
    return Served(_versions(text))


def read_log(text: str, rules: tuple[LogRule, ...]) -> Log:
    """Read a build log, in whatever colours and behind whatever prefix."""
    plain = _COLOUR.sub("", text)
    found = ((rule, rule.pattern.search(plain)) for rule in rules)
    lines = tuple(LogLine(rule, shown(match[0])) for rule, match in found if match)
    return Log(lines, _versions(plain))


def _versions(text: str) -> dict[str, set[str]]:
    return versions(word for word in _WORD.findall(text) if _HAS_ENDING.search(word))
