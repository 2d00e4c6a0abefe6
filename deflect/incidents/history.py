"""Reads past incidents from a JSON file, to train with."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from deflect.errors import TrainingDataError
from deflect.incidents.snapshot import IMPACTS, Impact
from deflect.incidents.touched import CATEGORY_WORDS, touched_categories
from deflect.loop.incident_windows import IncidentWindow

_MAX_BYTES = 50_000_000
#: A message names so many faults.
_N_SHOWN = 10


def read_history(
    path: str | os.PathLike[str], categories: Mapping[str, Sequence[str]] = CATEGORY_WORDS
) -> tuple[IncidentWindow, ...]:
    """Read past incidents: their times, impacts, and by their words the categories that they touched.

    The file holds a list of incidents, or an object whose key ``incidents`` does: what ``deflect incidents export``
    writes, what an operator writes by hand, or a Statuspage's ``incidents.json``. Of each incident, ``title`` (or
    ``name``), ``impact``, ``started_at`` (or ``created_at``), ``resolved_at`` and ``components`` are read. A
    maintenance, and an incident that is not over, are left out.

    Raises
    ------
    TrainingDataError
        The file cannot be read, or incidents have no times: up to ten are named.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "history.json")
    ...     times = '"started_at": "2026-11-01T10:00:00Z", "resolved_at": "2026-11-01T11:30:00Z"'
    ...     _ = path.write_text(f'[{{"title": "DNS fails", "impact": "major", {times}}}]')
    ...     read_history(path)[0].touched
    ('dns',)

    """
    faults: list[str] = []
    windows = [_window(item, place, categories, faults) for place, item in enumerate(_items(Path(path)))]
    if faults:
        more = [f"... and {len(faults) - _N_SHOWN} more"] if len(faults) > _N_SHOWN else []
        raise TrainingDataError("\n  ".join([f"{path} must have times for each incident:", *faults[:_N_SHOWN], *more]))
    return tuple(window for window in windows if window)


def _items(path: Path) -> list[Mapping[str, object]]:
    must = f"{path} must be a JSON file with a list of incidents."
    try:
        if path.stat().st_size > _MAX_BYTES:
            msg = f"{must} It has more than {_MAX_BYTES:,} bytes. Leave out old incidents."
            raise TrainingDataError(msg)
        document = json.loads(path.read_bytes())
    except OSError as error:
        msg = f"{must} It cannot be read: {error.strerror}."
        raise TrainingDataError(msg) from None
    except (ValueError, RecursionError):
        msg = f"{must} It is no JSON. Write it with deflect incidents export."
        raise TrainingDataError(msg) from None
    items = document.get("incidents") if isinstance(document, dict) else document
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        msg = f"{must} It holds something else. Write it with deflect incidents export."
        raise TrainingDataError(msg)
    return items


def _window(
    item: Mapping[str, object], place: int, categories: Mapping[str, Sequence[str]], faults: list[str]
) -> IncidentWindow | None:
    ended_at = _time(item.get("resolved_at"))
    if item.get("kind") == "maintenance" or item.get("impact") == "maintenance" or item.get("resolved_at") is None:
        return None
    started_at = _time(item.get("started_at")) or _time(item.get("created_at"))
    if started_at is None or ended_at is None or ended_at < started_at:
        faults.append(
            f"incident {place}: started_at and resolved_at must be times such as 2026-11-01T10:00:00Z, in order"
        )
        return None
    named = item.get("components")
    components = [_name(component) for component in named] if isinstance(named, list) else []
    touched = touched_categories([_name(item.get("title") or item.get("name")), *components], categories)
    return IncidentWindow(started_at, ended_at, _impact(item.get("impact")), touched)


def _name(value: object) -> str:
    named = value.get("name") if isinstance(value, dict) else value
    return named if isinstance(named, str) else ""


def _impact(value: object) -> Impact:
    return next((impact for impact in IMPACTS if impact == value), "unknown")


def _time(value: object) -> datetime | None:
    """Read a time in ISO 8601; one without a zone is taken for UTC."""
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at and at.tzinfo is None else at
