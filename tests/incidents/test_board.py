"""The status board: which incident it shows to whom, what it says is on, and when it falls silent."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest

from deflect import Deflector
from deflect.errors import ParameterError
from deflect.incidents.board import StatusBoard
from deflect.incidents.snapshot import Incident, Snapshot, Update
from deflect.line.banner import Customer, Outlook

NOW = datetime(2026, 11, 23, 14, tzinfo=UTC)
DNS = Incident(
    "page",
    "1",
    "Custom domains do not resolve",
    "identified",
    "major",
    started_at=NOW - timedelta(minutes=30),
    url="https://status.example.com/1",
    components=("DNS",),
    updates=(Update(NOW, "investigating", "We look."), Update(NOW, "identified", "Name servers are slow.")),
)
BUILDS = Incident("page", "2", "Builds wait", "monitoring", "minor", started_at=NOW, components=("Builds",))
RESTART = Incident("page", "3", "Postgres restart", "in_progress", "maintenance", "maintenance", started_at=NOW)


@dataclass
class Page:
    """A source and a clock, both set by hand."""

    snapshot: Snapshot
    at: datetime = NOW
    n_read: int = field(default=0)

    def now(self) -> datetime:
        """Return the time."""
        return self.at


def board(*incidents: Incident, **parameters: float) -> StatusBoard:
    """Return a board of these incidents and maintenances."""
    kinds = {kind: tuple(i for i in incidents if i.kind == kind) for kind in ("incident", "maintenance")}
    page = Page(Snapshot(NOW, incidents=kinds["incident"], maintenances=kinds["maintenance"]))
    return StatusBoard(page, clock=page.now, **parameters)


def test_banner() -> None:
    """A banner has the incident's facts and the last update, whatever order others would list them in."""
    banner = board(DNS).banner("x", category="dns")
    assert (banner.level, banner.kind, banner.severity, banner.title) == ("banner", "incident", "major", DNS.title)
    assert (banner.update, banner.state, banner.started_at) == ("Name servers are slow.", "identified", DNS.started_at)
    assert (banner.url, banner.resolved_at, banner.as_of) == ("https://status.example.com/1", None, None)


def test_nothing_is_on() -> None:
    """Without incidents there is no banner, and the outlook is clear."""
    assert (board().banner("anything"), board().outlook(Customer())) == (None, Outlook())


@pytest.mark.parametrize("category", ["dns", "incident"])
def test_by_category(category: str) -> None:
    """A ticket of a category that the incident touches, or that is about incidents, gets the banner."""
    assert board(DNS).banner("nothing in common", category=category).level == "banner"


def test_by_other_category() -> None:
    """A ticket about something else gets a quiet line."""
    assert board(DNS).banner("my invoice", category="billing").level == "quiet"


def test_before_typing() -> None:
    """Before anything is typed a major incident has its banner, a minor one a quiet line."""
    assert [board(incident).banner().level for incident in (DNS, BUILDS)] == ["banner", "quiet"]


def test_the_nearest_first() -> None:
    """Of several incidents the one that concerns the ticket is shown, though another one is worse."""
    assert board(DNS, BUILDS).banner("my build waits", category="build-failure").title == "Builds wait"
    assert board(DNS, BUILDS).banner("my invoice", category="billing").title == DNS.title


def test_maintenance() -> None:
    """A maintenance is its own kind and look."""
    banner = board(RESTART).banner("x", category="database")
    assert (banner.kind, banner.severity, banner.head) == ("maintenance", "maintenance", "Maintenance")


def test_resolved() -> None:
    """A resolved incident is told for a grace time, with the time, and shifts nothing."""
    ended = replace(DNS, state="resolved", resolved_at=NOW - timedelta(minutes=59))
    found = board(ended)
    assert found.banner("x", category="dns").resolved_at == ended.resolved_at
    assert found.outlook(Customer()) == Outlook()
    assert board(ended, grace_seconds=600).banner("x", category="dns") is None


def test_outlook() -> None:
    """The outlook has the worst impact and every category touched; maintenance is no incident."""
    assert board(BUILDS, DNS, RESTART).outlook(Customer()) == Outlook("major", ("build-failure", "dns"))


def test_outlook_of_a_customer() -> None:
    """What is on elsewhere does not shift a customer's prior."""
    assert board(BUILDS, DNS).outlook(Customer(("Builds",))) == Outlook("minor", ("build-failure",))


def test_stale() -> None:
    """A stale snapshot is told with the time it was read, and after hours without contact no more."""
    page = Page(Snapshot(NOW, stale=True, incidents=(DNS,)))
    found = StatusBoard(page, clock=page.now)
    assert found.banner().as_of == NOW
    page.at = NOW + timedelta(hours=6, seconds=1)
    assert (found.banner(), found.outlook(Customer())) == (None, Outlook())


def test_fresh_snapshots() -> None:
    """A new snapshot is seen at once."""
    page = Page(Snapshot(NOW))
    found = StatusBoard(page, clock=page.now)
    assert found.banner() is None
    page.snapshot = Snapshot(NOW, incidents=(DNS,))
    assert found.banner().title == DNS.title


def test_many_incidents() -> None:
    """Of hundreds of incidents the newest count."""
    many = [replace(BUILDS, id=str(i), title=f"Incident {i}", started_at=NOW - timedelta(days=i)) for i in range(300)]
    assert board(*many).banner().title == "Incident 0"


@pytest.mark.parametrize("name", ["grace_seconds", "forget_seconds"])
def test_parameters(name: str) -> None:
    """Times are 0 or more."""
    with pytest.raises(ParameterError, match=rf"{name} must be 0 or more. Got -1 instead."):
        board(**{name: -1})


def test_with_a_deflector() -> None:
    """During a DNS incident, a ticket that looks like DNS gets the incident first and the DNS tool second."""
    deflector = Deflector.load(incidents=board(DNS))
    suggestion = deflector.suggest("Our custom domain still points to the old host, which CNAME do I set?")
    assert (suggestion.decision, suggestion.reason, suggestion.category) == ("suggest", "incident", "dns")
    assert (suggestion.banner.title, suggestion.tool.name) == (DNS.title, "DNS check")
