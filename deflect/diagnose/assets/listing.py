"""Reads the tree of a listing: what ``git ls-files`` prints, in any of its forms."""

from __future__ import annotations

import re

from deflect.diagnose.assets.names import shown
from deflect.diagnose.assets.tree import MAX_PATHS, Tree
from deflect.errors import DiagnosisError

#: A listing of a million files has about 80 MB.
MAX_BYTES = 200_000_000
#: No system has longer paths.
_MAX_CHARACTERS = 4_096
#: Where most lines have more spaces, it is a text, a log or what ``ls -l`` prints.
_MAX_SPACES = 3
_WIDE = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}  # What PowerShell's > writes.

_STAGE = re.compile(
    r"[0-7]{6}[ ]"  # Mode, of git ls-files --stage and git ls-tree.
    r"(?:(?:blob|commit|tree)[ ])?"
    r"(?:[0-9a-f]{40}|[0-9a-f]{64})"  # Object.
    r"(?:[ ][0-3])?"  # Stage.
    r"\t"
)
_ESCAPE = re.compile(
    rb"\\("
    rb"[0-3][0-7]{2}"  # A byte.
    rb"|[abtnvfr\"\\]"  # C's short forms.
    rb")"
)
_SHORT = {b"a": b"\a", b"b": b"\b", b"t": b"\t", b"n": b"\n", b"v": b"\v", b"f": b"\f", b"r": b"\r"}
_GAP = ("sources.newer", "a listing has no commit times; give the checkout")
_NO_CONTENT = ("asset.missing", "a listing has no contents; give the checkout or an archive")


def read_listing_tree(raw: bytes, name: str) -> Tree:
    """Read a listing; what is in it is tracked."""
    if len(raw) > MAX_BYTES:
        msg = f"A listing must have at most {MAX_BYTES // 1_000_000} MB. Got more."
        raise DiagnosisError(msg)
    lines = _lines(raw)
    paths = {path for line in lines if (path := _path(line))}
    n_bad = sum(map(_is_no_path, paths))
    if not paths or n_bad * 2 > len(paths) or len(paths) > MAX_PATHS or raw.lstrip()[:1] in {b"{", b"<"}:
        msg = (
            "PATH must be a checkout, a tar, tar.gz or zip archive, or the output of `git ls-files`, "
            f"a path a line, at most {MAX_PATHS:,}. Got {shown(name)}, which is none of these."
        )
        raise DiagnosisError(msg)
    kept = tuple(sorted(path for path in paths if len(path) <= _MAX_CHARACTERS))
    return Tree(name, "listing", kept, gaps=(_GAP, _NO_CONTENT))


def _is_no_path(path: str) -> bool:
    return not path.isprintable() or len(path) > _MAX_CHARACTERS or path.count(" ") > _MAX_SPACES


def _lines(raw: bytes) -> list[str]:
    encoding = _WIDE.get(raw[:2])
    text = raw.decode(encoding, "replace") if encoding else raw.decode("utf-8-sig", "surrogateescape")
    return text.split("\0") if "\0" in text else text.split("\n")


def _path(line: str) -> str:
    path = _STAGE.sub("", line.strip("\r\n"), count=1)
    if path.startswith('"') and path.endswith('"') and len(path) > 1:
        inner = _ESCAPE.sub(_unescaped, path[1:-1].encode("utf-8", "surrogateescape"))
        path = inner.decode("utf-8", "surrogateescape")
    path = path.removeprefix("./").lstrip("/")
    return "" if ".." in path.split("/") else path


def _unescaped(found: re.Match[bytes]) -> bytes:
    escape = found[1]
    return bytes([int(escape, 8)]) if len(escape) == 3 else _SHORT.get(escape, escape)
