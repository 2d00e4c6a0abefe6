"""The surge monitor: its false alarms against the stated rate, what it sees, and what it says and keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deflect.errors import ParameterError
from deflect.incidents.snapshot import Incident, Snapshot
from deflect.incidents.surge import Surge, SurgeMonitor
from deflect.incidents.telling_words import TellingWords, masked_words

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY = timedelta(days=1)
MONTH_DAYS = 30.44
CATEGORIES = ("dns", "timeout", "billing", "other")


def days_of(n_days: int, per_day: float, rng: np.random.Generator, clump: float = 0.0) -> Iterator[datetime]:
    """Yield times of tickets: busier by day; with ``clump``, each hour's rate is drawn with that variance."""
    for hour in range(n_days * 24):
        profile = 1 + 0.8 * np.sin(2 * np.pi * hour / 24)
        rate = per_day / 24 * profile * (rng.gamma(1 / clump, clump) if clump else 1.0)
        for part in np.sort(rng.random(rng.poisson(rate))).tolist():
            yield START + timedelta(hours=hour + part)


def quiet(monitor: SurgeMonitor, text: str = "", n_days: int = 30, per_day: int = 24) -> datetime:
    """Let a monitor see ordinary days, and return when they end."""
    for i in range(n_days * per_day):
        monitor.add(START + i * DAY / per_day, text, "billing")
    return START + n_days * DAY


def wave(monitor: SurgeMonitor, at: datetime, n: int, text: str = "", category: str | None = "timeout") -> list[Surge]:
    """Let a monitor see tickets, one every 20 seconds."""
    return [surge for i in range(n) for surge in monitor.add(at + timedelta(seconds=20 * i), text, category)]


@pytest.mark.slow
@pytest.mark.parametrize("clump", [0.0, 0.2], ids=["Poisson", "clumping"])
def test_false_alarms(clump: float) -> None:
    """On tickets that come by chance, evenly or in clumps, alarms are no more frequent than stated."""
    rng = np.random.default_rng(7)
    n_days, stated = 1500, 4.0
    monitor = SurgeMonitor(false_alarms_per_month=stated)
    times = list(days_of(n_days, 24, rng, clump))
    n_alarms = sum(len(monitor.add(at, "", str(rng.choice(CATEGORIES)))) for at in times)
    # Two thirds of the stated rate are for all tickets and for categories; no texts are looked at here.
    assert n_alarms <= stated * 2 / 3 * n_days / MONTH_DAYS


def test_stated_rate_matters() -> None:
    """Who allows more false alarms is told sooner."""
    found = []
    for stated in (0.01, 100.0):
        monitor = SurgeMonitor(false_alarms_per_month=stated)
        at = quiet(monitor, n_days=15, per_day=240)
        found.append(wave(monitor, at, 60, category=None)[0].n_tickets)
    assert found[0] > found[1]


def test_category() -> None:
    """Tickets of a category that is rare otherwise are a surge of it."""
    monitor = SurgeMonitor()
    found = wave(monitor, quiet(monitor), 40)
    surge = next(surge for surge in found if surge.kind == "category")
    assert (surge.category, surge.n_tickets, surge.window_seconds) == ("timeout", 5, 900)
    assert surge.expected < 0.1


def test_once() -> None:
    """A surge is told once a kind while it lasts, and again when it comes back after a quiet time."""
    monitor = SurgeMonitor()
    end = quiet(monitor)
    first = wave(monitor, end, 100)
    again = wave(monitor, end + 5 * DAY, 100)
    assert [surge.kind for surge in first].count("category") == 1
    assert [surge.kind for surge in again].count("category") == 1


def test_similar() -> None:
    """Near copies of one text are a surge of their own, though nobody tells their category."""
    monitor = SurgeMonitor()
    at = quiet(monitor, "how do I change my card", n_days=15)
    found = wave(monitor, at, 40, "The export button of the reports page gives an empty file today", None)
    assert "similar" in {surge.kind for surge in found}


def test_warm_up() -> None:
    """Nothing is told before the monitor has watched for long enough."""
    monitor = SurgeMonitor(warm_up_days=31)
    assert wave(monitor, quiet(monitor), 40) == []


def test_few_tickets() -> None:
    """Fewer tickets than the least are never a surge."""
    monitor = SurgeMonitor(least_tickets=30)
    end = quiet(monitor)
    assert wave(monitor, end, 29) == []
    assert wave(monitor, end + timedelta(seconds=20 * 29), 3)[0].n_tickets == 30


def test_posted_incident() -> None:
    """An alarm names the incident that is posted already; one that is over counts as none."""
    on, over = (Incident("page", "1", "Routing is slow", state, "major") for state in ("identified", "resolved"))
    titles = []
    for incident in (on, over):
        monitor = SurgeMonitor(source=SimpleNamespace(snapshot=Snapshot(incidents=(incident,))))
        titles.append(wave(monitor, quiet(monitor), 20)[0].incident)
    assert titles == ["Routing is slow", ""]


def test_words() -> None:
    """An alarm has the words that many of its tickets share and that were rare before, and nothing that is private."""
    monitor = SurgeMonitor()
    at = quiet(monitor, "how do I change my card", n_days=15)
    found: list[Surge] = []
    for i in range(20):
        text = f"how do I stop H12, user{i}@example.com on shop{i}.example.com, key 48151623{i}, my name is Anna{i}"
        found += monitor.add(at + timedelta(seconds=20 * i), text, "timeout")
    words = next(surge for surge in found if surge.kind == "category").words
    assert "h12" in words
    assert not {"how", "card", "example", "com"} & set(words)
    assert not any("anna" in word or "48151623" in word for word in words)


def test_out_of_order() -> None:
    """A ticket that comes late counts as written with the newest, and nothing raises."""
    monitor = SurgeMonitor()
    at = quiet(monitor)
    assert wave(monitor, at - 3 * DAY, 20, category="timeout")[0].at == at - DAY / 24


def test_time_zone() -> None:
    """A time without a zone is refused."""
    with pytest.raises(ParameterError, match=r"at must have a zone. Got 2026-01-05T00:00:00 instead."):
        SurgeMonitor().add(START.replace(tzinfo=None))


@pytest.mark.parametrize(
    "parameters", [{"false_alarms_per_month": 0}, {"least_tickets": 1}, {"half_life_days": float("inf")}]
)
def test_parameters(parameters: dict[str, float]) -> None:
    """Parameters are above their least values."""
    name, value = next(iter(parameters.items()))
    with pytest.raises(ParameterError, match=rf"{name} must be above .*\. Got {value!r} instead\."):
        SurgeMonitor(**parameters)


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(0, 1e9), st.text(max_size=50), st.none() | st.text(max_size=5)), max_size=20))
def test_any_stream(rows: list[tuple[float, str, str | None]]) -> None:
    """No stream is too odd to be watched."""
    monitor = SurgeMonitor(warm_up_days=0, false_alarms_per_month=1e6)
    for seconds, text, category in rows:
        for surge in monitor.add(datetime.fromtimestamp(seconds, UTC), text, category):
            surge.to_text()


def test_memory() -> None:
    """Categories, groups and words are bounded, however many there are."""
    monitor = SurgeMonitor()
    for i in range(2500):
        monitor.add(
            START + timedelta(minutes=i), f"{i} entirely different {i * 7919} text {i * 104729}", f"category {i}"
        )
    assert len(monitor._categories) == 1000  # noqa: SLF001  # What is bounded is inside.
    assert len(monitor._groups._streams) <= 2048  # noqa: SLF001  # The same.


def test_word_memory() -> None:
    """The words of the past are bounded."""
    words = TellingWords(60.0)
    letters = np.random.default_rng(0).integers(97, 123, (40_000, 8)).astype(np.uint8)
    for i, row in enumerate(letters):
        words.add(i * 100.0, bytes(row).decode(), "", None)
    assert len(words._counts) <= 20_000  # noqa: SLF001  # What is bounded is inside.


@pytest.mark.parametrize(
    "text", ["bob@example.com", "https://example.com/token", "10.0.0.1", "a/b/c", "48151623", "x_y"]
)
def test_masking(text: str) -> None:
    """Addresses, hosts, paths and numbers are no words."""
    assert masked_words(text) == frozenset()


def test_to_dict() -> None:
    """An alarm as plain values has its time in ISO 8601."""
    surge = Surge(START, "all", "", 10, 900.0, 1.0, ("down",))
    assert surge.to_dict() == {
        "at": "2026-01-05T00:00:00+00:00",
        "kind": "all",
        "category": "",
        "n_tickets": 10,
        "window_seconds": 900.0,
        "expected": 1.0,
        "words": ["down"],
        "incident": "",
    }
