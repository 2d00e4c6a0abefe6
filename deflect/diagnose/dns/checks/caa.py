"""Decides whether the platform's certificate authority may issue a certificate for the host."""

from __future__ import annotations

import re
from dataclasses import dataclass

from deflect.diagnose.dns.case import Case, Skipped, Verdicts, listed
from deflect.diagnose.dns.hostname import ancestors, is_under
from deflect.diagnose.dns.observation import Reply
from deflect.diagnose.finding import Finding

CHECKS = ("caa.blocks",)

#: Tags that every authority knows (RFC 8659, 9495); an unknown one that is marked critical forbids everything.
_KNOWN_TAGS = frozenset({"issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone"})
_CRITICAL = 128
_CAA = re.compile(
    r"(?P<flags>\d+)\s+"
    r"(?P<tag>[A-Za-z0-9]+)\s+"
    r'"(?P<value>.*)"'  # The authority, and after a semicolon its parameters.
)
#: Parameters that bind a certificate to an account or a method, which a platform cannot satisfy in general.
_BINDING = re.compile(r"\baccounturi\s*=|\bvalidationmethods\s*=(?!.*\bhttp-01\b)")


@dataclass(frozen=True, slots=True)
class _Property:
    """One CAA record, taken apart."""

    flags: int
    tag: str
    authority: str
    parameters: str


def check_caa(case: Case) -> Verdicts:
    """Climb from the host to the first CAA records: they alone decide."""
    if not case.profile.certificate_authorities:
        yield Skipped("caa.blocks", f"the profile of {case.profile.name} names no certificate authority")
        return
    for name in ancestors(case.host.removeprefix("*.")):
        reply = _reply(case, name)
        if reply is None:
            yield from _unanswered(case, name)
            continue
        properties = [found for record in reply.answer if record.type == "CAA" and (found := _parse(record.value))]
        if properties:
            yield from _decide(case, name, properties)
            return


def _reply(case: Case, name: str) -> Reply | None:
    """Return the answer about CAA: the zone's own, but a resolver's where an alias leads elsewhere."""
    best = case.view.best(name, "CAA")
    if best is not None and any(record.type == "CNAME" for record in best.answer):
        return next(iter(case.view.resolved(name, "CAA")), best)
    return best


def _unanswered(case: Case, name: str) -> Verdicts:
    """Decide where nobody says whether there are CAA records: if that is no accident, an authority must refuse."""
    if not is_under(name, case.zone):
        return
    codes = {reply.outcome for reply in case.observation.replies_to(name, "CAA")}
    works = any(reply.is_usable for reply in case.observation.replies_to(name, "A"))
    if works and codes and codes <= {"SERVFAIL", "NOTIMP", "REFUSED"}:
        yield Finding(
            "caa.blocks",
            "warning",
            f"The name servers of {case.zone} fail when asked for CAA records; certificate authorities then refuse.",
            f"{name} CAA: {listed(sorted(codes))}",
            "Ask your DNS provider to answer CAA questions; an empty answer is enough.",
        )
    else:
        yield Skipped("caa.blocks", f"nobody answered for the CAA records of {name}")


def _decide(case: Case, name: str, properties: list[_Property]) -> Verdicts:
    """Decide on the records of one name."""
    wanted = case.profile.certificate_authorities
    evidence = "\n".join(f'{name}.  CAA  {p.flags} {p.tag} "{p.authority}{p.parameters}"' for p in properties[:8])
    unknown = [p.tag for p in properties if p.flags & _CRITICAL and p.tag not in _KNOWN_TAGS]
    rules = _rules(case, properties)
    allowed = [p for p in rules if p.authority in wanted]
    if unknown:
        text = f"a CAA record of {name} is marked critical and unknown ({listed(unknown)}): no authority may issue"
        yield _blocks(case, text, evidence, f"Delete the CAA record {listed(unknown)} of {name}.")
    elif rules and not allowed:
        lines = "\n".join(f'{name}.  CAA  0 issue "{authority}"' for authority in wanted)
        yield _blocks(case, f"the CAA records of {name} do not allow {' or '.join(wanted)}", evidence, f"Add:\n{lines}")
    elif allowed and all(_BINDING.search(p.parameters) for p in allowed):
        yield Finding(
            "caa.blocks",
            "warning",
            f"The CAA record of {name} allows {allowed[0].authority} only for one account or method, which"
            f" {case.profile.name} may not use.",
            evidence,
            f'Write it without parameters: {name}.  CAA  0 issue "{allowed[0].authority}"',
            case.profile.url,
        )


def _rules(case: Case, properties: list[_Property]) -> list[_Property]:
    """Return the records that say who may issue; a wildcard has rules of its own, if there are any."""
    wild = [p for p in properties if p.tag == "issuewild"]
    if case.observation.host.is_wildcard and wild:
        return wild
    return [p for p in properties if p.tag == "issue"]


def _blocks(case: Case, text: str, evidence: str, fix: str) -> Finding:
    summary = f"No certificate can be issued for {case.host}: {text}."
    return Finding("caa.blocks", "error", summary, evidence, fix, case.profile.url)


def _parse(value: str) -> _Property | None:
    """Take a CAA record apart."""
    match = _CAA.fullmatch(value)
    if match is None:
        return None
    authority, semicolon, parameters = match["value"].partition(";")
    return _Property(int(match["flags"]), match["tag"].lower(), authority.strip().lower(), semicolon + parameters)
