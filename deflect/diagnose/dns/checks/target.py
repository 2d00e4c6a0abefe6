"""Decides whether the host's CNAME leads to the platform."""

from __future__ import annotations

from collections.abc import Iterable

from deflect.diagnose.dns.case import Case, Verdicts, listed
from deflect.diagnose.dns.fronts import Front, front_of_address, front_of_name
from deflect.diagnose.dns.hostname import is_under, read_host
from deflect.diagnose.dns.observation import Record
from deflect.diagnose.dns.profile import load_profile, profile_names
from deflect.diagnose.finding import Finding

CHECKS = ("rec.target_app_host", "rec.target_ssl_host", "rec.target_other_app", "rec.target_elsewhere", "cdn.front")


def check_target(case: Case) -> Verdicts:
    """Yield where the CNAME leads, if not where it should; and a proxy in front of it all."""
    front = front_before_platform(case)
    if front is not None:
        yield _front(case, front)
    elif case.chain.links and not case.chain.is_loop:
        finding = _wrong_target(case)
        if finding is not None:
            yield finding


def is_platforms_own(case: Case) -> bool:
    """Say whether the host is a name of the platform itself, so that nothing has to be set up."""
    profile = case.profile
    return profile.is_target(case.host) or profile.is_app_host(case.host) or profile.is_retired_host(case.host)


def front_before_platform(case: Case) -> Front | None:
    """Return the proxy that people meet before the platform, if there is one that the platform did not put there."""
    for name in case.chain.names:
        if name == case.target or case.profile.is_target(name):
            return None
        front = front_of_name(name)
        if front is not None:
            return None if front.name in case.profile.own_fronts else front
    known = target_addresses(case)
    for address in case.view.addresses(case.host):
        front = front_of_address(address)
        if front is not None and address not in known and not case.profile.has_address(address):
            return None if front.name in case.profile.own_fronts else front
    return None


def strange_addresses(case: Case, addresses: Iterable[str]) -> list[str]:
    """Return the addresses that are neither the target's nor the platform's."""
    known = platform_addresses(case)
    return [
        address
        for address in addresses
        if address not in known
        and not case.profile.has_address(address)
        and not ((front := front_of_address(address)) and front.name in case.profile.own_fronts)
    ]


def platform_addresses(case: Case) -> frozenset[str]:
    """Return addresses that are certainly the platform's: of the expected target, or of where the sibling leads."""
    if case.target:
        return target_addresses(case)
    sibling = case.observation.host.sibling
    if sibling and any(case.profile.is_target(name) for name in case.view.chain(sibling).names):
        return frozenset(case.view.addresses(sibling))
    return frozenset()


def target_addresses(case: Case) -> frozenset[str]:
    """Return every address that some server gave for the expected target."""
    if not case.target:
        return frozenset()
    return frozenset().union(*case.view.all_addresses(case.target), case.view.addresses(case.target))


def _front(case: Case, front: Front) -> Finding:
    addresses = case.view.addresses(case.host)
    seen = f"{case.chain}" if case.chain.links else f"{case.host}: {listed(addresses)}"
    return Finding(
        "cdn.front",
        "warning",
        f"{front.name} stands in front of {case.host}: {case.profile.name} cannot verify the domain for a certificate,"
        " and two redirects to HTTPS can loop.",
        f"{seen} (addresses or names of {front.name})",
        front.fix,
        case.profile.url,
    )


def _wrong_target(case: Case) -> Finding | None:
    """Decide where a CNAME leads; any step of the chain may be the platform's."""
    names, profile, first = case.chain.names, case.profile, case.chain.links[0]
    if is_platforms_own(case):
        return None
    if any(profile.is_app_host(name) for name in names):
        return _finding(
            case, first, "rec.target_app_host", "the app's own name: pages load, but no certificate is ever issued"
        )
    if any(profile.is_retired_host(name) for name in names):
        return _finding(case, first, "rec.target_ssl_host", "an endpoint that has been retired")
    if case.target:
        return _unlike_expected(case, first)
    if not any(profile.is_target(name) for name in names):
        return _finding(case, first, "rec.target_elsewhere", _elsewhere(case, first.value))
    return _gone(case, first)


def _unlike_expected(case: Case, first: Record) -> Finding | None:
    """Compare with the exact target that the platform's API gives."""
    names = case.chain.names
    if case.target in names or (set(case.view.addresses(case.host)) & target_addresses(case) and _is_own(case)):
        return None
    if any(case.profile.is_target(name) for name in names):
        return _finding(case, first, "rec.target_other_app", "the target of another app or another domain")
    return _finding(case, first, "rec.target_elsewhere", _elsewhere(case, first.value))


def _is_own(case: Case) -> bool:
    """Say whether the chain ends in the customer's own domain, such as ``www`` that leads to an ALIAS at the apex."""
    return is_under(case.chain.end, case.observation.host.registrable)


def _gone(case: Case, first: Record) -> Finding | None:
    """Find a target of the right shape that the platform itself says does not exist."""
    end = case.chain.end
    for reply in (*case.view.resolved(case.host, "A"), *case.view.resolved(end, "A")):
        owner = next((record.name for record in reply.authority if record.type == "SOA"), "")
        if reply.code == "NXDOMAIN" and is_under(owner, read_host(end).registrable or "."):
            return _finding(case, first, "rec.target_other_app", "a target that does not exist (any more)")
    return None


def _elsewhere(case: Case, name: str) -> str:
    """Say in words what another target is."""
    inner = name.removesuffix(f".{case.zone}")
    if inner != name and (inner == case.target or case.profile.is_target(inner) or case.profile.is_app_host(inner)):
        return f"{inner} with your own domain appended: the target lacks the dot at its end"
    for other in profile_names():
        profile = load_profile(other)
        if profile.name != case.profile.name and (profile.is_target(name) or profile.is_app_host(name)):
            return f"a name of {profile.name}"
    return f"no name of {case.profile.name}"


def _finding(case: Case, first: Record, check: str, what: str) -> Finding:
    record = f"{first.name}.  {first.ttl}  {first.type}  {first.value}."
    return Finding(
        check,
        "error",
        f"{case.observation.host.readable} leads to {first.value}, {what}.",
        f"{record}\n{case.chain}" if case.chain.links[1:] else record,
        case.fix,
        case.profile.url,
    )
