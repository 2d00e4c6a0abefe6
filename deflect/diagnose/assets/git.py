"""Reads the index and the history of a git folder that strangers made, without running anything of theirs.

git itself reads them, but never as the repository asks it to: it gets a git folder of our own, which borrows from the
stranger's only the objects and the index. So no configuration, hook, alias, filter, pager or credential program of the
repository is ever seen, and what git allocates, prints and spends in time is bounded.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Timer
from typing import IO

from deflect.diagnose.assets.tree import Commit
from deflect.errors import DiagnosisError

#: One question to git may take this long; one about .gitignore needs no history.
_SECONDS = 30.0
_SECONDS_IN_ALL = 60.0
_IGNORE_SECONDS = 5.0
#: What git prints is read up to this; an index of a million files has about 100 MB.
_MAX_BYTES = 200_000_000
#: An index, a list of packed references and the like are not copied beyond this.
_MAX_COPIED_BYTES = 200_000_000
#: A git folder with more files than this is not looked at: each may be a link out of it.
_MAX_OBJECT_FILES = 500_000
#: One question names at most this many paths.
_MAX_PATHSPECS = 500
#: git may map this much memory, where the system can hold it to that.
_MAX_MEMORY_BYTES = 8_000_000_000

_OBJECT_ID = re.compile("[0-9a-f]{40}|[0-9a-f]{64}")
_REFERENCE = re.compile(
    "ref: "
    "(refs/[^\0-\37 ~^:?*\\[\\\\]{1,300})"  # git check-ref-format, without the rules on dots.
    "\\s*"
)
_LINK_MODE = "120000"
_SUBMODULE_MODE = "160000"

_CONFIG = """[core]
repositoryformatversion = {version}
bare = true
fsmonitor = false
hooksPath = /dev/null
commitGraph = false
attributesFile = /dev/null
excludesFile = /dev/null
"""
_SHA256 = "[extensions]\nobjectFormat = sha256\n"


class GitError(Exception):
    """A git folder cannot be read; the text says why."""


@dataclass(frozen=True, slots=True)
class TrackedFile:
    """A file of the index; ``is_link`` where it is a symbolic link."""

    path: str
    is_link: bool


def find_git() -> str:
    """Return where the git program is."""
    program = shutil.which("git")
    if program is None:
        msg = "git must be installed to look at a checkout. Got none; hand over the output of `git ls-files` instead."
        raise DiagnosisError(msg)
    return program


class GitFolder:
    """A ``.git`` folder that is read through a folder of our own, ``scratch``, which must be empty."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        self._program = find_git()
        self._environment = _environment(folder, scratch)
        self._folder = folder
        self._until_seconds = time.monotonic() + _SECONDS_IN_ALL
        self.why_no_history = ""
        try:
            _refuse_links(folder)
            self._head = _head(folder)
        except (GitError, OSError) as error:
            self.why_no_history, self._head = str(error), ""
        _own_folder(scratch, is_sha256=len(self._head) == 64)
        for path in [folder / "shallow", *sorted(folder.glob("sharedindex.*"))[:3]]:
            if path.is_file() and not path.is_symlink() and path.stat().st_size <= _MAX_COPIED_BYTES:
                shutil.copyfile(path, scratch / path.name)

    def files(self) -> Iterator[TrackedFile]:
        """Yield what git tracks: the index, or the last commit where there is no index."""
        index = self._folder / "index"
        if index.is_symlink() or (index.is_file() and index.stat().st_size > _MAX_COPIED_BYTES):
            msg = "its index is a link, or huge"
            raise GitError(msg)
        if index.is_file():
            printed = self._ask("ls-files", "-z", "--stage")
        elif self._head and not self.why_no_history:
            printed = self._ask("ls-tree", "-r", "-z", "--full-tree", self._head)
        else:
            return
        for entry in printed.split(b"\0"):
            words, tab, path = entry.partition(b"\t")
            mode = words[:6].decode("ascii", "replace")
            if tab and mode != _SUBMODULE_MODE:
                yield TrackedFile(path.decode("utf-8", "surrogateescape"), mode == _LINK_MODE)

    def last_change(self, paths: Sequence[str], without: Sequence[str], since: Commit | None) -> Commit | None:
        """Return the last commit that changed one of some paths; None where there is none after ``since``."""
        if not paths or not self._head or self.why_no_history:
            return None
        commits = self._head if since is None else f"{since.id}..{self._head}"
        names = [f":(top,literal){path}" for path in paths[:_MAX_PATHSPECS]]
        names += [f":(top,exclude,literal){path}" for path in without]
        printed = self._ask("log", "-1", "--format=%H %ct", "--no-show-signature", commits, "--", *names).split()
        return Commit(printed[0].decode(), datetime.fromtimestamp(int(printed[1]), UTC)) if printed else None

    def _ask(self, *words: str) -> bytes:
        left_seconds = max(self._until_seconds - time.monotonic(), 0.0)
        return ask_git(self._program, words, self._environment, seconds=min(_SECONDS, left_seconds))


def ignored_paths(paths: Iterable[str], ignore_files: Iterable[tuple[str, bytes]], scratch: Path) -> frozenset[str]:
    """Return those paths that some ``.gitignore`` names; they need not exist. ``scratch`` must be empty."""
    tree = scratch / "tree"
    _own_folder(scratch, is_sha256=False)
    tree.mkdir()
    for name, content in ignore_files:
        with contextlib.suppress(OSError):  # A name that this system cannot have.
            (tree / name).parent.mkdir(parents=True, exist_ok=True)
            (tree / name).write_bytes(content)
    environment = _environment(scratch, scratch) | {"GIT_WORK_TREE": str(tree)}
    asked = b"\0".join(os.fsencode(path) for path in paths)
    words = ("-c", "core.bare=false", "check-ignore", "--no-index", "-z", "--stdin")
    printed = ask_git(find_git(), words, environment, asked, accepted=(0, 1), folder=tree, seconds=_IGNORE_SECONDS)
    return frozenset(os.fsdecode(path) for path in printed.split(b"\0") if path)


def ask_git(
    program: str,
    words: Sequence[str],
    environment: dict[str, str],
    asked: bytes = b"",
    *,
    accepted: Sequence[int] = (0,),
    folder: Path | None = None,
    seconds: float = _SECONDS,
) -> bytes:
    """Return what git prints, within bounds of time, length and memory."""
    with (
        _as_error(),
        _as_file(asked) as stdin,
        subprocess.Popen(  # noqa: S603  # The program is git itself, and each word is ours or follows "--".
            [program, "--no-pager", *words],
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            cwd=folder,
        ) as process,
    ):
        _bound_memory(process.pid)
        timer = Timer(seconds, process.kill)
        timer.start()
        printed = process.stdout.read(_MAX_BYTES + 1) if process.stdout else b""
        if len(printed) > _MAX_BYTES:
            process.kill()
        process.wait()
        timer.cancel()
    if process.returncode not in accepted:
        msg = f"git could not read it within {seconds:.0f} s and {_MAX_BYTES // 1_000_000} MB (it is damaged or huge)"
        raise GitError(msg)
    return printed


@contextlib.contextmanager
def _as_error() -> Iterator[None]:
    try:
        yield
    except OSError as error:  # It cannot be started, or there are more names than a command may have.
        msg = f"git cannot be asked: {error.strerror}"
        raise GitError(msg) from error


@contextlib.contextmanager
def _as_file(asked: bytes) -> Iterator[IO[bytes]]:
    """Yield a file with what git shall read: a pipe could fill up while git waits for us."""
    with tempfile.TemporaryFile() as file:
        file.write(asked)
        file.seek(0)
        yield file


def _bound_memory(pid: int) -> None:
    with contextlib.suppress(ImportError, AttributeError, OSError, ValueError):  # Not every system can.
        import resource

        resource.prlimit(pid, resource.RLIMIT_AS, (_MAX_MEMORY_BYTES, _MAX_MEMORY_BYTES))


def _environment(folder: Path, scratch: Path) -> dict[str, str]:
    """Return all that git sees of the world: no variable, file or folder of the user or of the repository more."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(scratch),
        "LC_ALL": "C",
        "GIT_DIR": str(scratch),
        "GIT_OBJECT_DIRECTORY": str(folder / "objects"),
        "GIT_INDEX_FILE": str(folder / "index"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOC_LIMIT": "1g",
    }


def _own_folder(scratch: Path, *, is_sha256: bool) -> None:
    """Make a git folder with nothing in it but our configuration."""
    for name in ("objects", "refs"):
        (scratch / name).mkdir()
    (scratch / "HEAD").write_text("ref: refs/heads/none\n", "utf-8")
    config = _CONFIG.format(version=int(is_sha256)) + (_SHA256 if is_sha256 else "")
    (scratch / "config").write_text(config, "utf-8")


def _refuse_links(folder: Path) -> None:
    """Refuse objects that lie elsewhere: a link, or a list of other repositories."""
    n_files, folders = 0, [folder / "objects"]
    if folders[0].is_symlink() or not folders[0].is_dir():
        msg = "its objects lie elsewhere"
        raise GitError(msg)
    while folders:
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                n_files += 1
                if entry.is_symlink() or entry.name.endswith("alternates") or n_files > _MAX_OBJECT_FILES:
                    msg = "some of its objects lie elsewhere, or it has too many"
                    raise GitError(msg)
                if entry.is_dir(follow_symlinks=False):
                    folders.append(Path(entry.path))


def _head(folder: Path) -> str:
    """Return the last commit."""
    text = _small_text(folder, "HEAD")
    if _OBJECT_ID.fullmatch(text.strip()):
        return text.strip()
    reference = _REFERENCE.fullmatch(text)
    if reference is None or ".." in reference[1]:
        msg = "its HEAD is damaged"
        raise GitError(msg)
    name = reference[1].rstrip()
    if _OBJECT_ID.fullmatch(loose := _small_text(folder, name).strip()):
        return loose
    for line in _small_text(folder, "packed-refs").splitlines():
        commit, _, packed = line.partition(" ")
        if packed == name and _OBJECT_ID.fullmatch(commit):
            return commit
    msg = "it has no commits, or keeps its references in a form that is not read here"
    raise GitError(msg)


def _small_text(folder: Path, name: str) -> str:
    """Return the text of a file of the git folder; "" where there is none, or where a link leads to it."""
    path = folder / name
    if os.path.realpath(path) != os.path.join(os.path.realpath(folder), *name.split("/")) or not path.is_file():  # noqa: PTH118  # realpath and join as texts: pathlib would tidy the name.
        return ""
    with path.open("rb") as file:
        return file.read(_MAX_COPIED_BYTES).decode("utf-8", "replace")
