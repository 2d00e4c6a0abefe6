"""Decides whether the host has a record, and one that DNS allows."""

from __future__ import annotations

from collections.abc import Sequence

from deflect.diagnose.dns.case import Case, Verdicts, listed
from deflect.diagnose.dns.network import is_usable_in_a_record
from deflect.diagnose.dns.observation import Record
from deflect.diagnose.finding import Finding

CHECKS = ("rec.missing", "rec.mixed", "rec.cname_at_apex", "loop", "long_chain", "private_ip")

#: Resolvers give up after eight to sixteen CNAMEs; nobody needs more than a few.
_MAX_LINKS = 8
#: What may not stand beside a CNAME; RRSIG and NSEC may.
_OTHER_TYPES = ("A", "AAAA", "MX", "TXT", "NS", "CAA")


def check_records(case: Case) -> Verdicts:
    """Yield what is wrong with the host's own records, whatever platform they are for."""
    cname = case.view.cname(case.host)
    if case.view.exists(case.host) is False:
        yield _missing(case)
    if cname and case.is_apex:
        yield _cname_at_apex(case, cname)
    elif cname and (others := _beside(case)):
        yield _mixed(case, cname, others)
    yield from _chain(case)
    yield from _private(case)


def _missing(case: Case) -> Finding:
    reply = case.view.best(case.host, "A")
    has_mail = bool(case.view.records(case.host, "MX"))
    seen = "NXDOMAIN" if reply and reply.code == "NXDOMAIN" else "no A, AAAA or CNAME record"
    return Finding(
        "rec.missing",
        "error",
        f"{case.observation.host.readable} has no record that leads to a web server.",
        f"{case.host}: {seen}{', only mail (MX)' if has_mail else ''}",
        case.fix,
        case.profile.url,
    )


def _cname_at_apex(case: Case, cname: Record) -> Finding:
    www = f"www.{case.host}."
    return Finding(
        "rec.cname_at_apex",
        "error",
        f"{case.host} is the top of its zone and has a CNAME: mail and name servers of the domain may stop working.",
        _text(cname),
        f"Delete the CNAME. {case.fix}\n"
        f"If your provider has no ALIAS: {www}  CNAME  {case.wanted_target}. and redirect {case.host} to {www[:-1]}",
        case.profile.url,
    )


def _beside(case: Case) -> list[Record]:
    """Return the records beside a CNAME; a server that keeps the rules answers each question with the CNAME."""
    return [record for kind in _OTHER_TYPES for record in case.view.records(case.host, kind)]


def _mixed(case: Case, cname: Record, others: Sequence[Record]) -> Finding:
    return Finding(
        "rec.mixed",
        "error",
        f"{case.host} has a CNAME and other records: which of them people get is left to chance.",
        "\n".join([_text(cname), *map(_text, others[:5])]),
        f"Delete every other record of {case.host}; keep the CNAME.",
    )


def _chain(case: Case) -> Verdicts:
    """Yield a loop, or too many steps."""
    if case.chain.is_loop:
        yield Finding(
            "loop",
            "error",
            f"The CNAME of {case.host} leads back to itself: nobody gets an address.",
            _shown_chain(case),
            case.fix,
        )
    elif len(case.chain.links) > _MAX_LINKS:
        yield Finding(
            "long_chain",
            "error",
            f"{case.host} leads through {len(case.chain.links)} CNAMEs: resolvers give up before the end.",
            _shown_chain(case),
            case.fix,
        )


def _shown_chain(case: Case) -> str:
    """Show a chain, cut in the middle of long ones."""
    names = [case.host, *case.chain.names]
    return " -> ".join(names if len(names) <= _MAX_LINKS else [*names[:5], "...", names[-1]])


def _private(case: Case) -> Verdicts:
    """Yield addresses that nobody can reach; those behind the platform's own names are the platform's business."""
    if any(case.profile.is_target(name) or name == case.target for name in case.chain.names):
        return
    addresses = case.view.addresses(case.host)
    unusable = [a for a in addresses if not is_usable_in_a_record(a, is_lab=case.observation.is_lab)]
    if unusable:
        yield Finding(
            "private_ip",
            "error",
            f"{case.host} leads to {'a private or reserved address' if len(unusable) == 1 else 'reserved addresses'}"
            " that nobody on the internet can reach.",
            f"{case.chain.end}: {listed(unusable)}",
            f"Delete {listed(unusable)}. {case.fix}",
        )


def _text(record: Record) -> str:
    """Write a record as a zone file does."""
    return f"{record.name}.  {record.ttl}  {record.type}  {record.value}"
