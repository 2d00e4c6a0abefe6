"""The machine and the versions that figures were measured with."""

from __future__ import annotations

import os
import platform
import re
from importlib import metadata
from pathlib import Path

from benchmarks.side_by_side.contenders import CONTENDERS, contender

_PACKAGES = ("numpy", "scipy")


def machine() -> str:
    """Return the machine, the Python and how busy the machine was, in a sentence each."""
    processor = _first(r"model name\s*:\s*(.+)", "/proc/cpuinfo") or platform.processor()
    gigabytes = int(_first(r"MemTotal:\s*(\d+) kB", "/proc/meminfo") or 0) / 1e6
    return (
        f"{os.cpu_count()} cores of {processor}, {gigabytes:.0f} GB, {platform.system()}, "
        f"Python {platform.python_version()}. {os.getloadavg()[2]:.1f} processes ran or waited beside it when it began."
    )


def versions() -> str:
    """Return the versions of all contenders, and of what they stand on."""
    names = [contender(name).package for name in CONTENDERS]
    return ", ".join(f"{name} {metadata.version(name)}" for name in (*names, *_PACKAGES))


def _first(pattern: str, path: str) -> str:
    file = Path(path)
    found = re.search(pattern, file.read_text("utf-8")) if file.is_file() else None
    return found[1] if found else ""
