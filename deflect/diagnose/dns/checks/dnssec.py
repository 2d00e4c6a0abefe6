"""Decides whether resolvers that validate accept the domain's signatures."""

from __future__ import annotations

from deflect.diagnose.dns.case import Case, Skipped, Verdicts
from deflect.diagnose.dns.observation import Reply
from deflect.diagnose.finding import Finding

CHECKS = ("dnssec.bogus",)


def check_dnssec(case: Case) -> Verdicts:
    """Find an answer that a resolver gives only if it need not validate it."""
    broken = next((resolver for resolver in case.observation.resolvers if _is_bogus(case, resolver)), None)
    if broken is not None:
        yield _bogus(case, broken)
    elif not any(reply.is_usable for reply in _checked(case)):
        yield Skipped("dnssec.bogus", f"no resolver answered for {case.host}")
    elif _is_signed(case) and not _is_validated(case):
        yield Skipped("dnssec.bogus", "the domain is signed, but no resolver that was asked validates")


def _is_bogus(case: Case, resolver: str) -> bool:
    """Say whether a resolver failed every time with validation, and not without."""
    checked = [reply for reply in _checked(case) if reply.question.server == resolver]
    unchecked = [
        reply
        for reply in case.observation.replies_to(case.host, "A", is_unchecked=True)
        if reply.question.server == resolver
    ]
    fails = len(checked) > 1 and all(reply.code == "SERVFAIL" for reply in checked)
    return fails and any(reply.is_usable for reply in unchecked)


def _checked(case: Case) -> list[Reply]:
    """Return the resolvers' validated answers about the host."""
    return [reply for reply in case.observation.replies_to(case.host, "A") if reply.question.is_recursive]


def _is_signed(case: Case) -> bool:
    """Say whether the zone above has a key of the domain."""
    replies = case.observation.replies_to(case.observation.host.registrable, "DS")
    return any(record.type == "DS" for reply in replies for record in reply.answer)


def _is_validated(case: Case) -> bool:
    """Say whether a resolver has validated anything of the domain."""
    return any(
        reply.is_validated
        for kind in ("SOA", "NS", "DS")
        for reply in case.observation.replies_to(case.observation.host.registrable, kind)
    )


def _bogus(case: Case, resolver: str) -> Finding:
    """Say whose signatures are broken: the host's zone, or one that it leads to."""
    reasons = dict.fromkeys(text for reply in _checked(case) for text in reply.explanations)
    registrable = case.observation.host.registrable
    is_own = not case.chain.links or any(
        reply.code == "SERVFAIL"
        for name, kind in ((registrable, "SOA"), (case.host, "CNAME"))  # A question for a CNAME leads nowhere else.
        for reply in case.observation.replies_to(name, kind)
        if reply.question.server == resolver
    )
    whose = registrable if is_own else f"a domain that {case.host} leads to ({case.chain})"
    return Finding(
        "dnssec.bogus",
        "error",
        f"The DNSSEC signatures of {whose} are broken: people whose resolver validates cannot reach {case.host}.",
        "\n".join([f"{resolver}: SERVFAIL with validation, an answer without", *list(reasons)[:3]]),
        f"Compare the DS record at your registrar with the keys of {whose} at your DNS provider, and delete the DS"
        " record if the provider no longer signs.",
    )
