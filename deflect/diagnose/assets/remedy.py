"""Says what to do about a committed build: commands to copy, and lines for ``.gitignore``."""

from __future__ import annotations

import posixpath

from deflect.diagnose.assets.builds import Build
from deflect.diagnose.assets.formats import basename, without_digest
from deflect.diagnose.assets.names import listed, quoted
from deflect.diagnose.assets.tree import Tree

#: A command names this many files.
_MAX_FILES = 20
#: What a build writes beside a file, under the file's name.
_SIDE_ENDINGS = (".gz", ".br", ".map")
_KEPT = frozenset({".keep", ".gitkeep", ".gitignore"})


def remedy(build: Build, tree: Tree) -> str:
    """Return the commands that take a build out of git and keep it out."""
    lines = [*_hand_made(build, tree), *_removals(build, tree)]
    lines += [f"echo {quoted(line)} >> .gitignore" for line in _ignore_lines(build, tree)]
    lines.append("git commit -m 'Let the build compile the assets', then deploy again.")
    lines.append(f"Or keep it in git, and run `{build.stack.build}` and commit before every deploy.")
    return "\n".join(lines)


def brief_remedy(build: Build, tree: Tree) -> str:
    """Return the same in short: what mends it today, and what mends it for good."""
    today = f"Today: {build.stack.build}, commit what it writes, and deploy."
    return "\n".join([today, "For good, let the build compile the assets:", *_removals(build, tree)])


def _ignore_lines(build: Build, tree: Tree) -> list[str]:
    """Return the lines that ``.gitignore`` lacks."""
    if all(manifest.path in tree.ignored for manifest in build.manifests):
        return []
    there = {line.strip() for line in tree.text(".gitignore").splitlines()}
    lines: dict[str, None] = {}
    for template in build.stack.ignore:
        files = [build.file_path(file) for file in build.listed.values()][:_MAX_FILES] if "{file}" in template else [""]
        for file in files:
            names = {"output": build.output, "manifest": build.manifests[0].path, "file": file}
            lines[template.format(**{key: _escaped(name) for key, name in names.items()})] = None
    lacking = [line for line in lines if line not in there]
    # Where the last line has no end, the next would become a part of it.
    return ["", *lacking] if lacking and tree.text(".gitignore")[-1:] not in {"", "\n"} else lacking


def _removals(build: Build, tree: Tree) -> list[str]:
    if build.stack.whole_folder and not any(basename(path) in _KEPT for path in tree.below(build.output)):
        return [f"git rm -r --cached {quoted(build.output)}"]
    if build.stack.whole_folder:
        paths = [path for path in tree.below(build.output) if basename(path) not in _KEPT]
    else:
        files = [build.file_path(file) for file in build.listed.values()]
        paths = [manifest.path for manifest in build.manifests] + [file for file in files if tree.has(file)]
    names = " ".join(quoted(path) for path in paths[:_MAX_FILES])
    more = f"  # and {len(paths) - _MAX_FILES:,} more beside them" if len(paths) > _MAX_FILES else ""
    return [f"git rm --cached {names}{more}"]


def _hand_made(build: Build, tree: Tree) -> list[str]:
    """Warn of files in the folder that the build may not have written: they would go with it."""
    listing = build.listed
    if not build.stack.whole_folder or not listing:
        return []
    known = {basename(file) for file in (*listing, *listing.values(), *build.older)}
    known |= {basename(manifest.path) for manifest in build.manifests} | _KEPT
    others = [path for path in tree.below(build.output) if not _is_built(path, known)]
    if not others:
        return []
    return [f"First move what the build did not write, if you need it, out of {quoted(build.output)}: {listed(others)}"]


def _is_built(path: str, known: set[str]) -> bool:
    name = posixpath.basename(path)
    stem = name
    while stem.endswith(_SIDE_ENDINGS):
        stem = posixpath.splitext(stem)[0]
    return name in known or stem in known or without_digest(stem) is not None or "/.vite/" in path


def _escaped(path: str) -> str:
    """Return a path as ``.gitignore`` wants it: its wildcards as themselves."""
    return "".join(f"\\{c}" if c in "*?[\\" else c for c in path)
