"""Thresholds: what they accept, and what they remember."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from deflect.errors import ParameterError
from deflect.line.thresholds import ScopeLimit, Threshold, Thresholds

CATEGORIES = ("billing", "dns", "timeout")
PROMISE = Threshold(
    category="billing",
    threshold=0.8,
    target_precision=0.9,
    confidence=0.95,
    n_calibration=80,
    n_accepted=60,
    n_right=57,
    lower_bound=0.875,
    n_needed=29,
)
SILENT = replace(PROMISE, category="dns", threshold=None, n_accepted=0, n_right=0, lower_bound=0.0)
LENIENT = replace(PROMISE, category="timeout", threshold=0.4)
PER_CATEGORY = Thresholds("category", CATEGORIES, (PROMISE, SILENT, LENIENT))
OVERALL = Thresholds("overall", CATEGORIES, (replace(PROMISE, category=None),))


def test_one_threshold_for_each_category() -> None:
    """A ticket is accepted where its most probable category reaches that category's own threshold, or exceeds it."""
    proba = [[0.8, 0.1, 0.1], [0.79, 0.11, 0.1], [0.3, 0.3, 0.4], [0.31, 0.3, 0.39]]
    assert PER_CATEGORY.accepts(proba).tolist() == [True, False, True, False]


def test_one_threshold_for_all() -> None:
    """A promise about all categories together has one threshold for each of them."""
    proba = [[0.8, 0.1, 0.1], [0.1, 0.1, 0.8], [0.1, 0.85, 0.05], [0.3, 0.3, 0.4]]
    assert OVERALL.accepts(proba).tolist() == [True, True, True, False]


def test_a_silent_category() -> None:
    """A category without a threshold never accepts, however probable it is."""
    assert PER_CATEGORY.accepts([[0.0, 1.0, 0.0]]).tolist() == [False]


def test_a_silent_promise_about_all() -> None:
    """A promise about all categories that no threshold keeps accepts nothing."""
    silent = Thresholds("overall", CATEGORIES, (replace(SILENT, category=None),))
    assert silent.accepts([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]]).tolist() == [False, False]


def test_least() -> None:
    """The least probabilities are the thresholds in the order of the categories, infinity for a silent one."""
    assert PER_CATEGORY.least == (0.8, math.inf, 0.4)
    assert OVERALL.least == (0.8, 0.8, 0.8)


def test_of_equal_probabilities_the_first_counts() -> None:
    """Where two categories are equally probable, the first one's threshold decides."""
    assert PER_CATEGORY.accepts([[0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]).tolist() == [False, False]


def test_no_tickets() -> None:
    """No tickets have no answers."""
    assert PER_CATEGORY.accepts(np.empty((0, 3))).tolist() == []


@pytest.mark.parametrize(
    ("proba", "shape"), [([[0.5, 0.5]], r"\(1, 2\)"), ([0.2, 0.3, 0.5], r"\(3,\)"), ([[[1, 0, 0]]], r"\(1, 1, 3\)")]
)
def test_a_wrong_shape(proba: list[object], shape: str) -> None:
    """Probabilities with another number of columns, or that are no table, are refused; the error names both shapes."""
    with pytest.raises(ParameterError, match=rf"proba must have shape \(n_tickets, 3\)\. Got {shape} instead\."):
        PER_CATEGORY.accepts(proba)


def test_the_promise_of_a_category() -> None:
    """Each category has its own promise, or all have the one."""
    assert PER_CATEGORY.promise_of("dns") is SILENT
    assert OVERALL.promise_of("dns") is OVERALL.promise_of("billing") is OVERALL.promises[0]


@pytest.mark.parametrize(
    "thresholds",
    [PER_CATEGORY, OVERALL, replace(OVERALL, scope=ScopeLimit(-0.5, 0.02, 0.95, 400, 3, 0, 0))],
    ids=["category", "overall", "scope"],
)
def test_round_trip(thresholds: Thresholds) -> None:
    """Thresholds come back from JSON as they were, with their evidence."""
    data = json.loads(json.dumps(thresholds.to_dict(), allow_nan=False))
    assert Thresholds.from_dict(data, list(CATEGORIES)) == thresholds


def test_figures() -> None:
    """Coverage is accepted of all, precision right of accepted; a silent category has coverage 0, no precision."""
    assert (PROMISE.coverage, PROMISE.precision) == (0.75, 0.95)
    assert SILENT.coverage == 0
    assert math.isnan(SILENT.precision)
    assert replace(SILENT, n_calibration=0).coverage == 0
