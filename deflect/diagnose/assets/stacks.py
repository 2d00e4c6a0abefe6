"""Asset stacks: which files betray a committed build, read from the tables in ``stacks.toml``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import cast

from deflect.diagnose.finding import Severity

_GLOB_PIECE = re.compile(
    r"\*\*/"  # Any folders.
    r"|\*"  # Any part of a name.
    r"|[^*]+"  # Itself.
)


@dataclass(frozen=True, slots=True)
class ManifestRule:
    """One kind of file that only a build writes; ``output`` is the folder of the build, seen from the file."""

    path: str
    format: str
    label: str = ""
    output: str = "."
    certain: bool = False
    is_companion: bool = False
    pattern: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "pattern", re.compile(rf"(?:^|/)(?P<path>{as_regex(self.path)})\Z"))


@dataclass(frozen=True, slots=True)
class Stack:
    """One way to build assets: its manifests, its sources, and what to do about a committed build."""

    name: str
    url: str
    severity: Severity
    why: str
    build: str
    sources: tuple[str, ...]
    root_files: tuple[str, ...]
    ignore: tuple[str, ...]
    manifests: tuple[ManifestRule, ...]
    whole_folder: bool = True
    first_wins: bool = False


@dataclass(frozen=True, slots=True)
class SkipRule:
    """When the build pack does not compile: a file at the root of an app of one of these Rails versions."""

    rails: tuple[int, ...]
    pattern: re.Pattern[str]

    def holds(self, path: str, rails: int | None) -> bool:
        """Say whether a file makes the build pack skip; ``path`` starts at the app's root, None is any version."""
        last = self.rails[-1]
        is_of_age = rails is None or rails in self.rails or (rails > last == _NEWEST_RAILS)
        return is_of_age and bool(self.pattern.fullmatch(path))


#: Later versions are expected to do as this one does.
_NEWEST_RAILS = 8


@dataclass(frozen=True, slots=True)
class LogRule:
    """A line of a build log that says what became of the assets."""

    check: str
    severity: Severity
    pattern: re.Pattern[str]
    summary: str
    fix: str


@dataclass(frozen=True, slots=True)
class Rules:
    """Every table of ``stacks.toml``; ``candidates`` matches each path that some manifest rule fits."""

    stacks: tuple[Stack, ...]
    skips: tuple[SkipRule, ...]
    log: tuple[LogRule, ...]
    elsewhere: frozenset[str]
    other_outputs: frozenset[str]
    candidates: re.Pattern[str]

    def is_elsewhere(self, folder: str) -> bool:
        """Say whether a folder belongs to tests, examples or code of others."""
        return not self.elsewhere.isdisjoint(folder.split("/"))


@cache
def asset_rules() -> Rules:
    """Load the tables; they come with the package."""
    tables = tomllib.loads((files(__package__) / "stacks.toml").read_text("utf-8"))
    stacks = tuple(_stack(table) for table in tables["stack"])
    skips = tuple(SkipRule(tuple(table["rails"]), re.compile(_any_of(table["paths"]))) for table in tables["skip"])
    globs = [rule.path for stack in stacks for rule in stack.manifests]
    globs += [path for table in tables["skip"] for path in table["paths"]]
    return Rules(
        stacks=stacks,
        skips=skips,
        log=tuple(_log_rule(table) for table in tables["log"]),
        elsewhere=frozenset(tables["elsewhere"]),
        other_outputs=frozenset(tables["other_outputs"]),
        candidates=re.compile(rf"(?:^|/)(?:{_any_of(globs)})\Z"),
    )


def as_regex(glob: str) -> str:
    """Return the regular expression of a path with ``*`` and ``**/`` in it."""
    pieces = {"**/": "(?:[^/]+/)*", "*": "[^/]*"}
    return "".join(pieces.get(piece, re.escape(piece)) for piece in _GLOB_PIECE.findall(glob))


def _any_of(globs: Iterable[str]) -> str:
    return "|".join(as_regex(glob) for glob in globs)


def _stack(table: Mapping[str, object]) -> Stack:
    lists = {key: tuple(cast("Sequence[str]", table[key])) for key in ("sources", "root_files", "ignore")}
    rules = tuple(ManifestRule(**row) for row in cast("Sequence[dict[str, str]]", table["manifest"]))  # type: ignore[arg-type]  # One cell is a bool; the tests read every row.
    plain = {key: value for key, value in table.items() if key not in {*lists, "manifest"}}
    return Stack(**plain, **lists, manifests=rules)  # type: ignore[arg-type]  # The tests read every row.


def _log_rule(table: Mapping[str, str]) -> LogRule:
    severity = cast("Severity", table["severity"])
    return LogRule(table["check"], severity, re.compile(table["text"]), table["summary"], table["fix"])
