"""Diagnoses over real servers on loopback: each fault is named, and what is right is not accused."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Protocol

import pytest

from deflect.diagnose import Diagnosis, Network, diagnose_dns, diagnose_dns_async
from deflect.diagnose.dns.diagnosis import checks
from deflect.errors import DiagnosisError, OptionalDependencyError, ParameterError

RIGHT, APEX = "right.herokudns.com", "apex.herokudns.com"


class Laboratory(Protocol):
    """What conftest.py provides."""

    port: int
    resolver: str

    def network(self, **changes: object) -> Network:
        """Return what to ask."""

    def diagnose(self, host: str, target: str | None = None, **options: object) -> Diagnosis:
        """Diagnose a host."""


#: Host, expected target, check, severity, and words that must stand in summary, evidence or fix.
PLANTED = [
    ("www.unregistered.test", None, "zone.nxdomain", "critical", "Register or renew unregistered.test"),
    ("www.nobody.test", None, "zone.no_ns", "critical", "ns-x.nobody.test"),
    ("www.lame.test", None, "zone.lame", "critical", "refuses to answer"),
    ("www.silent.test", None, "zone.lame", "critical", "does not answer"),
    ("www.halflame.test", None, "zone.lame", "error", "ns-b.halflame.test"),
    ("www.mismatch.test", None, "zone.ns_mismatch", "warning", "ns-b.mismatch.test"),
    ("www.bogus.test", None, "dnssec.bogus", "error", "bogus.test are broken"),
    ("www.missing.test", RIGHT, "rec.missing", "error", f"www.missing.test.  CNAME  {RIGHT}."),
    ("app.targets.test", RIGHT, "rec.target_app_host", "error", f"app.targets.test.  CNAME  {RIGHT}."),
    ("app.targets.test", None, "rec.target_app_host", "error", "heroku domains --app"),
    ("ssl.targets.test", None, "rec.target_ssl_host", "error", "retired"),
    ("other.targets.test", RIGHT, "rec.target_other_app", "error", "other.herokudns.com"),
    ("gone.targets.test", None, "rec.target_other_app", "error", "does not exist"),
    ("park.targets.test", RIGHT, "rec.target_elsewhere", "error", "parking.example.net"),
    ("park.targets.test", None, "rec.target_elsewhere", "error", "parking.example.net"),
    ("nodot.targets.test", None, "rec.target_elsewhere", "error", "lacks the dot at its end"),
    ("pages.targets.test", None, "rec.target_elsewhere", "error", "a name of GitHub Pages"),
    ("stop.targets.test", RIGHT, "rec.target_elsewhere", "error", "good.test"),
    ("www.address.test", None, "rec.a_record", "error", "Delete: www.address.test.  A  198.51.100.7"),
    ("address.test", APEX, "rec.a_record", "error", f"address.test.  ALIAS (or ANAME)  {APEX}."),
    ("address.test", None, "rec.a_record", "notice", "--target"),
    ("beside.test", None, "rec.a_record", "notice", "--target"),
    ("stale.test", None, "rec.a_record", "error", "75.101.163.44"),
    ("beside.test", APEX, "rec.a_record", "error", "left beside the right ones"),
    ("ipv6.test", APEX, "rec.aaaa_elsewhere", "error", "2001:db8::5"),
    ("www.mixed.test", RIGHT, "rec.mixed", "error", "keep the CNAME"),
    ("top.test", APEX, "rec.cname_at_apex", "error", f"www.top.test.  CNAME  {APEX}."),
    ("www.double.test", RIGHT, "rec.double_name", "error", 'Type "www"'),
    ("shop.wild.test", RIGHT, "rec.wildcard_shadow", "notice", "*.wild.test"),
    ("long.targets.test", RIGHT, "rec.ttl_long", "notice", "24 h"),
    ("www.moved.test", RIGHT, "prop.split", "notice", "Wait until"),
    ("www.moved.test", RIGHT, "rec.ttl_long", "notice", "TTL"),
    ("www.behind.test", RIGHT, "prop.split", "notice", "serial 1"),
    ("www.caa.test", RIGHT, "caa.blocks", "error", 'caa.test.  CAA  0 issue "letsencrypt.org"'),
    ("shop.none.caa.test", RIGHT, "caa.blocks", "error", "do not allow letsencrypt.org"),
    ("shop.odd.caa.test", RIGHT, "caa.blocks", "error", "tbs"),
    ("shop.bound.caa.test", RIGHT, "caa.blocks", "warning", "accounturi"),
    ("front.test", APEX, "cdn.front", "warning", "grey cloud"),
    ("www.front.test", RIGHT, "cdn.front", "warning", "Cloudflare"),
    ("nowww.test", APEX, "www.missing", "warning", "www.nowww.test"),
    ("www.noapex.test", RIGHT, "apex.missing", "warning", "noapex.test.  ALIAS"),
    ("www.loop.test", RIGHT, "loop", "error", "www.loop.test -> app.loop.test -> www.loop.test"),
    ("www.long.test", RIGHT, "long_chain", "error", "13 CNAMEs"),
    ("www.private.test", RIGHT, "private_ip", "error", "10.0.0.5"),
    ("www.huge.test", RIGHT, "rec.a_record", "error", "more"),
]

#: Hosts whose set-up is right, with the target and without.
RIGHT_ONES = [
    ("www.good.test", RIGHT),
    ("www.good.test", None),
    ("WWW.Good.Test.", RIGHT),
    ("good.test", APEX),  # ALIAS at the apex
    ("flat.good.test", RIGHT),  # A provider that flattens CNAMEs
    ("slow.good.test", RIGHT),  # A long TTL, and nothing to change
    ("via.targets.test", RIGHT),  # Through a CNAME of one's own
    ("*.any.good.test", RIGHT),
    ("www.bücher.test", RIGHT),
    ("www.noted.test", RIGHT),
    ("noted.test", None),  # The provider notes its ALIAS
    ("clean.mixed.test", RIGHT),
    ("www.wild.test", RIGHT),  # A record of its own beside a wildcard
    ("short.long.test", RIGHT),
    ("shop.ok.caa.test", RIGHT),
    ("shop.mail.caa.test", RIGHT),
    ("*.w.caa.test", RIGHT),  # issuewild
    ("www.signed.test", RIGHT),
    ("www.big.test", RIGHT),
    ("lossy.test", APEX),
    ("www.lossy.test", RIGHT),
]


def found(diagnosis: Diagnosis) -> set[str]:
    """Return the names of the checks that found something."""
    return {finding.check for finding in diagnosis.findings}


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted[2]}-{planted[0]}")
def test_planted_fault_is_named(laboratory: Laboratory, planted: tuple[str, str | None, str, str, str]) -> None:
    """Each fault is named with its severity, its evidence and its fix."""
    host, target, check, severity, words = planted
    diagnosis = laboratory.diagnose(host, target)
    finding = next(finding for finding in diagnosis.findings if finding.check == check)
    assert finding.severity == severity
    assert words in f"{finding.summary}\n{finding.evidence}\n{finding.fix}"


@pytest.mark.parametrize(
    ("host", "target", "also"),
    [
        ("www.missing.test", RIGHT, set()),
        ("app.targets.test", RIGHT, set()),
        ("address.test", APEX, set()),
        ("beside.test", APEX, set()),
        ("ipv6.test", APEX, set()),
        ("www.mixed.test", RIGHT, set()),
        ("top.test", APEX, set()),
        ("www.double.test", RIGHT, {"rec.missing"}),
        ("www.loop.test", RIGHT, set()),
        ("www.long.test", RIGHT, set()),
        ("www.private.test", RIGHT, set()),
        ("www.bogus.test", RIGHT, set()),
        ("front.test", APEX, set()),
        ("www.silent.test", None, set()),
        ("www.lame.test", None, set()),
        ("www.mismatch.test", None, set()),
        ("www.moved.test", RIGHT, set()),
    ],
)
def test_nothing_else_is_accused(laboratory: Laboratory, host: str, target: str | None, also: set[str]) -> None:
    """One fault makes one problem, save where the same fault has two faces."""
    planted = {check for name, _, check, *_ in PLANTED if name == host}
    problems = {finding.check for finding in laboratory.diagnose(host, target).findings if finding.is_problem}
    assert problems <= planted | also


@pytest.mark.parametrize(("host", "target"), RIGHT_ONES)
def test_right_setup_is_not_accused(laboratory: Laboratory, host: str, target: str | None) -> None:
    """What is right comes out with no finding at all."""
    assert laboratory.diagnose(host, target).findings == ()


def test_every_check_is_listed(laboratory: Laboratory) -> None:
    """Nothing wrong found says what was looked at; only what needs more input is left out."""
    diagnosis = laboratory.diagnose("www.good.test", RIGHT)
    assert {*diagnosis.checked, *dict(diagnosis.skipped)} == set(checks())
    assert set(dict(diagnosis.skipped)) == {"platform.not_added", "platform.certificate"}


def test_unseen_is_not_checked(laboratory: Laboratory) -> None:
    """Where nobody answers for the host, its records do not count as checked."""
    diagnosis = laboratory.diagnose("www.lame.test")
    assert diagnosis.checked == ("name.invalid", "zone.nxdomain", "zone.no_ns", "zone.lame", "zone.ns_mismatch")


def test_zone_below_is_found(laboratory: Laboratory) -> None:
    """A host at the top of a zone of its own is an apex, though it is a sub-domain."""
    finding = next(f for f in laboratory.diagnose("team.deep.test", APEX).findings if f.check == "rec.a_record")
    assert "ALIAS" in finding.fix


def test_parent_is_found_without_roots(laboratory: Laboratory) -> None:
    """Without root servers, the walk begins where the resolver says."""
    assert "zone.ns_mismatch" in found(laboratory.diagnose("www.mismatch.test", network=laboratory.network(roots=())))


def test_blocked_port_is_no_lame_zone(laboratory: Laboratory) -> None:
    """Where no name server can be reached from here but the resolver answers, nobody is accused."""
    network = laboratory.network(roots=(), server_port=1)
    diagnosis = laboratory.diagnose("www.good.test", RIGHT, network=network)
    assert diagnosis.findings == ()
    assert "could be reached from here" in dict(diagnosis.skipped)["zone.lame"]


def test_resolvers_that_disagree(laboratory: Laboratory) -> None:
    """Each resolver is compared, and the one that is behind is named."""
    server = f"127.0.0.13:{laboratory.port}"
    network = laboratory.network(resolvers=(server, laboratory.resolver))
    finding = next(
        f for f in laboratory.diagnose("www.moved.test", network=network).findings if f.check == "prop.split"
    )
    assert f"resolver {laboratory.resolver}: shop-123.herokuapp.com" in finding.evidence
    assert server not in finding.evidence


@pytest.mark.parametrize("host", ["www.good.test", "app.corp", "localhost", "printer.local", "example"])
def test_private_name_is_refused(laboratory: Laboratory, host: str) -> None:
    """A name that is not public is refused unless asked for."""
    diagnosis = laboratory.diagnose(host, network=laboratory.network(allow_private=False))
    assert found(diagnosis) == {"name.invalid"}
    assert diagnosis.checked == ("name.invalid",)


def test_no_question_reaches_a_private_address() -> None:
    """A public name whose delegation leads to loopback makes nobody ask there."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as inside,
    ):
        resolver.bind(("127.0.0.1", 0))
        inside.bind(("127.0.0.19", 0))
        inside.settimeout(0.01)
        thread = Thread(target=_lead_inside, args=(resolver,), daemon=True)
        thread.start()
        network = Network((f"127.0.0.1:{resolver.getsockname()[1]}",), server_port=inside.getsockname()[1])
        diagnosis = diagnose_dns("www.inside.com", network=network, with_page=True)
        resolver.sendto(b"", resolver.getsockname())
        thread.join()
        with pytest.raises(TimeoutError):
            inside.recv(100)
    assert "not asked" in " ".join([*dict(diagnosis.skipped).values(), *(f.evidence for f in diagnosis.findings)])


def _lead_inside(resolver: socket.socket) -> None:
    """Answer every question with name servers and addresses on loopback."""
    import dns.flags
    import dns.message
    import dns.rdatatype
    import dns.rrset

    while packet := (answer := resolver.recvfrom(65535))[0]:
        query = dns.message.from_wire(packet)
        name, kind = query.question[0].name, dns.rdatatype.to_text(query.question[0].rdtype)
        reply = dns.message.make_response(query)
        values = {"NS": "ns.inside.com.", "A": "127.0.0.19"}
        if kind in values:
            reply.answer = [dns.rrset.from_text(name, 60, "IN", kind, values[kind])]
        resolver.sendto(reply.to_wire(), answer[1])


@pytest.mark.parametrize(
    "host", ["", ".", "a" * 300, "x." * 200 + "com", "a" * 5_000_000, "www..example.com", "\x00", "-a.com", "*.*.com"]
)
def test_hostile_name_is_a_finding(host: str) -> None:
    """What is no name is said so, without a question."""
    diagnosis = diagnose_dns(host, network=Network(resolvers=("192.0.2.1",)))
    assert [finding.check for finding in diagnosis.findings] == ["name.invalid"]
    assert diagnosis.exit_code == 1


def test_pasted_url_is_looked_at(laboratory: Laboratory) -> None:
    """Of a pasted URL the host is used, and the cleaned form is given."""
    diagnosis = laboratory.diagnose("https://Joe@www.good.test:443/path?q#f", RIGHT)
    assert [(f.check, f.fix) for f in diagnosis.findings] == [("name.invalid", "Use www.good.test")]
    assert "rec.missing" in diagnosis.checked


def test_silence_everywhere_cannot_be_looked_at() -> None:
    """Where no resolver answers, no domain is accused."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        network = Network((f"127.0.0.1:{silent.getsockname()[1]}",), timeout_seconds=0.5)
        with pytest.raises(DiagnosisError, match=r"A DNS resolver must answer. Got only silent"):
            diagnose_dns("www.example.com", network=network)


def test_garbage_cannot_be_looked_at() -> None:
    """A resolver that sends garbage is a resolver that does not answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as garbage:
        garbage.bind(("127.0.0.1", 0))

        def answer() -> None:
            while packet := (came := garbage.recvfrom(65535))[0]:
                garbage.sendto(packet[:2] + b"\xff" * 40, came[1])

        thread = Thread(target=answer, daemon=True)
        thread.start()
        network = Network((f"127.0.0.1:{garbage.getsockname()[1]}",), timeout_seconds=0.5)
        with pytest.raises(DiagnosisError, match="must answer"):
            diagnose_dns("www.example.com", network=network)
        garbage.sendto(b"", garbage.getsockname())
        thread.join()


def test_short_time_is_enough_for_silence(laboratory: Laboratory) -> None:
    """The waits are shares of the time limit: with a short one, a server that never answers is still found."""
    diagnosis = laboratory.diagnose("www.silent.test", network=laboratory.network(timeout_seconds=1))
    assert "zone.lame" in found(diagnosis)


def test_silent_resolver_beside_another(laboratory: Laboratory) -> None:
    """A resolver that never answers does not keep the others from being heard."""
    network = laboratory.network(resolvers=(laboratory.resolver, f"127.0.0.15:{laboratory.port}"), timeout_seconds=2)
    diagnosis = laboratory.diagnose("app.targets.test", network=network)
    assert "rec.target_app_host" in found(diagnosis)


def test_query_budget_holds(laboratory: Laboratory) -> None:
    """When the budget is used up, nobody is accused of what was not asked, and the diagnosis says so."""
    diagnosis = laboratory.diagnose("www.good.test", RIGHT, network=laboratory.network(max_queries=30))
    assert diagnosis.is_fine
    assert ("some questions", "the budget of 30 queries was used up") in diagnosis.skipped


def test_target_must_be_a_name(laboratory: Laboratory) -> None:
    """An expected target that is no name is an error of whoever asks."""
    with pytest.raises(ParameterError, match="target must be a host name"):
        laboratory.diagnose("www.good.test", "not a name")


def test_missing_extra_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, the error is the command that installs it."""
    monkeypatch.setitem(sys.modules, "publicsuffixlist", None)
    with pytest.raises(OptionalDependencyError, match=r"pip install 'ticket-deflect\[dns\]'"):
        diagnose_dns("www.example.com")


def test_inside_an_event_loop(laboratory: Laboratory) -> None:
    """A service that already runs an event loop diagnoses several hosts side by side."""

    async def both() -> list[Diagnosis]:
        hosts = ("www.good.test", "app.targets.test")
        return await asyncio.gather(*[diagnose_dns_async(h, network=laboratory.network()) for h in hosts])

    assert [diagnosis.is_fine for diagnosis in asyncio.run(both())] == [True, False]


class UnknownHost(BaseHTTPRequestHandler):
    """Answers as the platform does for a host that is on no app."""

    def do_GET(self) -> None:
        """Answer."""
        body = b'<iframe src="//www.herokucdn.com/error-pages/no-such-app.html"></iframe>'
        self.send_response(404 if self.headers["Host"] == "www.page.test" else 500)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def http_port() -> Iterator[int]:
    """Serve the platform's page for unknown hosts."""
    with HTTPServer(("127.0.0.1", 0), UnknownHost) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_domain_that_is_not_added(laboratory: Laboratory, http_port: int) -> None:
    """The platform's page for unknown hosts shows that the domain is on no app."""
    network = laboratory.network(http_port=http_port)
    findings = laboratory.diagnose("www.page.test", network=network, with_page=True).findings
    assert "heroku domains:add www.page.test --app YOUR-APP" in [
        finding.fix for finding in findings if finding.check == "platform.not_added"
    ]


def test_page_that_cannot_be_fetched(laboratory: Laboratory) -> None:
    """A web server that cannot be reached is no reason to accuse."""
    network = laboratory.network(http_port=1)
    diagnosis = laboratory.diagnose("www.page.test", network=network, with_page=True)
    assert "ConnectionRefusedError" in dict(diagnosis.skipped)["platform.not_added"]


@pytest.mark.parametrize(("status", "severity"), [("ok", "info"), ("FAILED", "error"), ("odd", "notice")])
def test_certificate_status_is_explained(laboratory: Laboratory, status: str, severity: str) -> None:
    """The status of the platform's API is explained."""
    findings = laboratory.diagnose("www.good.test", RIGHT, acm_status=status).findings
    assert [(finding.check, finding.severity) for finding in findings] == [("platform.certificate", severity)]
