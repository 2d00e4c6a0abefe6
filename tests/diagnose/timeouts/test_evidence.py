"""Own time apart from waiting, on a few requests written by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.diagnose.timeouts.evidence import Evidence, weigh
from deflect.diagnose.timeouts.lines import TimingLine
from deflect.diagnose.timeouts.reader import REQUEST

H12 = 1
Row = tuple[float, float, int]
Weigh = Callable[..., Evidence]


def weighed(*rows: Row, codes: tuple[int, ...] = (), dynos: tuple[int, ...] = (), timings: object = None) -> Evidence:
    """Weigh requests, each its arrival and duration in seconds and its route."""
    requests = np.zeros(len(rows), REQUEST)
    requests["time"] = [at + took for at, took, _ in rows]
    requests["service"] = [took * 1000 for _, took, _ in rows]
    requests["route"] = [route for _, _, route in rows]
    requests["code"][: len(codes)] = codes
    requests["dyno"][: len(dynos)] = dynos
    requests["id"] = np.arange(1, len(rows) + 1)
    requests["status"] = 200
    return weigh(requests, H12, timings or {})  # type: ignore[arg-type]


def test_alone_on_an_idle_dyno() -> None:
    """A request that nobody was before had nobody to wait for."""
    evidence = weighed((0, 9, 1))
    assert (evidence.own[0], evidence.wait[0], evidence.is_behind[0]) == (9000, 0, False)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(1, 30), st.integers(0, 2), st.booleans()), min_size=1))
def test_in_flight_on_arrival(rows: list[tuple[int, int, int, bool]]) -> None:
    """What is beside a request, and whether its dyno was idle, is as counted one by one."""
    codes, dynos = tuple(H12 * late for *_, late in rows), tuple(dyno for _, _, dyno, _ in rows)
    evidence = weighed(*[(at, took, i) for i, (at, took, *_) in enumerate(rows)], codes=codes, dynos=dynos)
    for i, (arrival, _, place, _) in enumerate(rows):
        before = [(at + took, late) for at, took, dyno, late in rows if dyno == place and at < arrival]
        assert evidence.n_beside[i] == sum(leaves > arrival for leaves, _ in before)
        if sum(dyno == place for *_, dyno, _ in rows) == 1:
            assert evidence.wait[i] == 0
        elif any(leaves + 60 * late > arrival for leaves, late in before):
            assert evidence.wait[i] != 0 or len(near(rows, arrival, place)) > 1


def near(rows: list[tuple[int, int, int, bool]], arrival: int, place: int) -> list[int]:
    """Return the requests that arrived on a dyno within two moments."""
    return [i for i, (at, _, dyno, _) in enumerate(rows) if dyno == place and abs(at - arrival) <= 4]


def test_a_clock_of_another_century() -> None:
    """One request of 68.5 years ago does not make one dyno of two."""
    here = [(0.0, 9.0, 1), (1.0, 9.0, 2), (2.0, 9.0, 3)]
    evidence = weighed(*here, (-68.5 * 365.25 * 86400, 1, 4), dynos=(1, 2, 1, 1))
    assert evidence.n_beside.tolist() == [0, 0, 1, 0]


def test_shared_wait() -> None:
    """What all that arrive together take is waiting; what one takes longer is its own."""
    evidence = weighed((0, 12, 1), (0.1, 12.05, 2), (0.2, 12.1, 3), (0.3, 20, 4))
    assert evidence.own[:3].max() < 200
    assert evidence.own[3] == pytest.approx(8000, abs=100)
    assert evidence.wait[3] == pytest.approx(12_000, abs=100)


def test_each_route_has_one_vote() -> None:
    """Many slow requests of one route are no proof that all had to wait."""
    evidence = weighed(*[(i / 10, 9, 1) for i in range(10)], (0.05, 0.02, 2), (0.5, 0.03, 3))
    assert evidence.own[:10].tolist() == [9000] * 10


def test_nobody_to_compare_with() -> None:
    """A request that arrives alone on a busy dyno may have waited or worked: nothing is said."""
    evidence = weighed((0, 25, 1), (10, 16, 2), (12.5, 15, 3))
    assert evidence.own[0] == 25_000
    assert evidence.n_beside.tolist() == [0, 1, 2]
    assert np.isnan(evidence.wait[1])
    assert evidence.is_behind.tolist() == [False, True, True]


def test_unseen_work_after_a_timeout() -> None:
    """A dyno works on after a time-out, so what comes within a minute of it may have waited."""
    evidence = weighed((0, 30, 1), (40, 20, 2), (200, 20, 3), codes=(H12,))
    assert np.isnan(evidence.wait[1])
    assert evidence.is_behind.tolist() == [False, True, False]
    assert evidence.own[2] == 20_000


def test_last_to_leave_after_a_silence() -> None:
    """Where nothing left the dyno for long, what leaves it first has worked all the while."""
    evidence = weighed((0, 1, 9), (0.5, 15.5, 1), (3, 13.1, 2), (6, 10.2, 3))
    assert evidence.own[1] == pytest.approx(15_000, abs=600)
    assert evidence.own[2:].tolist() == [pytest.approx(100, abs=1)] * 2


def test_timeout_in_a_jam() -> None:
    """Where all wait until the limit, a time-out says nothing about its route's own work."""
    evidence = weighed((0, 30, 1), (0.1, 30, 2), (0.2, 30, 3), codes=(H12, H12, H12))
    assert np.isnan(evidence.own[1:]).all()


def test_dynos_apart() -> None:
    """What happens on another dyno says nothing."""
    evidence = weighed((0, 9, 1), (0.1, 9, 2), (0.2, 0.01, 3), (0.3, 0.01, 4), dynos=(1, 2, 3, 3))
    assert evidence.own[:2].tolist() == [9000, 9000]


def test_measured_by_the_app() -> None:
    """What the app measured is believed."""
    timings = {2: TimingLine("", 40.0, 11_900.0, 30.0)}
    evidence = weighed((0, 12, 1), (0.1, 12, 2), timings=timings)
    assert (evidence.own[1], evidence.wait[1], evidence.database[1]) == (40.0, 11_900.0, 30.0)
    assert evidence.is_measured.tolist() == [False, True]


def test_streams_and_missing_values() -> None:
    """An answer that went on for minutes streamed; a request without time or duration is not judged."""
    evidence = weighed((0, 120, 1), (0, math.nan, 2), (math.nan, 5, 3))
    assert evidence.is_stream.tolist() == [True, False, False]
    assert np.isnan(evidence.own).all()
