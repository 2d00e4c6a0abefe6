"""Shows names of files: strangers chose them, so no control character of theirs reaches a terminal or a shell."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

#: A message names this many files; the rest is counted.
_SHOWN = 5
#: A longer name is cut.
_SHOWN_CHARACTERS = 300


def shown(text: str) -> str:
    """Return a text on one line, with escapes for what cannot be printed, cut where it is long."""
    cut = text if len(text) <= _SHOWN_CHARACTERS else f"{text[:_SHOWN_CHARACTERS]}..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in cut)


def listed(names: Sequence[str], n_shown: int = _SHOWN) -> str:
    """Return the first few names, and how many more there are."""
    more = f" and {len(names) - n_shown:,} more" if len(names) > n_shown else ""
    return ", ".join(shown(name) for name in names[:n_shown]) + more


def quoted(path: str) -> str:
    """Return a path as one word of a shell command."""
    if path.isprintable():
        return shlex.quote(path if not path.startswith("-") else f"./{path}")
    hexes = "".join(f"\\x{byte:02x}" for byte in path.encode("utf-8", "surrogateescape"))
    return f"$'{hexes}'"
