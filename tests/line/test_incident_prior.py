"""The prior of incidents: Bayes' rule for changed frequencies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.line.banner import Outlook
from deflect.line.incident_prior import IncidentPrior

CATEGORIES = ("dns", "incident", "other")


@given(st.lists(st.floats(0.01, 1), min_size=3, max_size=3), st.sampled_from(["minor", "major", "critical", "unknown"]))
def test_odds(values: list[float], impact: str) -> None:
    """The odds of the incident against an untouched category rise by exactly what the prior says."""
    usual = np.array(values) / sum(values)
    prior = IncidentPrior()
    now = prior.shifted(usual, CATEGORIES, Outlook(impact, ()))
    assert now.sum() == pytest.approx(1)
    assert now[1] / now[2] == pytest.approx(usual[1] / usual[2] * math.exp(prior.by_impact[impact]))
    assert now[0] / now[2] == pytest.approx(usual[0] / usual[2])


def test_bayes() -> None:
    """Probabilities that are right under one frequency of categories are right under another after the shift."""
    likelihood = np.array([0.7, 0.2, 0.1])
    before, after = np.array([0.3, 0.1, 0.6]), np.array([0.3, 0.4, 0.6]) / 1.3
    usual = likelihood * before / (likelihood @ before)
    prior = IncidentPrior("incident", {"major": math.log(4)}, touched=0.0)
    expected = likelihood * after / (likelihood @ after)
    assert prior.shifted(usual, CATEGORIES, Outlook("major")) == pytest.approx(expected)


def test_an_impact_without_odds() -> None:
    """An impact that the prior does not know shifts nothing, neither does a touched category then."""
    assert IncidentPrior().log_odds(CATEGORIES, Outlook("none", ("dns",))).tolist() == [0, 0, 0]


def test_round_trip() -> None:
    """A prior that was written is read the same."""
    prior = IncidentPrior("outage", {"major": 1.25}, 0.5)
    assert IncidentPrior.from_dict(prior.to_dict()) == prior
