"""Opens what a person points at: a checkout, a folder, an archive or a listing."""

from __future__ import annotations

import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from deflect.diagnose.assets import listing
from deflect.diagnose.assets.archive import is_archive, read_archive
from deflect.diagnose.assets.folder import read_folder
from deflect.diagnose.assets.names import shown
from deflect.diagnose.assets.stacks import Rules
from deflect.diagnose.assets.tree import Tree
from deflect.errors import DiagnosisError

#: What stands for standard input.
STDIN = "-"


@contextmanager
def open_tree(name: str, rules: Rules) -> Iterator[Tree]:
    """Open a tree; its history can be asked until the end of the block."""
    with tempfile.TemporaryDirectory(prefix="deflect-") as scratch:
        try:
            tree = _read(name, rules, Path(scratch))
        except (OSError, ValueError) as error:  # ValueError: a NUL character in the path.
            reason = getattr(error, "strerror", None) or error
            msg = f"PATH must be a folder or file that can be read. Got {shown(name)}: {reason}."
            raise DiagnosisError(msg) from error
        if not tree.paths:
            what = "git tracks no file in it" if tree.kind == "checkout" else "it has no files"
            msg = f"PATH must have files. Got {shown(name)}: {what}."
            raise DiagnosisError(msg)
        yield tree


def read_text(name: str, n_bytes: int) -> str:
    """Read a text file, such as a page or a log; what is beyond so many bytes is left out."""
    try:
        path = Path(name)
        if not stat.S_ISREG(path.stat().st_mode):
            msg = f"A page or log must be a file. Got {shown(name)}."
            raise DiagnosisError(msg)
        with path.open("rb") as file:
            raw = file.read(n_bytes)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        msg = f"A page or log must be a file that can be read. Got {shown(name)}: {reason}."
        raise DiagnosisError(msg) from error
    return raw.decode("utf-8", "replace")


def _read(name: str, rules: Rules, scratch: Path) -> Tree:
    if name == STDIN:
        return listing.read_listing_tree(sys.stdin.buffer.read(listing.MAX_BYTES + 1), "the listing")
    path = Path(name)
    mode = path.stat().st_mode
    if stat.S_ISDIR(mode):
        return read_folder(path, name, rules, scratch)
    if not stat.S_ISREG(mode):
        msg = f"PATH must be a folder or a file. Got {shown(name)}, which is neither."
        raise DiagnosisError(msg)
    with path.open("rb") as file:
        head = file.read(512)
        file.seek(0)
        if is_archive(head):
            return read_archive(file, name, rules, scratch)
        return listing.read_listing_tree(file.read(listing.MAX_BYTES + 1), name)
