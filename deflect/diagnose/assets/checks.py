"""Decides what is wrong with a committed build: functions of recorded data, one a check."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence

from deflect.diagnose.assets.builds import Build, Found, Manifest, rails_version, source_paths
from deflect.diagnose.assets.formats import basename, is_local
from deflect.diagnose.assets.names import listed, quoted, shown
from deflect.diagnose.assets.remedy import brief_remedy, remedy
from deflect.diagnose.assets.stacks import Rules
from deflect.diagnose.assets.tree import Tree
from deflect.diagnose.finding import Finding, Severity

BUILDPACK_URL = "https://devcenter.heroku.com/articles/rails-asset-pipeline"

#: Files without which a page works: source maps, compressed copies, licences.
_DISPENSABLE = (".map", ".gz", ".br", ".txt")
_SETTINGS = ("config/application.rb", "config/environments/production.rb")
_COMPILE = re.compile(
    r"^[ \t]{0,40}config\.assets\.compile[ \t]{0,9}=[ \t]{0,9}"
    r"(true|false)\b",
    re.MULTILINE,
)
_LOCKED = re.compile(r"^[ ]{4}(propshaft|sprockets-rails|sprockets)[ ]\(", re.MULTILINE)


def check_tracked(build: Build, tree: Tree) -> Finding:
    """Report a committed build: what it does, where it is, and how to take it out."""
    paths = [manifest.path for manifest in build.manifests]
    labels = dict.fromkeys(manifest.rule.label or build.stack.name for manifest in build.manifests)
    seen = f"{listed(paths)} ({', '.join(labels)}) {_where(tree)}"
    if all(path in tree.ignored for path in paths):
        seen += "; .gitignore names it, which changes nothing for a file that git tracks already"
    seen += f"; {max(len(tree.below(build.output)) - len(paths), 0):,} more files in {shown(build.output)}"
    check = "build.tracked" if all(item.rule.format == "output" for item in build.manifests) else "manifest.tracked"
    summary = f"{build.stack.name}: compiled assets are committed. {build.stack.why}"
    if build.skips:
        summary = (
            f"{build.stack.name}: compiled assets are committed, so the build takes them as they are and does not "
            "compile: changes to the sources never reach the site."
        )
    elif _is_for_other_rails(build, tree):
        summary = f"{build.stack.name}: compiled assets of another Rails version are committed; nothing reads them."
    return Finding(check, severity_of(build, tree), summary, seen, remedy(build, tree), build.stack.url)


def severity_of(build: Build, tree: Tree) -> Severity:
    """Return how bad a committed build is."""
    if build.skips:
        return "error"
    if _is_library(build.root, tree):
        return "notice"  # A gem ships what it has built.
    return build.stack.severity


def is_set_aside(build: Build, tree: Tree) -> bool:
    """Say whether a build lies where git ignores it, as it should, as far as can be seen without git's index."""
    return not tree.is_tracked and all(manifest.path in tree.ignored for manifest in build.manifests)


def check_set_aside(builds: Sequence[Build]) -> Iterator[Finding]:
    """Name builds that are as they should be, unless git tracks them all the same."""
    for build in builds:
        yield Finding(
            "manifest.ignored",
            "info",
            f"A build of {build.stack.name} is here, and .gitignore names it: fine, unless git tracks it from before.",
            listed([manifest.path for manifest in build.manifests]),
            f"This prints nothing where all is well: git ls-files -- {quoted(build.output)}",
        )


def check_stopper(path: str, tree: Tree) -> Finding:
    """Report a file that is no manifest, but whose name makes the build pack skip."""
    return Finding(
        "manifest.tracked",
        "error",
        "This file's name makes the Ruby build pack take assets as compiled already: it does not compile them.",
        f"{shown(path)} {_where(tree)}",
        f"git rm --cached {quoted(path)}\nGive the file another name if you need it, and deploy again.",
        BUILDPACK_URL,
    )


def check_damaged(build: Build) -> Iterator[Finding]:
    """Report manifests that cannot be read: what they list cannot be served."""
    for manifest in build.manifests:
        if manifest.damage:
            yield Finding(
                "manifest.damaged",
                "error" if manifest.skip else "warning",
                f"The committed manifest of {build.stack.name} cannot be read: {manifest.damage}.",
                shown(manifest.path),
                f"git rm --cached {quoted(manifest.path)}\nLet the build write it: {build.stack.build}",
                build.stack.url,
            )


def check_missing(build: Build, tree: Tree) -> Iterator[Finding]:
    """Report files that a manifest lists and the tree lacks."""
    there = {basename(path) for path in tree.below(build.output)}
    wanted = [file for file in dict.fromkeys(build.listed.values()) if is_local(file)]
    wanted = [file for file in wanted if not posixpath.basename(file.split("?")[0]).endswith(_DISPENSABLE)]
    missing = [file for file in wanted if basename(file) not in there]
    if not missing:
        return
    has_none = len(missing) == len(wanted)
    hint = ", unless all of them lie on another host" if has_none else ""
    yield Finding(
        "asset.missing",
        "error" if build.skips and not has_none else "warning",
        f"The committed manifest lists files that are not committed, which the site asks for in vain{hint}.",
        f"{listed([manifest.path for manifest in build.manifests])} lists {len(missing):,}: {listed(missing)}",
        brief_remedy(build, tree),
        build.stack.url,
    )


def check_second(builds: Sequence[Build]) -> Iterator[Finding]:
    """Report folders with several manifests, of which one wins."""
    folders: dict[str, list[tuple[Build, Manifest]]] = {}
    for build in builds:
        mains = [manifest for manifest in build.manifests if not manifest.rule.is_companion]
        folders.setdefault(build.output, []).extend((build, manifest) for manifest in mains)
    for output, rivals in folders.items():
        if len(rivals) > 1:
            yield _second(output, rivals)


def _second(output: str, rivals: Sequence[tuple[Build, Manifest]]) -> Finding:
    first_wins = all(build.stack.first_wins for build, _ in rivals)
    # A dotted name is that of Sprockets 3 and 4, which read no other where they find it.
    paths = sorted(
        (manifest.path for _, manifest in rivals), key=lambda path: (not basename(path).startswith("."), path)
    )
    winner = (
        f": Sprockets takes the first by name, {shown(basename(paths[0]))}, whichever is newer" if first_wins else ""
    )
    return Finding(
        "manifest.second",
        "error" if any(manifest.skip for _, manifest in rivals) else "warning",
        f"{len(paths)} manifests are committed in {shown(output)}{winner}.",
        listed(paths, 9),
        f"Take all of them out of git:\ngit rm --cached {' '.join(quoted(path) for path in paths[:20])}",
        rivals[0][0].stack.url,
    )


def check_sources(build: Build, tree: Tree, rules: Rules) -> Iterator[Finding]:
    """Report sources that were changed after the build was last committed."""
    sources = source_paths(tree, build, rules)
    built = tree.changes(build.dated, (), None) if tree.changes and sources else None
    changed = tree.changes(sources, (build.output,), built) if tree.changes and built else None
    if built is None or changed is None:
        return
    yield Finding(
        "sources.newer",
        "error" if build.skips or build.stack.severity == "error" else "warning",
        f"The committed build of {build.stack.name} is older than its sources: it does not have their changes.",
        f"{shown(build.manifests[0].path)} was last committed {built}; {listed(sources)} changed {changed}",
        brief_remedy(build, tree),
        build.stack.url,
    )


def check_compile(tree: Tree, rules: Rules) -> Iterator[Finding]:
    """Report settings that do not do what people think: config.assets.compile is about missing files."""
    settings: dict[str, tuple[str, str]] = {}
    for name in _SETTINGS:  # The later of them decides.
        for path in tree.contents:
            root = path[: -len(name)]
            values = _COMPILE.findall(tree.text(path)) if f"/{path}".endswith(f"/{name}") else []
            if values and not rules.is_elsewhere(root.rstrip("/")):
                settings[root] = (path, values[-1])
    for root, (path, value) in sorted(settings.items()):
        has_only_propshaft = {match[1] for match in _LOCKED.finditer(tree.text(f"{root}Gemfile.lock"))} == {"propshaft"}
        if has_only_propshaft or value == "true":
            yield _compile(path, value, is_moot=has_only_propshaft)


def _compile(path: str, value: str, *, is_moot: bool) -> Finding:
    summary = (
        "config.assets.compile is true in production: what was not compiled is compiled while visitors wait, and a "
        "committed manifest still wins over it."
    )
    fix = f"Set config.assets.compile = false in {shown(path)}; the build compiles whatever this setting says."
    if is_moot:
        summary = f"config.assets.compile = {value} neither starts nor stops the build, and Propshaft does not read it."
        fix = f"Remove the line from {shown(path)}."
    return Finding("config.compile", "info" if is_moot else "warning", summary, shown(path), fix, BUILDPACK_URL)


def check_elsewhere(found: Found) -> Iterator[Finding]:
    """Name the manifests that belong to tests, examples or code of others."""
    if found.elsewhere:
        yield Finding(
            "manifest.elsewhere",
            "info",
            "Builds in folders of tests, examples or code of others are not held against the app.",
            listed(found.elsewhere),
        )


def _where(tree: Tree) -> str:
    if tree.kind in {"checkout", "listing"}:
        return "is tracked in git"
    return f"is in the {tree.kind}"


def _is_for_other_rails(build: Build, tree: Tree) -> bool:
    """Say whether the app's Rails is of a version that neither reads this manifest nor skips for it."""
    rails = rails_version(tree, build.root)
    return rails is not None and rails > 3 and all(manifest.rule.format == "yaml" for manifest in build.manifests)


def _is_library(root: str, tree: Tree) -> bool:
    return any(path.endswith(".gemspec") and "/" not in path[len(root) :] for path in tree.below(root.rstrip("/")))
