"""Finds committed builds in a tree: which stack wrote them, where, and what their manifests list."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from deflect.diagnose.assets.formats import DamagedManifestError, Listing, basename, read_listing, without_digest
from deflect.diagnose.assets.stacks import ManifestRule, Rules, SkipRule, Stack, as_regex
from deflect.diagnose.assets.tree import Tree

#: Of more manifests than this, the rest is not looked at.
MAX_MANIFESTS = 500

_LOCKED_GEM = re.compile(
    r"^[ ]{4}"  # Gemfile.lock: the resolved gems, not what they need.
    r"(rails|railties)[ ]\("
    r"(\d{1,3})\.",
    re.MULTILINE,
)
#: What Sprockets puts into the name of a manifest.
_MD5 = re.compile(r"-[0-9a-f]{32}\.json\Z")


@dataclass(frozen=True, slots=True)
class Manifest:
    """A file that only a build writes; ``listing`` is None where its content could not be had, ``damage`` says why."""

    path: str
    rule: ManifestRule
    listing: Listing | None = None
    damage: str = ""
    skip: SkipRule | None = None


@dataclass(frozen=True, slots=True)
class Build:
    """What one stack wrote into one folder of one app; ``root`` is the app's folder, "" or with a slash at its end."""

    stack: Stack
    root: str
    output: str
    manifests: tuple[Manifest, ...]

    @property
    def listed(self) -> dict[str, str]:
        """Return the file of each asset, by its logical name, over all manifests."""
        return {name: file for item in self.manifests if item.listing for name, file in item.listing.current.items()}

    @property
    def older(self) -> frozenset[str]:
        """Return the files of earlier builds that are still listed."""
        return frozenset(file for item in self.manifests if item.listing for file in item.listing.older)

    @property
    def skips(self) -> tuple[Manifest, ...]:
        """Return the manifests that keep the build pack from compiling."""
        return tuple(manifest for manifest in self.manifests if manifest.skip)

    @property
    def dated(self) -> tuple[str, ...]:
        """Return the files whose last commit dates the build: its manifests, and files that keep their name."""
        manifests = tuple(manifest.path for manifest in self.manifests)
        if self.stack.whole_folder:
            return manifests
        files = (self.file_path(file) for file in self.listed.values() if not without_digest(basename(file)))
        return manifests + tuple(files)

    def file_path(self, file: str) -> str:
        """Return the path of a listed file, which may be a URL below the folder of the build."""
        return posixpath.join(self.output, re.split(r"[?#]", file, maxsplit=1)[0].lstrip("/"))


@dataclass(frozen=True, slots=True)
class Found:
    """Everything found in a tree: builds, files that merely stop a build, and manifests that are nobody's fault."""

    builds: tuple[Build, ...]
    stoppers: tuple[str, ...]
    elsewhere: tuple[str, ...]
    n_left_out: int = 0


def find_builds(tree: Tree, rules: Rules) -> Found:
    """Find what builds left in a tree."""
    candidates = [path for path in tree.paths if rules.candidates.search(path)]
    kept = candidates[:MAX_MANIFESTS]
    builds: dict[tuple[str, str, str], Build] = {}
    stoppers, elsewhere = [], []
    for path in kept:
        known = _identify(path, tree, rules)
        if known is None:
            if _stops_build(path, tree, rules):
                stoppers.append(path)
        elif rules.is_elsewhere(_prefix(path, known.manifests[0].rule)):
            elsewhere.append(path)
        else:
            key = (known.stack.name, known.root, known.output)
            before = builds[key].manifests if key in builds else ()
            builds[key] = replace(known, manifests=before + known.manifests)
    return Found(tuple(builds.values()), tuple(stoppers), tuple(elsewhere), len(candidates) - len(kept))


def rails_version(tree: Tree, root: str) -> int | None:
    """Return the major version of Rails that an app has locked, None where it cannot be known."""
    found = _LOCKED_GEM.search(tree.text(f"{root}Gemfile.lock"))
    return int(found[2]) if found else None


def source_paths(tree: Tree, build: Build, rules: Rules) -> tuple[str, ...]:
    """Return the folders and files that a build was made of, as far as the tree has them."""
    pattern = re.compile(rf"({'|'.join(as_regex(glob) for glob in build.stack.sources)})(?=/|\Z)")
    found: dict[str, None] = {}
    for path in tree.below(build.root.rstrip("/")):
        inner = pattern.match(path, len(build.root))
        if inner is None or path.startswith(f"{build.output}/"):
            continue
        # What a row names is a source, such as vendor/assets; what its wildcards find may be code of others.
        if inner[1] in build.stack.sources or not rules.is_elsewhere(inner[1]):
            found[build.root + inner[1]] = None
    return tuple(found)


def _identify(path: str, tree: Tree, rules: Rules) -> Build | None:
    """Return the build that a file belongs to: that of the first row that fits its name, its content and its app."""
    for stack, rule in _fitting(path, rules):
        output = posixpath.normpath(posixpath.join(posixpath.dirname(path), rule.output))
        if basename(output) in rules.other_outputs:
            return None
        root = _root(_prefix(path, rule), stack, tree)
        manifest = _read(path, rule, basename(output), tree)
        if manifest.listing is None and not rule.certain and not _is_likely(manifest, stack, root, tree):
            continue
        skip = next((skip for skip in rules.skips if _skips(skip, path, root, tree)), None)
        return Build(stack, root, output, (replace(manifest, skip=skip),))
    return None


def _fitting(path: str, rules: Rules) -> Iterator[tuple[Stack, ManifestRule]]:
    return ((stack, rule) for stack in rules.stacks for rule in stack.manifests if rule.pattern.search(path))


def _read(path: str, rule: ManifestRule, folder: str, tree: Tree) -> Manifest:
    raw = tree.contents.get(path)
    if raw is None:
        return Manifest(path, rule)
    try:
        return Manifest(path, rule, read_listing(rule.format, raw, folder))
    except DamagedManifestError as error:
        return Manifest(path, rule, damage=str(error))


def _is_likely(manifest: Manifest, stack: Stack, root: str, tree: Tree) -> bool:
    """Judge a name that proves nothing, where the content cannot: by the app's root, and by digests beside it."""
    if manifest.path in tree.contents and not manifest.damage:
        return False  # It was read, and is something else.
    if _MD5.search(basename(manifest.path)):
        return True
    beside = tree.below(posixpath.dirname(manifest.path))
    has_digests = any(without_digest(basename(path)) for path in beside if path != manifest.path)
    return has_digests and any(_has_root_file(tree, root, name) for name in stack.root_files)


def _prefix(path: str, rule: ManifestRule) -> str:
    """Return the folder in which the path of a row begins; "" is the tree."""
    found = rule.pattern.search(path)
    return path[: found.start("path")].rstrip("/") if found else ""


def _root(folder: str, stack: Stack, tree: Tree) -> str:
    """Return the app's folder: the nearest one above that has a root file of the stack, else the folder itself."""
    above = folder
    while True:
        root = f"{above}/" if above else ""
        if any(_has_root_file(tree, root, name) for name in stack.root_files):
            return root
        if not above:
            return f"{folder}/" if folder else ""
        above = posixpath.dirname(above)


def _has_root_file(tree: Tree, root: str, name: str) -> bool:
    if not name.endswith(".*"):
        return tree.has(root + name)
    return any(tree.has(f"{root}{name[:-1]}{ending}") for ending in ("js", "ts", "mjs", "mts", "cjs"))


def _skips(rule: SkipRule, path: str, root: str, tree: Tree) -> bool:
    return path.startswith(root) and rule.holds(path[len(root) :], rails_version(tree, root))


def _stops_build(path: str, tree: Tree, rules: Rules) -> bool:
    """Say whether a file that is no manifest stops the build nevertheless, by its name alone, in a Ruby app."""
    at = path.rfind("public/assets/")
    root = path[:at] if at >= 0 else ""
    is_ruby = any(tree.has(root + name) for name in ("Gemfile", "config/application.rb", "config.ru"))
    return (
        is_ruby and not rules.is_elsewhere(root.rstrip("/")) and any(_skips(s, path, root, tree) for s in rules.skips)
    )
