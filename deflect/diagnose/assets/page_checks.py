"""Decides what a production page and a build log add: which build is served, and what else may explain old files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from deflect.diagnose.assets.builds import Build
from deflect.diagnose.assets.checks import BUILDPACK_URL
from deflect.diagnose.assets.formats import basename, versions
from deflect.diagnose.assets.names import listed, shown
from deflect.diagnose.assets.served import Log, Served
from deflect.diagnose.assets.tree import Tree
from deflect.diagnose.finding import Finding

_PROMOTION_URL = "https://devcenter.heroku.com/articles/pipelines"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a page names, beside what should be there: files that agree, older ones, and unknown ones."""

    same: tuple[str, ...]
    older: tuple[str, ...]
    absent: tuple[str, ...]
    is_log: bool = False


def compare(
    page: Served, expected: Mapping[str, set[str]], older: frozenset[str], *, is_log: bool = False
) -> Comparison:
    """Compare the files of a page with the versions that are expected; files of which none is known are left out."""
    named = [
        (version, expected[key]) for key in sorted(page.versions) if key in expected for version in page.versions[key]
    ]
    differing = sorted(version for version, current in named if version not in current)
    return Comparison(
        same=tuple(sorted(version for version, current in named if version in current)),
        older=tuple(version for version in differing if version in older),
        absent=tuple(version for version in differing if version not in older),
        is_log=is_log,
    )


def check_log(log: Log, builds: Sequence[Build]) -> Iterator[Finding]:
    """Report the lines of a build log that say what became of the assets."""
    for found in log.lines:
        seen = found.line
        if found.rule.check == "log.compiled_locally" and not any(build.skips for build in builds):
            seen += "; no such manifest is here: the deployed commit is another, or a step before the build writes one"
        yield Finding(found.rule.check, found.rule.severity, found.rule.summary, seen, found.rule.fix, BUILDPACK_URL)


def comparison(page: Served, log: Log | None, builds: Sequence[Build], tree: Tree) -> Comparison | None:
    """Compare a page with the build that the log tells of, else with the committed build; None where neither can be."""
    written = log.versions if log else {}
    if page.versions.keys() & written.keys():
        return compare(page, written, frozenset(), is_log=True)
    expected = versions(file for build in builds for file in build.listed.values())
    older = frozenset(basename(file) for build in builds for file in (*build.older, *tree.below(build.output)))
    return compare(page, expected, older) if page.versions.keys() & expected.keys() else None


def check_page(found: Comparison, builds: Sequence[Build]) -> Iterator[Finding]:
    """Report which build a page serves."""
    yield from _against_log(found) if found.is_log else _against_manifest(found, builds)


def _against_log(found: Comparison) -> Iterator[Finding]:
    if found.absent:
        yield Finding(
            "html.other_build",
            "warning",
            "The page serves other files than this build wrote: it is not the page of this build.",
            listed(found.absent),
        )
        yield from _other_causes(found.absent)
    elif found.same:
        yield _cache(f"the page names what the build wrote: {listed(found.same)}")


def _against_manifest(found: Comparison, builds: Sequence[Build]) -> Iterator[Finding]:
    manifests = listed([manifest.path for build in builds for manifest in build.manifests])
    if found.older:
        yield Finding(
            "html.older_digest",
            "warning",
            "The page serves an older version of assets than the committed manifest lists.",
            f"{listed(found.older)}, against {manifests}",
            "Deploy this commit to the app that serves the page, then purge the CDN's cache of the page.",
        )
    if found.absent and any(build.skips for build in builds):
        yield Finding(
            "html.absent_digest",
            "warning",
            "The page serves versions of assets that the committed manifest does not list: another commit is live.",
            f"{listed(found.absent)}, against {manifests}",
            "Deploy this commit to the app that serves the page; `heroku releases` says which commit is live.",
        )
    elif found.absent:
        yield Finding(
            "html.absent_digest",
            "notice",
            "The page serves versions of assets that the committed manifest does not list: the build step does run.",
            f"{listed(found.absent)}, against {manifests}",
        )
    if found.older or (found.absent and any(build.skips for build in builds)):
        yield from _other_causes(found.older + found.absent)
    elif found.same and not found.absent:
        yield Finding(
            "html.same",
            "info",
            "The page serves exactly the committed build.",
            f"{listed(found.same)}, as in {manifests}",
        )


def _other_causes(names: Sequence[str]) -> Iterator[Finding]:
    seen = f"the page names {shown(names[0])}"
    yield Finding(
        "cause.promotion",
        "notice",
        "If the app was promoted in a pipeline, nothing was built for it: it serves the build of the app before it.",
        seen,
        "Deploy to the first app of the pipeline, look whether its assets are right, and promote again.",
        _PROMOTION_URL,
    )
    yield _cache(seen)


def _cache(seen: str) -> Finding:
    return Finding(
        "cause.cache",
        "notice",
        "What still looks old may come from a cache: of the CDN, of a proxy, or of the browser.",
        seen,
        "Load the page once without any cache (Ctrl+Shift+R, or curl past the CDN), and purge the CDN if that differs.",
    )
