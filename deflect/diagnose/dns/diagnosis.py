"""``diagnose_dns``: look, decide, and say what was checked."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from deflect.diagnose.finding import Diagnosis, Finding
from deflect.errors import DiagnosisError, OptionalDependencyError, ParameterError

if TYPE_CHECKING:
    from pathlib import Path

    from deflect.diagnose.dns.case import Case, Verdict, Verdicts
    from deflect.diagnose.dns.hostname import HostName
    from deflect.diagnose.dns.network import Network
    from deflect.diagnose.dns.observation import Observation

#: What the extra installs: the module that must be there, and its package.
_NEEDS = {"dns": "dnspython", "idna": "idna", "publicsuffixlist": "publicsuffixlist"}


def diagnose_dns(
    host: str,
    *,
    target: str | None = None,
    profile: str | Path = "heroku",
    acm_status: str | None = None,
    with_page: bool = False,
    network: Network | None = None,
) -> Diagnosis:
    """Diagnose the DNS of a host that should lead to a platform.

    Parameters
    ----------
    host
        Host name, as the customer typed it.
    target
        The exact DNS target that the platform's API gives for it. Without it, any target of the platform is right, and
        addresses at an apex cannot be told from an ALIAS.
    profile
        What the platform wants: a name of ``profile_names()``, or the path of a TOML file.
    acm_status
        What the platform's API says of the certificate, to be explained.
    with_page
        Also ask the host for a page over HTTP: some platforms say there that no app has the domain.
    network
        Resolvers, ports and limits.

    Returns
    -------
    Diagnosis
        What is wrong, and what was checked.

    Raises
    ------
    DiagnosisError
        No DNS server could be asked.
    ParameterError
        The profile, the target or the network is not what it must be.
    OptionalDependencyError
        The extra ``dns`` is not installed.

    Examples
    --------
    >>> diagnosis = diagnose_dns("co.uk")
    >>> diagnosis.findings[0].summary
    "'co.uk' is a public suffix: others register their own names under co.uk."

    """
    return asyncio.run(
        diagnose_dns_async(
            host, target=target, profile=profile, acm_status=acm_status, with_page=with_page, network=network
        )
    )


async def diagnose_dns_async(
    host: str,
    *,
    target: str | None = None,
    profile: str | Path = "heroku",
    acm_status: str | None = None,
    with_page: bool = False,
    network: Network | None = None,
) -> Diagnosis:
    """Diagnose as ``diagnose_dns`` does, inside a running event loop.

    Examples
    --------
    >>> import asyncio
    >>> asyncio.run(diagnose_dns_async("localhost")).findings[0].check
    'name.invalid'

    """
    _require_extra()
    from deflect.diagnose.dns.case import Case
    from deflect.diagnose.dns.checks.name import check_name
    from deflect.diagnose.dns.hostname import read_host
    from deflect.diagnose.dns.look import look
    from deflect.diagnose.dns.network import Network
    from deflect.diagnose.dns.profile import load_profile

    limits, platform, wanted, name = network or Network(), load_profile(profile), _target(target), read_host(host)
    fault = check_name(name, allow_private=limits.allow_private)
    if not name.name or (fault and not name.was_pasted) or (name.is_private and not limits.allow_private):
        return _refused(name, fault)
    observation = await look(name, limits, target=wanted, with_page=with_page)
    _require_answers(observation)
    return decide(Case(observation, platform, wanted, acm_status or ""), fault)


def decide(case: Case, fault: Finding | None = None) -> Diagnosis:
    """Decide what is wrong with what was seen: no input, no output."""
    from deflect.diagnose.dns.case import Skipped

    verdicts = [*([fault] if fault else []), *_verdicts(case)]
    findings = tuple(verdict for verdict in verdicts if isinstance(verdict, Finding))
    skipped = {verdict.check: verdict.reason for verdict in verdicts if isinstance(verdict, Skipped)}
    for finding in findings:
        skipped.pop(finding.check, None)
    checked = tuple(check for check in checks() if check not in skipped)
    notes = tuple(("some questions", note) for note in case.observation.notes)
    return Diagnosis("dns", case.observation.host.readable, findings, checked, (*skipped.items(), *notes))


def checks() -> tuple[str, ...]:
    """Return the name of every check, in the order of making."""
    return tuple(name for names, _ in _steps() for name in names)


def _verdicts(case: Case) -> list[Verdict]:
    """Make every check of which the observation has something to say."""
    from deflect.diagnose.dns.case import Skipped
    from deflect.diagnose.dns.checks.propagation import check_ttl

    found: list[Verdict] = []
    for names, check in _steps():
        reason = _blindness(case, names[0])
        found += [Skipped(name, reason) for name in names] if reason else check(case)
    return [*found, *check_ttl(case, found)]


def _blindness(case: Case, first: str) -> str:
    """Say why a theme, named by its first check, cannot be looked at; empty if it can."""
    from deflect.diagnose.dns.checks.zone import is_missing

    if first.startswith(("name.", "zone.")):
        return ""
    if is_missing(case):
        return "the domain does not exist"
    needs_records = first.startswith(("rec.", "prop."))
    return f"nobody answered for {case.host}" if needs_records and case.view.exists(case.host) is None else ""


def _steps() -> tuple[tuple[tuple[str, ...], Callable[[Case], Verdicts]], ...]:
    """Return the checks of each theme, and the function that makes them."""
    from deflect.diagnose.dns.checks import (
        addresses,
        caa,
        dnssec,
        name,
        neighbours,
        platform,
        propagation,
        records,
        target,
        zone,
    )

    return (
        (name.CHECKS, lambda _: iter(())),  # Made before there is a case.
        (zone.CHECKS, zone.check_zone),
        (dnssec.CHECKS, dnssec.check_dnssec),
        (records.CHECKS, records.check_records),
        (target.CHECKS, target.check_target),
        (addresses.CHECKS, addresses.check_addresses),
        (neighbours.CHECKS, neighbours.check_neighbours),
        (propagation.CHECKS, propagation.check_propagation),
        (caa.CHECKS, caa.check_caa),
        (platform.CHECKS, platform.check_platform),
    )


def _refused(name: HostName, fault: Finding | None) -> Diagnosis:
    """Return the diagnosis of a name that is not looked at."""
    reason = "the name cannot be looked up"
    skipped = tuple((check, reason) for check in checks() if check != "name.invalid")
    return Diagnosis("dns", name.typed, (fault,) if fault else (), ("name.invalid",), skipped)


def _require_answers(observation: Observation) -> None:
    """Refuse to decide on nothing: without a network, every domain looks broken."""
    if observation.delegation.parent != "unknown":
        return
    if not any(reply.code == "NOERROR" for reply in observation.replies):
        codes = ", ".join(sorted({reply.outcome for reply in observation.replies}))
        asked = ", ".join(observation.resolvers)
        msg = f"A DNS resolver must answer. Got only {codes} from {asked}. Check the network, or give --resolver"
        raise DiagnosisError(msg)


def _target(target: str | None) -> str:
    """Return the expected target as DNS writes it."""
    from deflect.diagnose.dns.hostname import read_host

    if not target:
        return ""
    name = read_host(target)
    if not name.name:
        msg = f"target must be a host name such as example.herokudns.com. Got {target[:60]!r}"
        raise ParameterError(msg)
    return name.name


def _require_extra() -> None:
    """Refuse to begin without the extra."""
    for module, package in _NEEDS.items():
        if find_spec(module) is None:
            raise OptionalDependencyError(package, "dns")
