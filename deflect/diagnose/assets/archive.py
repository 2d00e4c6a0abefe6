"""Reads the tree of an archive without unpacking it: names, the few files that matter, and git's data."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from deflect.diagnose.assets.folder import plain_tree, tracked_tree
from deflect.diagnose.assets.git import GitFolder
from deflect.diagnose.assets.names import shown
from deflect.diagnose.assets.shelf import Shelf
from deflect.diagnose.assets.stacks import Rules
from deflect.diagnose.assets.tree import MAX_FILE_BYTES, MAX_PATHS, Tree
from deflect.errors import DiagnosisError

#: An archive is not read beyond this, unpacked; a bomb ends here.
_MAX_UNPACKED_BYTES = 4_000_000_000
#: Nor for longer than this.
_MAX_SECONDS = 60.0
#: Nothing in it is taken into memory in a piece larger than this, such as the list of a zip's files.
_MAX_PIECE_BYTES = 64_000_000
_STEP_BYTES = 16_000_000
#: git's data is unpacked to a folder of ours, up to this.
_MAX_GIT_BYTES = 1_000_000_000

_GZIP, _ZIP, _TAR = b"\x1f\x8b", b"PK", b"ustar"
_TAR_MARK_AT = 257
_COMMIT = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_GIT_PART = re.compile(
    r"(?P<top>(?:[^/]+/)?)\.git/"  # At the top, or in the one folder that wraps all.
    r"(?P<name>HEAD|index|packed-refs|shallow|sharedindex\.[0-9a-f]+|(?:refs|objects)/.+)"
)
#: Damage, encryption, unknown compression: what the readers raise.
_UNREADABLE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError)


@dataclass(frozen=True, slots=True)
class _Member:
    """A file of an archive; ``read`` returns its first bytes, before the next member is asked for."""

    name: str
    is_link: bool
    read: Callable[[int], bytes]


def is_archive(head: bytes) -> bool:
    """Say whether a file is an archive, by its first 512 bytes."""
    return head.startswith((_GZIP, _ZIP)) or head[_TAR_MARK_AT : _TAR_MARK_AT + len(_TAR)] == _TAR


def read_archive(file: BinaryIO, name: str, rules: Rules, scratch: Path) -> Tree:
    """Read a tar, tar.gz or zip archive; ``scratch`` is an empty folder of ours that outlives the tree."""
    contents = _Contents(Shelf(rules), scratch / "unpacked")
    try:
        is_zip = file.read(2) == _ZIP
        file.seek(0)
        for member in _zip_members(file, contents) if is_zip else _tar_members(file, contents):
            contents.add(member)
    except _UNREADABLE as error:
        reason = shown(str(error)) or type(error).__name__
        msg = (
            f"PATH must be an archive that can be read. Got {shown(name)}: {reason}. Hand over `git ls-files` instead."
        )
        raise DiagnosisError(msg) from error
    return contents.tree(name, scratch)


class _Contents:
    """What is taken out of an archive, member by member."""

    def __init__(self, shelf: Shelf, git: Path) -> None:
        self.is_export = False
        self._shelf, self._git = shelf, git
        self._git_top: str | None = None
        self._n_git_bytes = 0
        self._paths: set[str] = set()
        self._n_leading_out = 0

    def add(self, member: _Member) -> None:
        """Take the name of a member, and its bytes where they matter."""
        path = member.name.removeprefix("./")
        if path.startswith("/") or ".." in path.split("/") or "\0" in path:
            self._n_leading_out += 1
            return
        if len(self._paths) >= MAX_PATHS:
            msg = f"it has more than {MAX_PATHS:,} files"
            raise ValueError(msg)
        part = _GIT_PART.fullmatch(path)
        if part and not member.is_link:
            self._add_git(part["top"], part["name"], member)
        elif "/.git/" not in f"/{path}":
            self._paths.add(path)
            if self._shelf.wants(path) and not member.is_link:
                self._shelf.put(path, member.read(MAX_FILE_BYTES + 1))

    def tree(self, name: str, scratch: Path) -> Tree:
        """Return what was taken as a tree; the folder that wraps all goes from each name."""
        top = self._git_top if self._git_top is not None else self._wrapper()
        paths = sorted(path[len(top) :] for path in self._paths if path.startswith(top))
        inner = {path[len(top) :]: raw for path, raw in self._shelf.contents.items() if path.startswith(top)}
        self._shelf.contents = inner
        if self._n_leading_out:
            reason = f"{self._n_leading_out:,} names lead out of the archive, and were passed over"
            self._shelf.gaps.append(("archive", reason))
        if self._git_top is not None and (self._git / "index").is_file():
            own = scratch / "git"
            own.mkdir()
            return tracked_tree(GitFolder(self._git, own), name, "archive", self._shelf, scratch)
        self._shelf.gaps.append(("sources.newer", "an archive without a .git folder has no commit times"))
        return plain_tree(name, "archive", paths, self._shelf, scratch, is_tracked=self.is_export)

    def _add_git(self, top: str, name: str, member: _Member) -> None:
        if self._git_top is None:
            self._git_top = top
        room = _MAX_GIT_BYTES - self._n_git_bytes
        if top != self._git_top or room <= 0:
            return
        target = self._git / name
        target.parent.mkdir(parents=True, exist_ok=True)
        raw = member.read(room)
        self._n_git_bytes += len(raw)
        target.write_bytes(raw)

    def _wrapper(self) -> str:
        """Return the folder that wraps all, as in the archives of GitHub; a build's own folder is none."""
        tops = {path.partition("/")[0] for path in self._paths if "/" in path}
        has_files = any("/" not in path for path in self._paths)
        if len(tops) != 1 or has_files or tops <= {"public", "priv", "app", "build", "dist", "static", "staticfiles"}:
            return ""
        return f"{tops.pop()}/"


def _zip_members(file: BinaryIO, contents: _Contents) -> Iterator[_Member]:
    with zipfile.ZipFile(_Guarded(file)) as archive:
        contents.is_export = bool(_COMMIT.fullmatch(archive.comment.decode("ascii", "replace")))
        for info in archive.infolist():
            if not info.is_dir():
                is_link = (info.external_attr >> 28) == 0o12  # The upper half is the mode, where Unix wrote it.
                yield _Member(info.filename, is_link, lambda n_bytes, info=info: _start_of(archive, info, n_bytes))  # type: ignore[misc]  # mypy cannot see a default's type.


def _start_of(archive: zipfile.ZipFile, info: zipfile.ZipInfo, n_bytes: int) -> bytes:
    with archive.open(info) as member:
        return member.read(n_bytes)


def _tar_members(file: BinaryIO, contents: _Contents) -> Iterator[_Member]:
    is_gzip = file.read(2) == _GZIP
    file.seek(0)
    unpacked = _Guarded(gzip.GzipFile(fileobj=file)) if is_gzip else _Guarded(file)
    with tarfile.open(fileobj=unpacked, mode="r:") as archive:
        while (info := archive.next()) is not None:
            archive.members.clear()  # type: ignore[attr-defined]  # It would remember each: a million, a gigabyte.
            if not info.isdir():
                stream = archive.extractfile(info) if info.isreg() else None
                yield _Member(info.name, not info.isreg(), stream.read if stream else lambda _n_bytes: b"")
        contents.is_export = bool(_COMMIT.fullmatch(archive.pax_headers.get("comment", "")))


class _Guarded(io.RawIOBase):
    """A file that is read up to a place, for a time, in pieces that are not too large: an archive may be a bomb."""

    def __init__(self, file: BinaryIO | gzip.GzipFile) -> None:
        super().__init__()
        self._file = file
        self._until_seconds = time.monotonic() + _MAX_SECONDS

    def read(self, size: int | None = -1) -> bytes:
        """Read a piece."""
        asked = _MAX_PIECE_BYTES + 1 if size is None or size < 0 else size
        if asked > _MAX_PIECE_BYTES + 1:
            msg = f"it asks for a piece of {asked:,} bytes"
            raise ValueError(msg)
        raw = self._file.read(asked)
        self._check(self._file.tell())
        return raw

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place."""
        place = -1
        # gzip unpacks all that is passed over: step by step, so that the bounds hold on the way; its end ends it.
        while whence == io.SEEK_SET and offset - self.tell() > _STEP_BYTES and self.tell() > place:
            place = self.tell()
            self._check(self._file.seek(place + _STEP_BYTES))
        place = self._file.seek(offset, whence)
        self._check(place)
        return place

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Say that one can go to a place."""
        return True

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def _check(self, place: int) -> None:
        if place > _MAX_UNPACKED_BYTES:
            msg = f"it unpacks to more than {_MAX_UNPACKED_BYTES // 1_000_000_000} GB"
            raise ValueError(msg)
        if time.monotonic() > self._until_seconds:
            msg = f"it takes longer than {_MAX_SECONDS:.0f} s to read"
            raise ValueError(msg)
