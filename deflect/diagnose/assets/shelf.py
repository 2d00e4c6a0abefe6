"""Collects the few files of a tree whose text matters, within bounds."""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from deflect.diagnose.assets.names import shown
from deflect.diagnose.assets.stacks import Rules
from deflect.diagnose.assets.tree import MAX_FILE_BYTES, MAX_TOTAL_BYTES

#: Settings that a diagnosis reads, wherever they lie.
_SETTINGS = (
    "Gemfile.lock",  # The version of Rails.
    "config/application.rb",  # config.assets.compile.
    "config/environments/production.rb",  # The same.
)
_IGNORE_FILE = ".gitignore"
_MAX_FILES = 3_000


class Shelf:
    """Holds the text of the files that a diagnosis asks for, and says which it could not have."""

    def __init__(self, rules: Rules) -> None:
        self.contents: dict[str, bytes] = {}
        self.gaps: list[tuple[str, str]] = []
        self._rules = rules
        self._n_bytes = 0

    def wants(self, path: str) -> bool:
        """Say whether the text of a file matters, and there is room for it."""
        is_asked_for = path.endswith((*_SETTINGS, _IGNORE_FILE)) or bool(self._rules.candidates.search(path))
        return is_asked_for and len(self.contents) < _MAX_FILES and self._n_bytes < MAX_TOTAL_BYTES

    def put(self, path: str, raw: bytes) -> None:
        """Keep a file; one that was cut at the limit, and so is longer than it, is not kept."""
        if len(raw) > MAX_FILE_BYTES:
            self.gaps.append(("manifest.damaged", f"{shown(path)} is larger than {MAX_FILE_BYTES // 1_000_000} MB"))
            return
        self.contents[path] = raw
        self._n_bytes += len(raw)

    def read(self, root: str, path: str) -> None:
        """Keep a file of a folder, unless a link leads to it; ``root`` must be free of links itself."""
        try:
            raw = read_inside(root, path)
        except OSError:
            return  # It is not there, or not for us: what is known of it is its name.
        if raw is None:
            self.gaps.append(("manifest.damaged", f"{shown(path)} is behind a link, or is no file, and was not read"))
        else:
            self.put(path, raw)

    def candidates(self, paths: Sequence[str]) -> list[str]:
        """Return those paths that some stack's manifest has."""
        return [path for path in paths if self._rules.candidates.search(path)]

    def ignore_files(self) -> list[tuple[str, bytes]]:
        """Return every ``.gitignore``."""
        return [item for item in self.contents.items() if item[0].rpartition("/")[2] == _IGNORE_FILE]


def read_inside(root: str, path: str) -> bytes | None:
    """Return the bytes of a file below a folder, one more than the limit at most; None where a link leads there."""
    full = os.path.join(root, *path.split("/"))  # noqa: PTH118  # As a text: pathlib would tidy the name.
    if "\0" in full or os.path.realpath(full) != full:
        return None
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    with os.fdopen(os.open(full, flags), "rb") as file:
        return file.read(MAX_FILE_BYTES + 1) if stat.S_ISREG(os.fstat(file.fileno()).st_mode) else None
