"""Decides whether everybody knows the present records, and how long one must wait until they do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from math import ceil

from deflect.diagnose.dns.case import Case, Skipped, Verdict, Verdicts
from deflect.diagnose.dns.observation import Record, Reply
from deflect.diagnose.finding import Finding

CHECKS = ("prop.split", "rec.ttl_long")

#: A change is slow if old answers live on for longer than this.
_LONG_SECONDS = 3_600
#: Findings whose fix is to change the host's record.
_CHANGES = ("rec.", "loop", "long_chain", "private_ip")
_UNCHANGED = frozenset({"rec.missing", "rec.double_name", "rec.wildcard_shadow"})


def check_propagation(case: Case) -> Verdicts:
    """Compare what servers say about the host."""
    own = case.view.authoritative(case.host, "A")
    best = case.view.best(case.host, "A")
    if best is None or len(own) + len(_resolvers(case)) < 2:
        yield Skipped("prop.split", f"only one server answered for {case.host}: nothing to compare")
        return
    newest = _signature(best, case.host)
    if any(_differ(_signature(reply, case.host), newest) for reply in own):
        yield _servers_split(case, own)
    stale = [reply for reply in _resolvers(case) if _differ(_signature(reply, case.host), newest)]
    if stale and own:
        yield _resolvers_split(case, stale, newest)
    elif stale:
        yield _resolvers_disagree(case)


def check_ttl(case: Case, verdicts: Iterable[Verdict]) -> Verdicts:
    """Say how long a change takes, if one is pending: under way, or asked for by another finding."""
    found = [verdict for verdict in verdicts if isinstance(verdict, Finding)]
    own = _live(case.view.authoritative(case.host, "A"), case.host)
    stale = [reply for reply in _resolvers(case) if any(f.check == "prop.split" for f in found)]
    if any(finding.check == "prop.split" for finding in found):
        seconds = max(_live(stale, case.host), default=0)
    elif any(_is_change(finding) for finding in found):
        seconds = max(own or _live(_resolvers(case), case.host), default=0)
    else:
        return
    if seconds > _LONG_SECONDS:
        yield Finding(
            "rec.ttl_long",
            "notice",
            f"Old answers for {case.host} live for {_duration(seconds)}: a change made now is seen everywhere only"
            f" after {_until(case.observation.seen_at, seconds)}.",
            f"TTL {seconds} s",
            "Set the TTL to 300 first, and raise it again when all is well.",
        )


def _is_change(finding: Finding) -> bool:
    return finding.is_problem and finding.check.startswith(_CHANGES) and finding.check not in _UNCHANGED


def _resolvers(case: Case) -> list[Reply]:
    """Return the resolvers' usable answers about the host."""
    return [r for r in case.observation.replies_to(case.host, "A") if r.question.is_recursive and r.is_usable]


def _signature(reply: Reply, name: str) -> frozenset[str]:
    """Return what a server says the name itself has: a CNAME, addresses, or nothing."""
    cnames = frozenset(r.value for r in reply.answer if r.name == name and r.type == "CNAME")
    return cnames or frozenset(r.value for r in reply.answer if r.name == name and r.type == "A")


def _differ(one: frozenset[str], other: frozenset[str]) -> bool:
    """Say whether two answers contradict each other; sets that overlap are parts of one that is handed out in turns."""
    return one != other and not (one & other)


def _live(replies: list[Reply], name: str) -> list[int]:
    """Return how long each answer lives on; where there is no record, its absence is remembered too."""
    return [record.ttl for reply in replies for record in _decisive(reply, name)]


def _decisive(reply: Reply, name: str) -> Iterator[Record]:
    own = [record for record in reply.answer if record.name == name]
    yield from own or [record for record in reply.authority if record.type == "SOA"]


def _servers_split(case: Case, replies: list[Reply]) -> Finding:
    lines = [
        f"{reply.question.server} (serial {case.view.serials.get(reply.question.server, 'unknown')}):"
        f" {_shown(_signature(reply, case.host))}"
        for reply in replies[:6]
    ]
    return Finding(
        "prop.split",
        "notice",
        f"The name servers of {case.zone} do not say the same about {case.host}: the change has not reached all.",
        "\n".join(lines),
        "Wait until every name server has the newest zone; if one stays behind for hours, tell your DNS provider.",
    )


def _resolvers_split(case: Case, stale: list[Reply], newest: frozenset[str]) -> Finding:
    seconds = max(_live(stale, case.host), default=0)
    lines = [f"resolver {r.question.server}: {_shown(_signature(r, case.host))}" for r in stale]
    return Finding(
        "prop.split",
        "notice",
        f"The record of {case.host} was changed, and resolvers still remember the old one. Nothing is broken.",
        "\n".join([f"name servers: {_shown(newest)}", *lines]),
        f"Wait until {_until(case.observation.seen_at, seconds)} (in {_duration(seconds)}).",
    )


def _resolvers_disagree(case: Case) -> Finding:
    lines = [f"resolver {r.question.server}: {_shown(_signature(r, case.host))}" for r in _resolvers(case)]
    seconds = max(_live(_resolvers(case), case.host), default=0)
    return Finding(
        "prop.split",
        "notice",
        f"Resolvers do not say the same about {case.host}: its record was changed, and some remember the old one.",
        "\n".join(lines),
        f"Wait until {_until(case.observation.seen_at, seconds)} (in {_duration(seconds)}).",
    )


def _shown(values: frozenset[str]) -> str:
    return ", ".join(sorted(values)[:5]) or "no record"


def _until(now: datetime, seconds: int) -> str:
    return f"{now + timedelta(seconds=seconds):%Y-%m-%d %H:%M} UTC"


def _duration(seconds: int) -> str:
    """Write a time in the largest units that fit."""
    hours, minutes = divmod(ceil(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
