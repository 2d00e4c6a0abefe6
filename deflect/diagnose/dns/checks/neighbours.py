"""What stands around the host: the doubled name, a wildcard, and the sibling with or without www."""

from __future__ import annotations

from deflect.diagnose.dns.case import Case, Skipped, Verdicts
from deflect.diagnose.finding import Finding

CHECKS = ("rec.double_name", "rec.wildcard_shadow", "www.missing", "apex.missing")


def check_neighbours(case: Case) -> Verdicts:
    """Yield what the names around the host give away."""
    yield from _doubled(case)
    yield from _wildcard(case)
    yield from _sibling(case)


def _doubled(case: Case) -> Verdicts:
    """Find the host's name with the zone appended once more."""
    bare = case.host.removeprefix("*.")
    doubled, control = f"{bare}.{case.zone}", f"{case.observation.probe}.{case.zone}.{case.zone}"
    if not case.view.exists(doubled) or case.view.exists(control):
        return
    relative = "@" if bare == case.zone else bare.removesuffix(f".{case.zone}")
    is_harmless = case.view.exists(case.host)
    yield Finding(
        "rec.double_name",
        "notice" if is_harmless else "error",
        f"There is a record for {doubled}: the provider appended the domain to a name that was already complete.",
        f"{doubled} exists",
        "Delete it." if is_harmless else f'Type "{relative}" in the field for the name. {case.fix}',
    )


def _wildcard(case: Case) -> Verdicts:
    """Find out whether the host is answered by a wildcard: then so is any name below it, which is not if it exists."""
    if case.observation.host.is_wildcard or case.is_apex:
        return
    beside = f"{case.observation.probe}.{case.host.partition('.')[2]}"
    below = f"{case.observation.probe}.{case.host}"
    answers = [_answers(case, name) for name in (case.host, beside, below)]
    if answers[0] and answers[0] == answers[1] == answers[2]:
        parent = case.host.partition(".")[2]
        yield Finding(
            "rec.wildcard_shadow",
            "notice",
            f"{case.host} has no record of its own: the wildcard *.{parent} answers for it.",
            f"a made-up name gets the same answer: {', '.join(sorted(answers[0])[:3])}",
            case.fix,
        )


def _answers(case: Case, name: str) -> frozenset[str]:
    """Return what a name itself leads to."""
    cname = case.view.cname(name)
    return frozenset({cname.value}) if cname else frozenset(r.value for r in case.view.records(name, "A"))


def _sibling(case: Case) -> Verdicts:
    """Find out whether people who leave out www, or add it, get anywhere."""
    host = case.observation.host
    if not host.sibling:
        return
    check = "www.missing" if host.is_registrable else "apex.missing"
    exists = case.view.exists(host.sibling)
    if exists is None:
        yield Skipped(check, f"nobody answered for {host.sibling}")
    elif not exists:
        record = f"{host.sibling}.  {'CNAME' if host.is_registrable else 'ALIAS (or ANAME)'}"
        yield Finding(
            check,
            "warning",
            f"{host.sibling} does not resolve: people who type it see an error.",
            f"{host.sibling} has no A, AAAA or CNAME record",
            f"Add {host.sibling} at {case.profile.name} too, and set: {record}  THE TARGET IT GIVES FOR IT.",
            case.profile.url,
        )
