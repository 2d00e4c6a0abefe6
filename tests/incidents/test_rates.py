"""The rate model: its tail, its profile, and that it forgets."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from deflect.incidents.rates import DAY, HOUR, Baseline, Stream, upper_tail

WINDOWS = (900.0, 3600.0)


@pytest.mark.parametrize(("n", "mean"), [(1, 0.1), (3, 1.0), (20, 12.5)])
def test_tail_without_clumping(n: int, mean: float) -> None:
    """Without clumping, what a ticket sees of the others is Poisson."""
    assert upper_tail(n, mean, 1.0) == pytest.approx(stats.poisson.sf(n - 1, mean))


@pytest.mark.parametrize(("n", "mean", "dispersion"), [(1, 0.1, 1.5), (3, 1.0, 2.0), (20, 12.5, 4.0)])
def test_tail_with_clumping(n: int, mean: float, dispersion: float) -> None:
    """Clumping tickets see as many others as a window that is drawn by its size holds, less the ticket itself."""
    size = mean / (dispersion - 1)
    counts = np.arange(2000)
    biased = counts * stats.nbinom.pmf(counts, size, 1 / dispersion) / mean
    assert upper_tail(n, mean, dispersion) == pytest.approx(biased[n + 1 :].sum(), rel=1e-6)


def test_nobody_else() -> None:
    """Seeing nobody else is no surprise."""
    assert upper_tail(0, 0.0, 1.0) == 1.0


def fed(times: np.ndarray[tuple[int], np.dtype[np.float64]], half_life_days: float = 28) -> tuple[Baseline, Stream]:
    """Return a baseline and a stream that have seen tickets at these times."""
    baseline, stream = Baseline(half_life_days), Stream(WINDOWS)
    for at in times.tolist():
        baseline.advance(at)
        stream.add(at, baseline)
        baseline.learn(at)
    return baseline, stream


def test_profile() -> None:
    """An hour in which all tickets come weighs more than one in which none do; the week's mean is 1."""
    baseline, _ = fed(np.concatenate([day * DAY + 14 * HOUR + np.arange(20) * 60 for day in range(60)]))
    weights = [baseline.weight(day * DAY + hour * HOUR) for day in range(7) for hour in range(24)]
    assert np.mean(weights) == pytest.approx(1, abs=0.01)
    assert baseline.weight(14 * HOUR) > 15 * baseline.weight(3 * HOUR)


def test_expected() -> None:
    """Tickets that come once an hour are expected once an hour."""
    times = np.arange(24 * 100) * HOUR
    baseline, stream = fed(times)
    baseline.advance(times[-1] + HOUR)
    assert stream.add(times[-1] + HOUR, baseline)[1].expected == pytest.approx(1, rel=0.05)


def test_forgetting() -> None:
    """After two half-lives at a new rate, what is expected is three quarters of the way to it."""
    old = np.arange(24 * 400) * HOUR
    new = old[-1] + np.arange(1, 24 * 56 * 4) * HOUR / 4
    baseline, stream = fed(np.concatenate((old, new)))
    baseline.advance(new[-1] + 1)
    assert stream.add(new[-1] + 1, baseline)[1].expected == pytest.approx(1 + 0.75 * 3, rel=0.05)


def test_gap() -> None:
    """A stream that is cut off for a month is not taken for a month without tickets."""
    times = np.arange(24 * 100) * HOUR
    _, steady = fed(times)
    baseline, cut = fed(np.concatenate((times[:1200], times[1200:] + 30 * DAY)))
    assert baseline.watched_seconds == pytest.approx(times[-1] - HOUR)
    assert cut.count / baseline.exposure == pytest.approx(1 / HOUR, rel=0.1)
    assert steady.count > 0


def test_memory() -> None:
    """A stream keeps no more times than the bound, however many come."""
    _, stream = fed(np.arange(30_000) * 0.01)
    assert len(stream.times) <= 20_000
