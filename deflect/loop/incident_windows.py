"""Marks the tickets of past incidents, so that a model neither learns from them too much nor promises by them.

While an incident is on, people describe symptoms: hundreds of tickets say "timeout" and mean the incident. Learned like
any others they teach that "timeout" means incident, at all times. So the tickets that one incident brought to a
category weigh no more together than a few ordinary ones; no promise is proved on them; and how much more frequent the
category of incidents was becomes the ``IncidentPrior``, which applies only while an incident is on.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deflect.errors import ParameterError
from deflect.line.hashing import Ints
from deflect.line.incident_prior import DEFAULT_LOG_ODDS, DEFAULT_TOUCHED, IncidentPrior
from deflect.line.scorer import Float64s

if TYPE_CHECKING:
    import pandas as pd

#: People go on writing about an incident for so long after it was resolved.
_TAIL = timedelta(hours=1)
#: So many tickets' weight is what one incident can add to a category.
_MOST_WEIGHT = 10.0
#: How far a platform is thought to lie from the stated defaults, as a standard deviation of log-odds.
_DEFAULT_SPREAD = 1.0


@dataclass(frozen=True, slots=True)
class IncidentWindow:
    """When an incident was on, its impact, and the categories that it touched.

    Examples
    --------
    >>> from datetime import UTC
    >>> noon = datetime(2026, 11, 23, 12, tzinfo=UTC)
    >>> IncidentWindow(noon, noon + timedelta(minutes=90), "major", ("dns",)).touched
    ('dns',)

    """

    started_at: datetime
    ended_at: datetime
    impact: str = "unknown"
    touched: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.started_at.tzinfo is None or self.ended_at.tzinfo is None or self.ended_at < self.started_at:
            msg = (
                "An incident must have aware times, its end not before its start. "
                f"Got {self.started_at} to {self.ended_at}. Add the zone, or leave the incident out."
            )
            raise ParameterError(msg)


def mark(times: pd.Series, windows: Sequence[IncidentWindow]) -> Ints:
    """Return the number of the window in which each ticket was written, or an hour after it; -1 for none."""
    seconds = times.to_numpy(dtype="datetime64[ns]").astype(np.int64) / 1e9
    numbers = np.full(len(seconds), -1)
    for number, window in reversed(list(enumerate(windows))):
        is_in = (seconds >= window.started_at.timestamp()) & (seconds <= (window.ended_at + _TAIL).timestamp())
        numbers[is_in] = number
    return numbers


def training_weights(numbers: Ints, categories: Sequence[str], most: float = _MOST_WEIGHT) -> Float64s:
    """Return a weight for each ticket: those of one window and one category weigh ``most`` together, if not less."""
    weights = np.ones(len(numbers))
    in_windows = np.flatnonzero(numbers >= 0)
    if len(in_windows):
        keys = [(int(numbers[i]), categories[i]) for i in in_windows.tolist()]
        names = {key: place for place, key in enumerate(dict.fromkeys(keys))}
        groups = np.array([names[key] for key in keys])
        weights[in_windows] = np.minimum(1.0, most / np.bincount(groups)[groups])
    return weights


def fit_incident_prior(
    categories: Sequence[str], numbers: Ints, windows: Sequence[IncidentWindow], *, category: str = "incident"
) -> IncidentPrior:
    """Return the log-odds that incidents added to categories in history, drawn towards the defaults where it is short.

    In the tickets of windows, each count is compared with the one to be expected from training: so many, by weight, for
    each ticket of the categories that no window touches. With observed O, expected E, and R tickets of those categories
    in the windows, the log-odds are ln((O + 1/2) / (E + E / 2R)), of variance 1 / (O + 1/2) + 1 / (R + 1/2); they are
    averaged with the default, of variance 1, by precision.
    """
    truth, windows = np.asarray(categories, dtype=object), list(windows)
    counted = _Counts(truth, numbers, windows, category)
    by_impact: dict[str, float] = {}
    for impact, default in DEFAULT_LOG_ODDS.items():
        places = [number for number, window in enumerate(windows) if window.impact == impact]
        by_impact[impact] = counted.log_odds(dict.fromkeys(places, (category,)), default)
    touched = {number: window.touched for number, window in enumerate(windows) if window.impact in DEFAULT_LOG_ODDS}
    return IncidentPrior(category, by_impact, counted.log_odds(touched, DEFAULT_TOUCHED))


class _Counts:
    """Counts of tickets by window and category, against categories that no incident touches."""

    def __init__(
        self, truth: npt.NDArray[np.object_], numbers: Ints, windows: Sequence[IncidentWindow], category: str
    ) -> None:
        touched = {category, *(name for window in windows for name in window.touched)}
        is_reference = ~np.isin(truth, list(touched)) if set(truth) - touched else truth != category
        self._truth, self._numbers = truth, numbers
        self._n_reference = np.bincount(numbers[is_reference] + 1, minlength=len(windows) + 1)
        # The prior that a classifier has learned is that of the weighted tickets.
        self._weights = training_weights(numbers, truth.tolist())
        self._reference_weight = float(self._weights[is_reference].sum())

    def log_odds(self, wanted: Mapping[int, Sequence[str]], default: float) -> float:
        """Return by how much the categories named for each window were more frequent in it."""
        pairs = [(number, name) for number, names in wanted.items() for name in names]
        n_reference = float(sum(self._n_reference[number + 1] for number in {number for number, _ in pairs}))
        if not n_reference:
            return default
        observed = float(sum(((self._numbers == number) & (self._truth == name)).sum() for number, name in pairs))
        expected = sum(float(self._n_reference[number + 1]) * self._usual_odds(name) for number, name in pairs)
        found = math.log((observed + 0.5) / (expected * (1 + 0.5 / n_reference)))
        precision = 1 / (1 / (observed + 0.5) + 1 / (n_reference + 0.5))
        prior_precision = 1 / _DEFAULT_SPREAD**2
        # Four digits are all that some hundred tickets can tell, and make a bundle the same on every machine.
        return round((found * precision + default * prior_precision) / (precision + prior_precision), 4)

    def _usual_odds(self, name: str) -> float:
        return (float(self._weights[self._truth == name].sum()) + 0.5) / (self._reference_weight + 0.5)
