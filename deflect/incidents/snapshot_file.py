"""Keeps a snapshot on disk, so that it survives a restart; the file is JSON, and appears whole or not at all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from deflect.incidents.providers import own
from deflect.incidents.providers.fields import Fields
from deflect.incidents.snapshot import Snapshot
from deflect.loop.replacing import replacing

_FORMAT = 1
#: A larger file is none that this module wrote.
_MAX_BYTES = 100_000_000


def plain_values(snapshot: Snapshot) -> dict[str, object]:
    """Return a snapshot as values for JSON; times are ISO 8601 in UTC."""
    return {field.name: _plain(getattr(snapshot, field.name)) for field in dataclasses.fields(snapshot)}


def write_snapshot(path: Path, snapshot: Snapshot, sources: Sequence[str], source: str) -> None:
    """Write a snapshot, with the names of a feed's sources and of the one that it came from."""
    content = {"format": _FORMAT, "sources": [*sources], "source": source, **plain_values(snapshot)}
    with replacing(path) as file:
        file.write(json.dumps(content, ensure_ascii=False, indent=1).encode())


def read_snapshot(path: Path, sources: Sequence[str]) -> Snapshot | None:
    """Read what ``write_snapshot`` wrote for the same sources; None where there is no such file, or a damaged one."""
    if not path.is_file():  # To open a pipe would wait for somebody who writes.
        return None
    try:
        with path.open("rb") as file:
            content = Fields(json.loads(file.read(_MAX_BYTES)))
    except (OSError, ValueError, RecursionError):  # A missing or damaged file is as good as none: the page is asked.
        return None
    fetched_at = content.at("fetched_at")
    if content.values.get("format") != _FORMAT or content.values.get("sources") != [*sources] or fetched_at is None:
        return None
    snapshot = own.parse([content.values], content.verbatim("source"))
    return replace(snapshot, fetched_at=fetched_at)


def kept_at(path: Path) -> datetime | None:
    """Return when the page was read that a file keeps; None where it is no such file."""
    try:
        with path.open("rb") as file:
            return Fields(json.loads(file.read(_MAX_BYTES))).at("fetched_at")
    except (OSError, ValueError, RecursionError):  # It is a page, or a file that says nothing of a time.
        return None


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    return value
