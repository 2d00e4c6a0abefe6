"""Diagnoses stale assets: opens what it is pointed at, makes every check that is possible, and says which are not."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from deflect.diagnose.assets import checks, page_checks
from deflect.diagnose.assets.builds import Build, Found, find_builds
from deflect.diagnose.assets.git import GitError
from deflect.diagnose.assets.names import shown
from deflect.diagnose.assets.opening import open_tree, read_text
from deflect.diagnose.assets.served import MAX_LOG_BYTES, MAX_PAGE_BYTES, Log, Served, read_log, read_page
from deflect.diagnose.assets.stacks import Rules, asset_rules
from deflect.diagnose.assets.tree import Tree
from deflect.diagnose.finding import Diagnosis, Finding

#: So many builds are reported one by one.
_MAX_BUILDS = 50
_TREE_CHECKS = (
    "manifest.tracked",
    "build.tracked",
    "manifest.damaged",
    "asset.missing",
    "manifest.second",
    "sources.newer",
    "config.compile",
)
_LOG_CHECKS = ("log.compiled_locally", "log.cached", "log.collectstatic_off")
_PAGE_CHECKS = ("html.absent_digest", "html.older_digest", "html.other_build", "cause.promotion", "cause.cache")


def diagnose_assets(
    path: str | os.PathLike[str],
    *,
    html: str | os.PathLike[str] | None = None,
    build_log: str | os.PathLike[str] | None = None,
) -> Diagnosis:
    """Find committed build output that freezes assets: why a change to a style sheet does not show after a deploy.

    Use it on the code of an app. Nothing of it is run, and no link is followed out of it.

    Parameters
    ----------
    path
        A checkout, another folder, a tar, tar.gz or zip archive, or a file with the output of ``git ls-files``; "-" is
        such a listing on standard input.
    html
        A page that the site serves, saved to a file; None leaves its checks out.
    build_log
        The log of the last build; None leaves its checks out.

    Returns
    -------
        What was found, with the files to remove and the lines for ``.gitignore``.

    Raises
    ------
    DiagnosisError
        If the path, the page or the log cannot be read, or is none of these.

    Examples
    --------
    >>> diagnose_assets(".").is_fine  # The checkout of deflect itself.
    True
    """
    rules = asset_rules()
    page = None if html is None else read_page(read_text(os.fspath(html), MAX_PAGE_BYTES))
    log = None if build_log is None else read_log(read_text(os.fspath(build_log), MAX_LOG_BYTES), rules.log)
    with open_tree(os.fspath(path), rules) as tree:
        return diagnose_tree(tree, rules, page, log)


def diagnose_tree(tree: Tree, rules: Rules, page: Served | None = None, log: Log | None = None) -> Diagnosis:
    """Diagnose a tree that was read: a function of recorded data, but for the history, which the tree asks."""
    found = find_builds(tree, rules)
    committed = [build for build in found.builds if not checks.is_set_aside(build, tree)]
    builds = committed[:_MAX_BUILDS]
    findings = [*_tree_findings(tree, found, builds, rules)]
    gaps = list(tree.gaps)
    impossible = {"manifest.damaged", "asset.missing"} if tree.kind == "listing" else set()
    impossible |= set() if tree.changes else {"sources.newer"}
    try:
        findings += [finding for build in builds for finding in checks.check_sources(build, tree, rules)]
    except GitError as error:
        gaps.append(("sources.newer", f"the history of .git cannot be read: {error}"))
        impossible.add("sources.newer")
    if log:
        findings += page_checks.check_log(log, builds)
    if page and (comparison := page_checks.comparison(page, log, builds, tree)):
        findings += page_checks.check_page(comparison, builds)
    elif page:
        gaps.append(("html.absent_digest", "neither a committed manifest nor the build log names a file of the page"))
        impossible.update(_PAGE_CHECKS)
    n_left_out = len(committed) - len(builds) + found.n_left_out
    if n_left_out:
        gaps.append(("manifest.tracked", f"{n_left_out:,} more manifests, beyond the first {len(builds)} builds"))
    checked = _TREE_CHECKS + (_LOG_CHECKS if log else ()) + (_PAGE_CHECKS if page else ())
    possible = tuple(check for check in checked if check not in impossible)
    return Diagnosis("assets", shown(tree.name), tuple(dict.fromkeys(findings)), possible, tuple(gaps))


def _tree_findings(tree: Tree, found: Found, builds: Sequence[Build], rules: Rules) -> Iterator[Finding]:
    for build in builds:
        yield checks.check_tracked(build, tree)
        yield from checks.check_damaged(build)
        yield from checks.check_missing(build, tree)
    yield from (checks.check_stopper(path, tree) for path in found.stoppers)
    yield from checks.check_second(builds)
    yield from checks.check_set_aside([build for build in found.builds if checks.is_set_aside(build, tree)])
    yield from checks.check_compile(tree, rules)
    yield from checks.check_elsewhere(found)
