"""Decides whether the host's own addresses are those of the platform."""

from __future__ import annotations

from deflect.diagnose.dns.case import Case, Skipped, Verdicts, listed
from deflect.diagnose.dns.checks.target import (
    front_before_platform,
    is_platforms_own,
    strange_addresses,
    target_addresses,
)
from deflect.diagnose.dns.network import is_usable_in_a_record
from deflect.diagnose.dns.profile import in_networks
from deflect.diagnose.finding import Finding, Severity

CHECKS = ("rec.a_record", "rec.aaaa_elsewhere")


def check_addresses(case: Case) -> Verdicts:
    """Yield address records at the host itself that should not be there."""
    if is_platforms_own(case) or front_before_platform(case):
        return
    ipv4, ipv6 = _own(case, "A"), _own(case, "AAAA")
    if ipv4 and not case.view.cname(case.host):
        yield from _ipv4(case, ipv4)
    if ipv6:
        yield from _ipv6(case, ipv6)


def _own(case: Case, kind: str) -> list[str]:
    """Return the host's own addresses, those left out that another check reports."""
    found = sorted(record.value for record in case.view.records(case.host, kind))
    return [address for address in found if is_usable_in_a_record(address, is_lab=case.observation.is_lab)]


def _ipv4(case: Case, addresses: list[str]) -> Verdicts:
    """Decide on A records, from what is certain to what is not."""
    stale = [address for address in addresses if in_networks(address, case.profile.stale_addresses)]
    strange = strange_addresses(case, addresses)
    if stale:
        yield _a_record(case, "error", stale, f"addresses that {case.profile.name} gave up long ago")
    elif not strange:
        return
    elif target_addresses(case) or len(strange) < len(addresses):
        yield from _beside_target(case, addresses, strange)
    elif _has_alias_note(case) or case.profile.address_rule == "anywhere":
        yield Skipped("rec.a_record", "the addresses can only be compared with those of the target: give --target")
    elif case.is_apex and case.profile.address_rule == "alias":
        what = "right if they come from an ALIAS to the target, wrong if somebody typed them in"
        yield _a_record(case, "notice", strange, f"{what}; with --target they can be compared")
    else:
        yield _a_record(case, "error", strange, f"addresses typed in, which are not those of {case.profile.name}")


def _beside_target(case: Case, addresses: list[str], strange: list[str]) -> Verdicts:
    """Compare with the addresses of the expected target."""
    is_moving = len(set(_ipv4_sets(case))) > 1
    if is_moving:
        yield Skipped("rec.a_record", "the target's addresses change from answer to answer: nothing to compare with")
    elif len(strange) < len(addresses):
        yield _a_record(case, "error", strange, "left beside the right ones: a part of the visitors lands there")
    else:
        yield _a_record(case, "error", strange, f"addresses that are not those of {case.target}")


def _ipv4_sets(case: Case) -> list[frozenset[str]]:
    """Return the target's IPv4 addresses as each server gave them."""
    sets = (frozenset(a for a in found if ":" not in a) for found in case.view.all_addresses(case.target))
    return [found for found in sets if found]


def _has_alias_note(case: Case) -> bool:
    """Say whether the provider wrote beside the addresses, as DNSimple does, that they come from an ALIAS."""
    notes = [record.value.strip('"').lower() for record in case.view.records(case.host, "TXT")]
    return any(
        note.startswith("alias for ") and case.profile.is_target(note.removeprefix("alias for ").strip(". "))
        for note in notes
    )


def _ipv6(case: Case, addresses: list[str]) -> Verdicts:
    """Decide on AAAA records."""
    strange = strange_addresses(case, addresses)
    if strange and case.profile.address_rule != "anywhere":
        yield Finding(
            "rec.aaaa_elsewhere",
            "error",
            f"{case.host} has IPv6 addresses that are not those of {case.profile.name}: visitors with IPv6 land there,"
            " and the certificate is not issued.",
            f"AAAA {listed(strange)}",
            f"Delete the AAAA records of {case.host}: {listed(strange)}",
            case.profile.url,
        )


def _a_record(case: Case, severity: Severity, addresses: list[str], what: str) -> Finding:
    fix = f"Delete: {case.host}.  A  {listed(addresses)}\n{case.fix}" if severity == "error" else case.fix
    return Finding(
        "rec.a_record",
        severity,
        f"{case.observation.host.readable} has A records: {what}.",
        f"A {listed(addresses)}",
        fix,
        case.profile.url,
    )
