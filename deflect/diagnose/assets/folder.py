"""Reads the tree of a folder: what git tracks in a checkout, or every file where there is no git."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from deflect.diagnose.assets.git import GitError, GitFolder, ignored_paths
from deflect.diagnose.assets.names import shown
from deflect.diagnose.assets.shelf import Shelf
from deflect.diagnose.assets.stacks import Rules
from deflect.diagnose.assets.tree import MAX_PATHS, Kind, Tree
from deflect.errors import DiagnosisError

#: Folders that are not walked where there is no git: nobody's assets are frozen there, and they are large.
_PRUNED = frozenset({".git", "node_modules"})
_NO_HISTORY = "sources.newer"


def read_folder(path: Path, name: str, rules: Rules, scratch: Path) -> Tree:
    """Read a checkout or a plain folder; ``scratch`` is an empty folder of ours that outlives the tree."""
    git = path / ".git"
    root = os.path.realpath(path)
    if git.is_dir() and not git.is_symlink():
        return _checkout(git, root, name, rules, scratch)
    if all((path / part).exists() for part in ("HEAD", "objects", "refs")):
        msg = f"PATH must be a checkout. Got the bare repository {shown(name)}: clone it, and give the clone."
        raise DiagnosisError(msg)
    shelf = Shelf(rules)
    paths = sorted(_walk(root))
    for file in filter(shelf.wants, paths):
        shelf.read(root, file)
    why = "there is no .git folder here, so that commit times are unknown"
    if os.path.lexists(git):
        why = ".git leads out of this folder (a worktree or submodule), and is not followed"
    shelf.gaps.append((_NO_HISTORY, why))
    return plain_tree(name, "folder", paths, shelf, scratch)


def plain_tree(
    name: str, kind: Kind, paths: list[str], shelf: Shelf, scratch: Path, *, is_tracked: bool = False
) -> Tree:
    """Return the tree of files of which only ``.gitignore`` tells whether git has them."""
    ignored = _ignored(paths, shelf, scratch / "ignore")
    return Tree(
        name, kind, tuple(paths), shelf.contents, ignored=ignored, gaps=tuple(shelf.gaps), is_tracked=is_tracked
    )


def tracked_tree(git: GitFolder, name: str, kind: Kind, shelf: Shelf, scratch: Path, *, root: str = "") -> Tree:
    """Return the tree of what git tracks; files are read from ``root`` where it is given."""
    try:
        files = {file.path: file for file in git.files()}
        paths = sorted(files)
        if len(paths) > MAX_PATHS:
            raise GitError(f"it has more than {MAX_PATHS:,} files")  # noqa: EM102, TRY003, TRY301  # One place for every reason.
        for path in paths if root else ():
            if shelf.wants(path) and not files[path].is_link:
                shelf.read(root, path)
    except GitError as error:
        msg = (
            f"{shown(name)} must have a .git folder that git can read. Got: {error}. Hand over `git ls-files` instead."
        )
        raise DiagnosisError(msg) from error
    ignored = _ignored(paths, shelf, scratch / "ignore")
    if git.why_no_history:
        shelf.gaps.append((_NO_HISTORY, f"the history of .git cannot be read: {git.why_no_history}"))
    changes = None if git.why_no_history else git.last_change
    return Tree(name, kind, tuple(paths), shelf.contents, ignored, changes, tuple(shelf.gaps))


def _checkout(git: Path, root: str, name: str, rules: Rules, scratch: Path) -> Tree:
    own = scratch / "git"
    own.mkdir()
    return tracked_tree(GitFolder(git, own), name, "checkout", Shelf(rules), scratch, root=root)


def _ignored(paths: list[str], shelf: Shelf, scratch: Path) -> frozenset[str]:
    candidates, ignore_files = shelf.candidates(paths), shelf.ignore_files()
    if not candidates or not ignore_files:
        return frozenset()
    scratch.mkdir()
    try:
        return ignored_paths(candidates, ignore_files, scratch)
    except (GitError, DiagnosisError) as error:
        shelf.gaps.append(("manifest.tracked", f"whether .gitignore names a file: {error}"))
        return frozenset()


def _walk(root: str) -> Iterator[str]:
    """Yield the path of every file, links to be named but not followed."""
    n_files, folders = 0, [""]
    while folders:
        folder = folders.pop()
        for entry in _entries(f"{root}/{folder}"):
            if entry.is_dir(follow_symlinks=False):
                folders += [] if entry.name in _PRUNED else [f"{folder}{entry.name}/"]
                continue
            n_files += 1
            if n_files > MAX_PATHS:
                msg = f"PATH must have at most {MAX_PATHS:,} files. Got more; hand over `git ls-files` instead."
                raise DiagnosisError(msg)
            yield f"{folder}{entry.name}"


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError:
        return []  # Not for us, or nested more deeply than a path can be long.
