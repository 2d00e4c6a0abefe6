"""Decides whether the domain exists, and whether its name servers answer for it."""

from __future__ import annotations

from collections.abc import Iterator

from deflect.diagnose.dns.case import Case, Skipped, Verdicts, listed
from deflect.diagnose.dns.observation import NameServer, Record
from deflect.diagnose.finding import Finding, Severity

CHECKS = ("zone.nxdomain", "zone.no_ns", "zone.lame", "zone.ns_mismatch")

#: What a server's answer about its own zone shows, in words.
_FAULTS = {
    "silent": "does not answer",
    "closed": "runs no DNS server",
    "garbled": "answers something that is no DNS",
    "REFUSED": "refuses to answer for the domain",
    "SERVFAIL": "cannot load the domain",
    "NOTAUTH": "does not serve the domain",
    "NXDOMAIN": "does not know the domain",
}
#: A fault that may lie on the way from here, as long as nobody else is heard to fail.
_MAY_BE_OURS = frozenset({"silent", "closed"})


def check_zone(case: Case) -> Verdicts:
    """Yield what is wrong with the domain itself."""
    delegation = case.observation.delegation
    if delegation.parent == "has no such name":
        yield _no_such_domain(case)
    elif not delegation.servers:
        yield from _no_servers(case)
    else:
        yield from _servers(case)
        yield from _mismatch(case)


def is_missing(case: Case) -> bool:
    """Say whether there is no domain to look into."""
    return case.observation.delegation.parent == "has no such name"


def _no_such_domain(case: Case) -> Finding:
    domain = case.observation.host.registrable
    return Finding(
        "zone.nxdomain",
        "critical",
        f"The domain {domain} does not exist: it is misspelt, was never registered, or has expired.",
        f"{domain}: NXDOMAIN",
        f"Check the spelling. Register or renew {domain} at your registrar.",
    )


def _no_servers(case: Case) -> Verdicts:
    """Decide where nobody names a name server."""
    zone = case.zone
    codes = sorted({r.outcome for r in case.observation.replies if r.question.name in {zone, case.host}})
    if case.view.is_resolved:
        yield Skipped("zone.lame", f"no name server of {zone} was named; the resolver answers for it")
    else:
        yield _lame(case, f"the resolver says {listed(codes)}", is_all=True)
    yield Skipped("zone.ns_mismatch", "no server of the zone above could be asked")


def _no_ns(zone: str, evidence: str) -> Finding:
    return Finding(
        "zone.no_ns",
        "critical",
        f"No working name server could be found for {zone}.",
        evidence,
        f"Enter the name servers of your DNS provider for {zone} at your registrar.",
    )


def _servers(case: Case) -> Verdicts:
    """Yield the name servers that have no address, or do not answer for the domain."""
    servers = case.observation.delegation.servers
    faults = {server.name: fault for server in servers if (fault := _fault(case, server))}
    withheld = [server.name for server in servers if not server.addresses and server.withheld]
    homeless = [server.name for server in servers if not server.addresses and not server.withheld]
    evidence = "\n".join(f"{name} {fault}" for name, fault in list(faults.items())[:8])
    if len(homeless) == len(servers) and not case.view.is_resolved:
        yield _no_ns(case.zone, f"these have no address: {listed(homeless)}")
    elif withheld and not case.view.is_resolved:
        yield _lame(case, f"private addresses, not asked: {listed(withheld)}", is_all=len(withheld) == len(servers))
    elif withheld:
        yield Skipped("zone.lame", f"private addresses are not asked: {listed(withheld)}")
    elif faults and len(faults) == len(servers) and case.view.is_resolved and _may_be_ours(case):
        yield Skipped("zone.lame", "no name server could be reached from here, yet the resolver answers for the domain")
    elif faults:
        yield _lame(case, evidence, is_all=len(faults) == len(servers))


def _lame(case: Case, evidence: str, *, is_all: bool) -> Finding:
    severity: Severity = "critical" if is_all else "error"
    which = "None of the name servers" if is_all else "Some of the name servers"
    return Finding(
        "zone.lame",
        severity,
        f"{which} of {case.zone} {'answers' if is_all else 'do not answer'} for the domain"
        f"{': nobody can look it up.' if is_all else ': look-ups are slow or fail now and then.'}",
        evidence,
        "At your registrar, keep only name servers that serve the domain; or add the domain at the provider whose name"
        " servers these are.",
    )


def _fault(case: Case, server: NameServer) -> str:
    """Say what is wrong with one name server; empty if any of its addresses answers for the zone."""
    if not server.addresses:
        return "" if server.withheld else "has no address"
    faults = [_fault_at(case, address) for address in server.addresses]
    return "" if "" in faults else faults[0]


def _fault_at(case: Case, address: str) -> str:
    """Say what is wrong with a server at one address."""
    replies = [
        reply
        for reply in case.observation.replies
        if reply.question.server == address
        and not reply.question.is_recursive
        and reply.question.name in {case.zone, case.host}
        and reply.failure not in {"unfinished", "over budget", "unreachable"}
    ]
    if any(reply.is_authoritative and reply.is_usable for reply in replies) or not replies:
        return ""
    if ":" in address and all(reply.failure in _MAY_BE_OURS for reply in replies):
        return ""  # Many networks have no way to IPv6.
    heard = [reply.outcome for reply in replies if reply.failure not in _MAY_BE_OURS] or [replies[0].outcome]
    return f"({address}) {_FAULTS.get(heard[0], 'answers, but not as a server of the domain')}"


def _may_be_ours(case: Case) -> bool:
    """Say whether all that the zone's servers did was to keep silent, so that a firewall here may be the cause."""
    addresses = case.observation.delegation.addresses
    asked = [r for r in case.observation.replies if not r.question.is_recursive]
    return all(reply.outcome in _MAY_BE_OURS for reply in asked if reply.question.server in addresses)


def _mismatch(case: Case) -> Verdicts:
    """Compare the name servers that the zone above gives with those that the zone gives itself."""
    delegation = case.observation.delegation
    if delegation.parent != "delegates":
        yield Skipped("zone.ns_mismatch", "no server of the zone above, and of it alone, could be asked")
        return
    parent = set(delegation.parent_names)
    children = [child for child in _child_names(case) if child]
    if not children:
        if any(case.view.authoritative(case.zone, "NS")):
            yield _no_ns(case.zone, "the zone itself has no NS record")
        return
    different = next((child for child in children if child != parent), None)
    if different is not None:
        yield Finding(
            "zone.ns_mismatch",
            "warning",
            f"The registrar and the zone of {case.zone} name different name servers: some people may see old records.",
            f"registrar: {listed(sorted(parent))}\nzone: {listed(sorted(different))}",
            "Enter the same name servers at the registrar and as NS records of the zone.",
        )


def _child_names(case: Case) -> Iterator[set[str]]:
    """Yield the NS records of the zone at each of its servers."""
    for reply in case.view.authoritative(case.zone, "NS"):
        yield {record.value for record in _ns(reply.answer, case.zone)}


def _ns(records: tuple[Record, ...], zone: str) -> list[Record]:
    return [record for record in records if record.type == "NS" and record.name == zone]
