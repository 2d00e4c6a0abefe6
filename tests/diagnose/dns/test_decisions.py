"""Decisions on recorded answers: what the laboratory cannot show."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from deflect.diagnose import Diagnosis
from deflect.diagnose.dns.case import Case
from deflect.diagnose.dns.diagnosis import decide
from deflect.diagnose.dns.hostname import read_host
from deflect.diagnose.dns.observation import Delegation, NameServer, Observation, Page, Question, Record, Reply
from deflect.diagnose.dns.profile import load_profile

SERVER, RESOLVER = "198.41.0.4", "9.9.9.9"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def reply(name: str, kind: str, *records: tuple[str, str, str], server: str = SERVER, code: str = "NOERROR") -> Reply:
    """Record an answer; from a resolver if that is the server."""
    is_recursive = server == RESOLVER
    found = tuple(Record(owner, type_, 300, value) for owner, type_, value in records)
    question = Question(server, name, kind, is_recursive=is_recursive)
    return Reply(question, code=code, is_authoritative=not is_recursive, answer=found)


def diagnose(
    host: str,
    replies: Iterable[Reply],
    *,
    profile: str = "heroku",
    target: str = "",
    page: Page | None = None,
    has_sibling: bool = True,
) -> Diagnosis:
    """Decide on answers of one name server and one resolver."""
    name = read_host(host)
    servers = (NameServer(f"ns.{name.registrable}", (SERVER,)),)
    delegation = Delegation(name.registrable, "delegates", (f"ns.{name.registrable}",), servers)
    standard = [reply(name.registrable, "NS", (name.registrable, "NS", f"ns.{name.registrable}"))]
    standard += [reply(name.sibling, "A", (name.sibling, "A", "8.8.8.8"))] if has_sibling else []
    seen = Observation(name, NOW, (RESOLVER,), delegation, (*standard, *replies), page=page)
    return decide(Case(seen, load_profile(profile), target))


def problems(diagnosis: Diagnosis) -> list[str]:
    """Return the names of the problems."""
    return [finding.check for finding in diagnosis.findings if finding.is_problem]


def test_target_that_moves_is_no_measure() -> None:
    """Where the target's addresses change from answer to answer, an ALIAS that lags behind is not accused."""
    target = "a.herokudns.com"
    replies = [
        reply("example.com", "A", ("example.com", "A", "52.1.1.1")),
        reply(target, "A", (target, "A", "52.2.2.2"), server=RESOLVER),
        reply(target, "A", (target, "A", "52.3.3.3")),
    ]
    diagnosis = diagnose("example.com", replies, target=target)
    assert problems(diagnosis) == []
    assert "change from answer to answer" in dict(diagnosis.skipped)["rec.a_record"]


@pytest.mark.parametrize(
    ("profile", "host", "kind", "address"),
    [
        ("netlify", "example.com", "A", "75.2.60.5"),
        ("vercel", "example.com", "A", "76.76.21.21"),
        ("vercel", "example.com", "A", "216.198.79.1"),
        ("github-pages", "example.com", "A", "185.199.108.153"),
        ("github-pages", "example.com", "AAAA", "2606:50c0:8001::153"),
        ("render", "example.com", "A", "216.24.57.1"),
        ("fly", "example.com", "A", "66.241.124.10"),
        ("fly", "app.example.com", "AAAA", "2a09:8280:1::1"),
        ("cloudflare-pages", "example.com", "A", "104.16.1.1"),
        ("cloudflare-pages", "example.com", "AAAA", "2606:4700::1"),
    ],
)
def test_address_of_the_platform_is_right(profile: str, host: str, kind: str, address: str) -> None:
    """The addresses that a platform tells its customers to use are not accused."""
    assert problems(diagnose(host, [reply(host, kind, (host, kind, address))], profile=profile)) == []


@pytest.mark.parametrize(
    ("profile", "address", "check"),
    [
        ("netlify", "104.198.14.52", "rec.a_record"),
        ("github-pages", "192.30.252.153", "rec.a_record"),
        ("vercel", "8.8.4.4", "rec.a_record"),
        ("render", "104.16.1.1", "cdn.front"),
    ],
)
def test_address_of_another_is_wrong(profile: str, address: str, check: str) -> None:
    """Addresses of others, and those that the platform gave up, are named."""
    replies = [reply("example.com", "A", ("example.com", "A", address))]
    assert problems(diagnose("example.com", replies, profile=profile)) == [check]


@pytest.mark.parametrize("profile", ["netlify", "vercel", "github-pages", "fly", "render", "cloudflare-pages"])
def test_cname_to_the_platform_is_right(profile: str) -> None:
    """A sub-domain that leads to the platform is fine, whatever network the platform uses behind its name."""
    target = load_profile(profile).target_example.lower()
    chain = (("www.example.com", "CNAME", target), (target, "CNAME", "x.cloudfront.net"))
    replies = [
        reply("www.example.com", kind, *chain, ("x.cloudfront.net", "A", "104.16.1.1"), server=server)
        for kind in ("A", "CNAME")
        for server in (SERVER, RESOLVER)
    ]
    assert problems(diagnose("www.example.com", replies, profile=profile)) == []


def test_platforms_own_name_needs_nothing() -> None:
    """A name of the platform itself is not told to lead to the platform."""
    host = "shop-1.herokuapp.com"
    assert problems(diagnose(host, [reply(host, "A", (host, "A", "52.1.1.1"))])) == []


def test_failing_caa_answers_are_named() -> None:
    """Servers that fail at CAA while they answer the rest keep authorities from issuing."""
    host, target = "app.example.com", "a.herokudns.com"
    replies = [
        reply(host, "A", (host, "CNAME", target)),
        reply(host, "CAA", code="SERVFAIL"),
        reply(host, "CAA", code="SERVFAIL", server=RESOLVER),
    ]
    assert problems(diagnose(host, replies)) == ["caa.blocks"]


def test_caa_of_the_alias_decides() -> None:
    """The CAA records of the name that a CNAME leads to are looked at before those of the domain."""
    host, target = "app.example.com", "a.herokudns.com"
    replies = [
        reply(host, "A", (host, "CNAME", target)),
        reply(host, "CAA", (host, "CNAME", target)),
        reply(host, "CAA", (host, "CNAME", target), (target, "CAA", '0 issue "letsencrypt.org"'), server=RESOLVER),
        reply("example.com", "CAA", ("example.com", "CAA", '0 issue "digicert.com"')),
    ]
    assert problems(diagnose(host, replies)) == []


def test_newest_server_is_believed() -> None:
    """Of servers that disagree, the one with the highest serial number is right, and the other a matter of time."""
    host, other = "app.example.com", "199.9.14.201"
    delegation = Delegation("example.com", "unknown", (), (NameServer("ns.example.com", (SERVER, other)),))
    replies = tuple(
        found
        for server, serial, value in ((other, 1, "old.herokuapp.com"), (SERVER, 2, "a.herokudns.com"))
        for found in (
            reply("example.com", "SOA", ("example.com", "SOA", f"ns host {serial} 1 1 1 1"), server=server),
            reply(host, "A", (host, "CNAME", value), server=server),
        )
    )
    case = Case(Observation(read_host(host), NOW, (RESOLVER,), delegation, replies), load_profile("heroku"))
    assert [finding.check for finding in decide(case).findings] == ["prop.split"]


def test_waiting_ends_at_a_time() -> None:
    """How long old answers live is told as a time of day."""
    host = "app.example.com"
    stale = Reply(
        Question(RESOLVER, host, "A", is_recursive=True),
        code="NOERROR",
        answer=(Record(host, "CNAME", 5400, "old.example.net"),),
    )
    diagnosis = diagnose(host, [reply(host, "A", (host, "CNAME", "a.herokudns.com")), stale])
    finding = next(finding for finding in diagnosis.findings if finding.check == "prop.split")
    assert finding.fix == "Wait until 2026-11-23 13:30 UTC (in 1 h 30 min)."


def test_resolvers_are_compared_with_each_other() -> None:
    """Where the zone's servers cannot be asked, resolvers that disagree are still noticed."""
    host, other = "app.example.com", "8.8.8.8"
    replies = tuple(
        Reply(
            Question(server, host, "A", is_recursive=True), code="NOERROR", answer=(Record(host, "CNAME", 60, value),)
        )
        for server, value in ((RESOLVER, "a.herokudns.com"), (other, "old.herokuapp.com"))
    )
    seen = Observation(read_host(host), NOW, (RESOLVER, other), Delegation("example.com"), replies)
    found = decide(Case(seen, load_profile("heroku"))).findings
    assert [(finding.check, finding.severity) for finding in found] == [("prop.split", "notice")]


def test_sibling_shows_the_platforms_addresses() -> None:
    """Without a target, addresses at the apex are compared with those that www leads to."""
    target = "a.herokudns.com"
    www = [
        reply("www.example.com", "A", ("www.example.com", "CNAME", target), server=server)
        for server in (SERVER, RESOLVER)
    ]
    www.append(
        reply(
            "www.example.com", "AAAA", ("www.example.com", "CNAME", target), (target, "A", "52.1.1.1"), server=RESOLVER
        )
    )
    alias = reply("example.com", "A", ("example.com", "A", "52.1.1.1"))
    beside = reply("example.com", "A", ("example.com", "A", "52.1.1.1"), ("example.com", "A", "52.9.9.9"))
    assert diagnose("example.com", [*www, alias], has_sibling=False).findings == ()
    assert problems(diagnose("example.com", [*www, beside], has_sibling=False)) == ["rec.a_record"]


def test_unreachable_ipv6_is_not_accused() -> None:
    """A name server that has only IPv6 is not accused where nothing comes back: the way may be missing here."""
    host = "app.example.com"
    servers = (NameServer("ns1.example.com", (SERVER,)), NameServer("ns2.example.com", ("2001:500::1",)))
    delegation = Delegation("example.com", "unknown", (), servers)
    silent = Reply(Question("2001:500::1", host, "A"), "silent")
    replies = (reply(host, "A", (host, "CNAME", "a.herokudns.com")), silent)
    case = Case(Observation(read_host(host), NOW, (RESOLVER,), delegation, replies), load_profile("heroku"))
    assert decide(case).findings == ()


@pytest.mark.parametrize(("is_validated", "skipped"), [(False, True), (True, False)])
def test_resolver_that_does_not_validate_is_no_witness(is_validated: bool, skipped: object) -> None:  # noqa: FBT001  # A parameter of the test.
    """Of a signed domain, a resolver that does not validate cannot say that all is well."""
    host = "app.example.com"
    ds = Reply(
        Question(RESOLVER, "example.com", "DS", is_recursive=True),
        code="NOERROR",
        is_validated=is_validated,
        answer=(Record("example.com", "DS", 60, "1 13 2 00"),),
    )
    answers = [reply(host, "A", (host, "CNAME", "a.herokudns.com"), server=s) for s in (SERVER, RESOLVER)]
    assert ("dnssec.bogus" in dict(diagnose(host, [*answers, ds]).skipped)) is skipped


def test_unrelated_page_is_no_proof() -> None:
    """A page of the app itself, even a 404, does not mean that the domain is missing."""
    host = "app.example.com"
    page = Page("52.1.1.1", 404, (("server", "Heroku"),), "not found: no such app page")
    assert problems(diagnose(host, [reply(host, "A", (host, "CNAME", "a.herokudns.com"))], page=page)) == []


def test_page_is_known_by_its_header() -> None:
    """Some platforms say in a header that no app has the domain."""
    host = "app.example.com"
    page = Page("76.76.21.21", 404, (("x-vercel-error", "DEPLOYMENT_NOT_FOUND"),), "")
    answer = reply(host, "A", (host, "CNAME", "cname.vercel-dns.com"))
    assert problems(diagnose(host, [answer], profile="vercel", page=page)) == ["platform.not_added"]
