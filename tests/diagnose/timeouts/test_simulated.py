"""Logs of a simulated queue, whose culprits and victims are known: two dynos, 137 quick paths and 3 slow ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from deflect.diagnose import TimeoutsDiagnosis

Diagnose = Callable[[Iterable[str]], TimeoutsDiagnosis]
SLOW = {"/reports/{id}/export", "/api/v1/search/full", "/admin/invoices/{id}.pdf"}
#: With this seed there are about 500 time-outs, and three of four hit quick paths.
SEED = 5


@pytest.fixture(scope="module")
def requests(simulation: ModuleType) -> list[Any]:
    """Return the simulated requests."""
    return simulation.simulate(simulation.Plan(seed=SEED))


@pytest.fixture(scope="module")
def lines(simulation: ModuleType, requests: list[Any]) -> list[str]:
    """Return the log of the simulated requests."""
    return simulation.router_lines(requests)


def as_json(lines: list[str]) -> list[str]:
    """Return the lines as a log service writes them."""
    return [
        json.dumps({"timestamp": text[:32], "proc_id": "router", "message": text.partition("]: ")[2]}) for text in lines
    ]


@pytest.fixture(scope="module")
def diagnosis(diagnose: Diagnose, lines: list[str]) -> TimeoutsDiagnosis:
    """Return the diagnosis of that log."""
    return diagnose(lines)


def culprits(diagnosis: TimeoutsDiagnosis) -> set[str]:
    """Return the paths that are accused."""
    return {route.path for route in diagnosis.culprits}


def shifted(lines: list[str], seconds: Iterable[float]) -> list[str]:
    """Return the lines with their times moved."""
    moved = [datetime.fromisoformat(text[:32]).timestamp() + by for text, by in zip(lines, seconds, strict=True)]
    return [
        datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds") + text[32:]
        for at, text in zip(moved, lines, strict=True)
    ]


def test_most_timeouts_hit_innocent_paths(requests: list[Any]) -> None:
    """The log is worth the test: about 500 time-outs, most of them on paths that are quick by themselves."""
    hit = [request.path not in SLOW for request in requests if request.is_timeout]
    assert 400 < len(hit) < 600
    assert sum(hit) > 0.7 * len(hit)


def test_culprits_are_found_exactly(diagnosis: TimeoutsDiagnosis) -> None:
    """The three slow paths are accused, and none of the 137 others."""
    assert culprits(diagnosis) == SLOW


def test_victims_are_counted(diagnosis: TimeoutsDiagnosis, requests: list[Any]) -> None:
    """Each time-out of a quick path is said to have waited behind others."""
    innocent = sum(request.is_timeout and request.path not in SLOW for request in requests)
    assert sum(route.n_timeouts_behind for route in diagnosis.victims) == innocent
    [finding] = [finding for finding in diagnosis.findings if finding.check == "timeouts.victims"]
    assert finding.summary.startswith(f"{innocent} of {diagnosis.n_timeouts} H12s hit ")
    assert finding.severity == "notice"


def test_own_time_is_near_the_truth(diagnosis: TimeoutsDiagnosis, requests: list[Any]) -> None:
    """What is left without the wait is what the work really took, for quick paths in the jam as for others."""
    for route in diagnosis.routes:
        if route.verdict == "victim" and route.n_judged > 200:
            work = [request.work for request in requests if request.path == route.path]
            assert route.own_p50_ms == pytest.approx(1000 * float(np.median(work)), rel=0.4)
            assert route.p95_ms is not None
            assert route.own_p95_ms is not None
            assert route.own_p95_ms < 0.4 * route.p95_ms


def test_json_says_the_same(diagnose: Diagnose, diagnosis: TimeoutsDiagnosis, lines: list[str]) -> None:
    """A log service's JSON leads to the same figures as the printed log."""
    assert diagnose(as_json(lines)).routes == diagnosis.routes


def test_culprits_hold_the_time(diagnosis: TimeoutsDiagnosis) -> None:
    """The slow paths are 3 % of the requests and hold most of the dynos' time."""
    assert sum(route.share_fraction for route in diagnosis.culprits) > 0.75
    assert sum(route.n_requests for route in diagnosis.culprits) < 0.04 * diagnosis.n_requests


def test_timeouts_come_in_a_crowd(diagnosis: TimeoutsDiagnosis) -> None:
    """More requests were in flight when one timed out than usually."""
    assert diagnosis.n_beside_timeouts > 2 * diagnosis.n_beside


def test_timeline_adds_up(diagnosis: TimeoutsDiagnosis) -> None:
    """The time line has every request and time-out, and work of the culprits only while they were there."""
    assert sum(slot.n_requests for slot in diagnosis.timeline) == diagnosis.n_requests
    assert sum(slot.n_timeouts for slot in diagnosis.timeline) == diagnosis.n_timeouts
    first = datetime.fromisoformat(diagnosis.timeline[0].begins_at).timestamp()
    busy = [
        datetime.fromisoformat(s.begins_at).timestamp() - first for s in diagnosis.timeline if any(s.culprit_seconds)
    ]
    assert 290 < min(busy) < 330
    assert 1470 < max(busy) <= 1500


@pytest.mark.parametrize("spread", [0.5, 2.0, 5.0])
def test_times_that_tremble(diagnose: Diagnose, lines: list[str], spread: float) -> None:
    """Clocks that are wrong by seconds, so that lines are out of order, change nobody's guilt."""
    rng = np.random.default_rng(0)
    assert culprits(diagnose(shifted(lines, rng.normal(0, spread, len(lines))))) == SLOW


def test_dynos_with_clocks_of_their_own(diagnose: Diagnose, lines: list[str]) -> None:
    """A dyno whose lines are an hour late is judged by itself."""
    assert culprits(diagnose(shifted(lines, [3600.0 * ("dyno=web.2" in text) for text in lines]))) == SLOW


def test_lines_in_any_order(diagnose: Diagnose, lines: list[str]) -> None:
    """The order of the lines does not matter."""
    order = np.random.default_rng(0).permutation(len(lines))
    assert culprits(diagnose([lines[i] for i in order])) == SLOW


@pytest.mark.parametrize(
    ("field", "fraction"),
    [
        (r"service=\S* ", 0.1),
        (r"dyno=\S* ", 0.3),
        (r"path=\S* ", 0.1),
        (r"^\S* ", 0.1),
        (r"request_id=\S* ", 1.0),
        (r"status=\S* ", 0.5),
        (r"(?<=dyno=)\S*", 0.2),
        (r"(?<=service=)\S*", 0.1),
        (r"\.\d{6}", 1.0),
    ],
)
def test_missing_fields(diagnose: Diagnose, lines: list[str], field: str, fraction: float) -> None:
    """Where lines lack a field or its value, the others still tell."""
    rng = np.random.default_rng(0)
    poorer = [re.sub(field, "", text, count=1) if rng.random() < fraction else text for text in lines]
    assert culprits(diagnose(poorer)) == SLOW


def test_without_any_dyno(diagnose: Diagnose, lines: list[str]) -> None:
    """Without the dynos' names waits are guessed badly, and still nobody is accused falsely."""
    assert culprits(diagnose([re.sub(r"dyno=\S*", "dyno=", text) for text in lines])) <= SLOW


def test_without_any_time(diagnose: Diagnose, lines: list[str]) -> None:
    """Without times nothing is known about waiting: nobody is accused, and the diagnosis says why."""
    diagnosis = diagnose(text[33:] for text in lines)
    assert culprits(diagnosis) == set()
    assert "timeouts.culprit" in dict(diagnosis.skipped)
    assert [finding.check for finding in diagnosis.findings] == ["timeouts.unexplained"]


def test_split_lines(diagnose: Diagnose, lines: list[str]) -> None:
    """A line that was split in two at 10,000 bytes, each with its own head, counts once and in full."""
    rng = np.random.default_rng(0)
    pieces = []
    for text in lines:
        if rng.random() < 0.03:
            long = text.replace('" host=', "?" + "x" * 9_800 + '" host=', 1)
            pieces += [long[:10_000], long[:49] + long[10_000:]]
        else:
            pieces.append(text)
    diagnosis = diagnose(pieces)
    assert culprits(diagnosis) == SLOW
    assert diagnosis.n_requests == len(lines)


def test_another_language(diagnose: Diagnose, lines: list[str]) -> None:
    """Paths in another script are paths like others."""
    foreign = {
        "/reports": "/\u043e\u0442\u0447\u0451\u0442\u044b",
        "/users": "/%E7%94%A8%E6%88%B7",
        "search": "\u691c\u7d22",
    }
    written = [re.sub("/reports|/users|search", lambda found: foreign[found[0]], text) for text in lines]
    expected = {re.sub("/reports|search", lambda found: foreign[found[0]], path) for path in SLOW}
    assert culprits(diagnose(written)) == expected


def test_several_methods(diagnose: Diagnose, lines: list[str]) -> None:
    """A path with several methods is one finding that names them."""
    methods = ("GET", "POST")
    diagnosis = diagnose(text.replace("=GET", f"={methods[i % 2]}", 1) for i, text in enumerate(lines))
    assert culprits(diagnosis) == SLOW
    assert sum(finding.check == "timeouts.culprit" for finding in diagnosis.findings) == len(SLOW)


def test_measured_by_the_app(diagnose: Diagnose, requests: list[Any], lines: list[str]) -> None:
    """Where rack-timeout tells wait and work of each request, the victims are proved."""
    told = [
        f"{text[:33]}app[web.{request.dyno}]: source=rack-timeout id={request.request_id} "
        f"wait={request.wait * 1000:.0f}ms timeout=90000ms service={request.work * 1000:.0f}ms state=completed at=info"
        for text, request in zip(lines, requests, strict=True)
    ]
    diagnosis = diagnose(text for pair in zip(told, lines, strict=True) for text in pair)
    innocent = sum(request.is_timeout and request.path not in SLOW for request in requests)
    assert culprits(diagnosis) == SLOW
    assert sum(route.n_proved_victims for route in diagnosis.victims) == innocent


@pytest.mark.parametrize(
    "changes",
    [
        {"slow": {"/jobs/run": (60.0, 0.05)}},  # It never once answers in time.
        {"slow": {"/graphql": (3.0, 3.0)}, "requests_per_second": 2.0},  # Three of five requests.
        {"n_threads": 1, "n_dynos": 6, "slow": {"/reports/{id}": (12.0, 0.15)}},
        {"requests_per_second": 0.5, "seconds": 3600.0},  # Most quick paths are hardly ever asked for.
        {"slow_from": 0.0, "slow_until": 300.0, "seconds": 300.0},  # The log knows no better times.
    ],
    ids=["never in time", "most requests", "one thread", "little traffic", "no better times"],
)
def test_other_apps(simulation: ModuleType, diagnose: Diagnose, changes: dict[str, Any]) -> None:
    """Apps of another kind, too, have their culprits found exactly."""
    plan = simulation.Plan(seed=1, **changes)
    assert culprits(diagnose(simulation.router_lines(simulation.simulate(plan)))) == set(plan.slow)


def innocent_app(simulation: ModuleType, **changes: Any) -> list[Any]:  # noqa: ANN401 - a plan's fields, of many types.
    """Return requests of an app without a slow path."""
    return simulation.simulate(simulation.Plan(seed=3, slow={}, **changes))


def test_healthy_app(simulation: ModuleType, diagnose: Diagnose) -> None:
    """A healthy app has nothing wrong."""
    diagnosis = diagnose(simulation.router_lines(innocent_app(simulation)))
    assert diagnosis.is_fine
    assert diagnosis.findings == ()
    assert {route.verdict for route in diagnosis.routes} == {"fine"}


def test_everything_stands_still(simulation: ModuleType, diagnose: Diagnose) -> None:
    """Where all paths stood still for a while, such as behind a lock, none is accused."""
    stalled = [
        replace(request, wait=930 - request.arrival) if 860 < request.arrival < 930 else request
        for request in innocent_app(simulation)
    ]
    diagnosis = diagnose(simulation.router_lines(stalled))
    assert diagnosis.n_timeouts > 300
    assert [finding.check for finding in diagnosis.findings] == ["timeouts.unexplained"]


def test_too_much_traffic(simulation: ModuleType, diagnose: Diagnose) -> None:
    """Where there are only too many requests, none of the paths is accused."""
    diagnosis = diagnose(simulation.router_lines(innocent_app(simulation, requests_per_second=150.0, seconds=200.0)))
    assert diagnosis.n_timeouts > 1000
    assert culprits(diagnosis) == set()


def test_database_is_slow_for_all(simulation: ModuleType, diagnose: Diagnose) -> None:
    """Where the database makes all paths slow for minutes, none is accused."""
    rng = np.random.default_rng(0)
    slow = [
        replace(request, work=request.work * 20 * rng.lognormal(0, 1.5)) if 600 < request.arrival < 900 else request
        for request in innocent_app(simulation)
    ]
    diagnosis = diagnose(simulation.router_lines(slow))
    assert diagnosis.n_timeouts > 50
    assert culprits(diagnosis) == set()


def test_one_dyno_hangs(simulation: ModuleType, diagnose: Diagnose) -> None:
    """Where one dyno answers nothing any more, it is named, with the command that restarts it."""
    hung = [
        replace(request, wait=31.0) if request.dyno == 2 and 600 < request.arrival < 900 else request
        for request in innocent_app(simulation)
    ]
    [finding] = diagnose(simulation.router_lines(hung)).findings
    assert (finding.check, finding.fix) == ("timeouts.one_dyno", "heroku ps:restart web.2")


def test_release_is_named(simulation: ModuleType, diagnose: Diagnose, lines: list[str]) -> None:
    """A culprit that was not there before a release is first slow after it, not after earlier or later ones."""
    told = [
        f"{simulation.stamp(at)} app[api]: Release v{n} created by user a" for at, n in ((100, 6), (299, 7), (900, 8))
    ]
    diagnosis = diagnose(sorted([*lines, *told]))
    assert {route.since for route in diagnosis.culprits} == {"v7"}
    assert [release.name for release in diagnosis.releases] == ["v6", "v7", "v8"]


@pytest.mark.slow
def test_innocent_logs_accuse_nobody(simulation: ModuleType, diagnose: Diagnose) -> None:
    """In many logs of jams that no path is to blame for, at most one in a hundred accuses anybody."""
    n_accused = 0
    for seed in range(20):
        plan = simulation.Plan(seed=seed, slow={}, n_fast=30, requests_per_second=50.0, seconds=60.0, n_threads=2)
        n_accused += bool(culprits(diagnose(simulation.router_lines(simulation.simulate(plan)))))
    assert n_accused == 0
