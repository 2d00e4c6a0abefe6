"""Past incidents in training: which tickets are marked, what they weigh, and what the prior learns from them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest

from deflect.errors import ParameterError
from deflect.line.incident_prior import DEFAULT_LOG_ODDS, DEFAULT_TOUCHED, IncidentPrior
from deflect.loop.incident_windows import IncidentWindow, fit_incident_prior, mark, training_weights

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
WINDOW = IncidentWindow(NOON, NOON + HOUR, "major", ("dns",))


def marked(*times: datetime, windows: tuple[IncidentWindow, ...] = (WINDOW,)) -> list[int]:
    """Return the numbers of the windows of these times."""
    return mark(pd.Series(pd.to_datetime(list(times), utc=True)), windows).tolist()


def test_mark() -> None:
    """A ticket belongs to an incident from its first second until an hour after its last."""
    second = timedelta(seconds=1)
    times = NOON - second, NOON, NOON + 2 * HOUR, NOON + 2 * HOUR + second
    assert marked(*times) == [-1, 0, 0, -1]


def test_mark_overlaps() -> None:
    """Where incidents overlap, a ticket belongs to the first one named."""
    assert marked(NOON, windows=(WINDOW, WINDOW)) == [0]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_mark_any_resolution(unit: str) -> None:
    """Times are compared as they are, whatever resolution they are kept in."""
    times = pd.Series(pd.to_datetime([NOON], utc=True)).dt.as_unit(unit)
    assert mark(times, [WINDOW]).tolist() == [0]


@pytest.mark.parametrize(
    ("start", "end"), [(NOON, NOON - HOUR), (NOON.replace(tzinfo=None), NOON), (NOON, NOON.replace(tzinfo=None))]
)
def test_window_times(start: datetime, end: datetime) -> None:
    """An incident has aware times in order."""
    with pytest.raises(ParameterError, match="must have aware times, its end not before its start"):
        IncidentWindow(start, end)


def test_weights() -> None:
    """The tickets of one incident and one category weigh together as much as is allowed; all others weigh 1."""
    numbers = np.array([-1] * 30 + [0] * 40 + [0] * 4 + [1] * 20)
    categories = ["incident"] * 70 + ["dns"] * 4 + ["incident"] * 20
    weights = training_weights(numbers, categories, most=10)
    assert weights[:30].tolist() == [1] * 30
    assert [weights[30:70].sum(), weights[70:74].sum(), weights[74:].sum()] == pytest.approx([10, 4, 10])


def test_weights_without_incidents() -> None:
    """Without incidents every ticket weighs 1."""
    assert training_weights(np.full(3, -1), ["a", "b", "c"]).tolist() == [1, 1, 1]


def archive(n_inside: int, seed: int = 0) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Return 50,000 ordinary tickets, and some of a time in which incident is 12 times, dns 3 times as frequent."""
    rng = np.random.default_rng(seed)
    names = np.array(["incident", "dns", "other", "billing"])
    outside = rng.choice(names, 50_000, p=[0.05, 0.1, 0.6, 0.25])
    inside = rng.choice(names, n_inside, p=np.array([0.6, 0.3, 0.6, 0.25]) / 1.75)
    return [*outside, *inside], np.concatenate((np.full(50_000, -1), np.zeros(n_inside, dtype=np.int64)))


def test_prior_from_long_history() -> None:
    """With many tickets the log-odds are those of history."""
    categories, numbers = archive(20_000)
    prior = fit_incident_prior(categories, numbers, [WINDOW])
    assert prior.by_impact["major"] == pytest.approx(math.log(12), abs=0.05)
    assert prior.touched == pytest.approx(math.log(3), abs=0.05)


def test_prior_from_short_history() -> None:
    """With few tickets the log-odds lie between history and the default, the nearer to history the more tickets."""
    categories = ["incident"] * 100 + ["other"] * 1000 + ["incident"] * 40 + ["other"] * 10
    numbers = np.array([-1] * 1100 + [0] * 50)
    # 40 tickets of one incident weigh 10, so training has 110 to 1,010.
    history = math.log(40.5 / 10.5) - math.log(110.5 / 1010.5)
    precision = 1 / (1 / 40.5 + 1 / 10.5)
    expected = (history * precision + math.log(10)) / (precision + 1)
    assert fit_incident_prior(categories, numbers, [WINDOW]).by_impact["major"] == pytest.approx(expected, abs=1e-4)


def test_prior_of_incidents_only() -> None:
    """The log-odds count from what the classifier has learned, so tickets that only come in incidents stay finite."""
    categories = ["other"] * 1000 + ["other"] * 10 + ["incident"] * 100
    numbers = np.array([-1] * 1000 + [0] * 110)
    prior = fit_incident_prior(categories, numbers, [WINDOW])
    # By weight 10 of incident to 1,010 of other; in the window 100 to 10.
    assert prior.by_impact["major"] == pytest.approx(math.log(1000), abs=1.0)


def test_prior_without_history() -> None:
    """An impact that history lacks keeps its default, and without any incident all do."""
    categories, numbers = archive(1000)
    learned = fit_incident_prior(categories, numbers, [WINDOW])
    assert (learned.by_impact["minor"], learned.by_impact["major"]) != (DEFAULT_LOG_ODDS["minor"], math.log(10))
    assert learned.by_impact["critical"] == DEFAULT_LOG_ODDS["critical"]
    assert fit_incident_prior(categories, np.full(len(categories), -1), []) == IncidentPrior()
    assert fit_incident_prior(categories, np.full(len(categories), -1), [WINDOW]).touched == DEFAULT_TOUCHED


def test_prior_where_everything_is_touched() -> None:
    """Where incidents touched every category, they are compared with all but that of incidents."""
    whole = IncidentWindow(NOON, NOON + HOUR, "major", ("dns", "other", "billing"))
    prior = fit_incident_prior(*archive(20_000), [whole])
    assert prior.by_impact["major"] == pytest.approx(math.log(12 * 0.95 / 1.15), abs=0.05)
