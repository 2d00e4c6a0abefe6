"""The listing of an app: everything a diagnosis of assets looks at, as data."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeAlias

#: What a tree was read from; the listing of a checkout is what git tracks.
Kind = Literal["checkout", "listing", "archive", "folder"]

#: No tree is larger than this.
MAX_PATHS = 1_000_000
#: No file is read beyond this; the manifest of a large app has 2 MB.
MAX_FILE_BYTES = 8_000_000
#: Nor are files in all.
MAX_TOTAL_BYTES = 100_000_000


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit: its abbreviated name and its time."""

    id: str
    at: datetime

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} UTC ({self.id[:10]})"


#: ``changes(paths, without, since)``: the last commit after ``since`` that changed one of these, not of those.
Changes: TypeAlias = Callable[[Sequence[str], Sequence[str], Commit | None], Commit | None]


@dataclass(frozen=True, slots=True)
class Tree:
    """Holds the files of an app by name, and the text of those few that matter.

    ``paths`` are sorted, with ``/`` between the parts. ``contents`` has the files that were asked for. ``ignored`` has
    those of them that ``.gitignore`` names. ``changes`` asks the history; None where there is none. ``gaps`` says what
    could not be looked at: the check and the reason.

    Examples
    --------
    >>> tree = Tree("app", "listing", ("app/assets/a.css", "public/assets/manifest.yml", "public/robots.txt"))
    >>> list(tree.below("public"))
    ['public/assets/manifest.yml', 'public/robots.txt']

    """

    name: str
    kind: Kind
    paths: tuple[str, ...]
    contents: Mapping[str, bytes] = field(default_factory=dict)
    ignored: frozenset[str] = frozenset()
    changes: Changes | None = None
    gaps: tuple[tuple[str, str], ...] = ()
    is_tracked: bool = True

    def has(self, path: str) -> bool:
        """Say whether there is a file of this name."""
        i = bisect_left(self.paths, path)
        return i < len(self.paths) and self.paths[i] == path

    def below(self, folder: str) -> Sequence[str]:
        """Return every file in a folder and in the folders in it; "" is the whole tree."""
        if not folder:
            return self.paths
        # "0" is what follows "/": the names in between begin with the folder.
        return self.paths[bisect_left(self.paths, f"{folder}/") : bisect_left(self.paths, f"{folder}0")]

    def text(self, path: str) -> str:
        """Return the text of a file that was asked for; "" where there is none."""
        return self.contents.get(path, b"").decode("utf-8", "replace")
