"""Who is guilty, by numbers alone."""

from __future__ import annotations

import pytest

from deflect.diagnose.timeouts.verdict import Record, judge


def record(n: int = 1000, slow: int = 0, **others: float) -> Record:
    """Return the record of a route, by default of one that is as quick as can be."""
    values: dict[str, float] = {
        "n_requests": n,
        "n_timeouts": 0,
        "n_timeouts_behind": 0,
        "n_streams": 0,
        "n_judged": n,
        "n_slow": slow,
        "n_slow_answers": slow,
        "n_slow_alone": slow,
        "own_ms": 50.0 * n + 10_000.0 * slow,
        "own_p50_ms": 50.0,
        "own_p95_ms": 100.0 if slow < 0.05 * n else 10_000.0,
    }
    return Record(**(values | others))  # type: ignore[arg-type]


def test_slow_among_quick() -> None:
    """A route that is slow where all others are quick is a culprit."""
    assert judge([record(100, 60), record(), record()]) == ["culprit", "fine", "fine"]


def test_all_are_a_little_slow() -> None:
    """Where all routes seem slow now and then, the one that has it a little worse is not accused."""
    assert judge([record(1000, 120), *[record(1000, 80)] * 20])[0] != "culprit"


def test_no_culprit_hides_another() -> None:
    """Several culprits that are most of the requests are all found."""
    assert judge([record(1000, 990), record(1000, 700), record(300, 0)])[:2] == ["culprit", "culprit"]


@pytest.mark.parametrize(("n", "slow", "verdict"), [(2, 2, "fine"), (3, 3, "culprit"), (20, 3, "culprit")])
def test_few_requests(n: int, slow: int, verdict: str) -> None:
    """Two slow requests are chance, three among the few of a route are not where thousands of others were quick."""
    assert judge([record(n, slow, own_ms=1e6), record(5000)])[0] == verdict


def test_more_routes_need_more_proof() -> None:
    """What would convict one of two routes is expected somewhere among thousands."""
    suspect = record(40, 3, own_ms=1e6)
    assert judge([suspect, record(5000)])[0] == "culprit"
    assert judge([suspect, *[record(2)] * 2500])[0] != "culprit"


def test_nearly_alone() -> None:
    """Without others to compare with, nobody is accused on a handful of requests."""
    assert judge([record(3, 3), record(2)])[0] != "culprit"


def test_rare_slow_path_harms_nobody() -> None:
    """A slow route that holds hardly any of the time is called slow, and not accused."""
    assert judge([record(10, 8), record(100_000, own_ms=1e8)])[0] == "slow"


def test_only_timeouts_behind_others() -> None:
    """Without one slow answer, time-outs count against a route only where nobody else could be to blame."""
    behind = record(50, 20, n_timeouts=20, n_timeouts_behind=20, n_slow_answers=0, n_slow_alone=0)
    alone = record(50, 20, n_timeouts=20, n_slow_answers=0, n_slow_alone=15)
    assert judge([behind, record(5000)])[0] != "culprit"
    assert judge([alone, record(5000)])[0] == "culprit"


def test_log_of_timeouts_only() -> None:
    """A log that was cut down to its time-outs shows no culprit."""
    alone = record(50, 50, n_timeouts=50, n_slow_answers=0, n_slow_alone=50)
    assert judge([alone])[0] == "unclear"
    assert judge([alone, record(9)])[0] == "unclear"
    assert judge([alone, record(10)])[0] == "culprit"


def test_victim() -> None:
    """A quick route with time-outs behind others is a victim; of a route that is hardly known that cannot be said."""
    hit = {"n_timeouts": 4, "n_timeouts_behind": 4}
    assert judge([record(100, 60), record(500, 0, **hit), record(5, 0, **hit)])[1:] == ["victim", "unclear"]


def test_stream() -> None:
    """What answers in time, and goes on for longer than the limit, streams."""
    assert judge([record(100, n_streams=90, n_judged=10), record()])[0] == "stream"


def test_heavy_route() -> None:
    """Where no route is slow, time-outs are laid to one that takes seconds and a third of the time, if there is one."""
    heavy = record(500, own_p50_ms=3000.0, own_ms=1.5e6)
    assert judge([heavy, record(n_timeouts=5)])[0] == "culprit"
    assert judge([heavy, record()])[0] == "fine"


def test_nothing() -> None:
    """Routes of which nothing is known are fine."""
    assert judge([record(0)]) == ["fine"]
