"""Decides whether a probability is high enough to keep the promise, and remembers why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from deflect.errors import ParameterError

Per = Literal["overall", "category"]


@dataclass(frozen=True, slots=True)
class Threshold:
    """One promise and its evidence: of the tickets accepted, at least ``target_precision`` are right.

    ``category`` is None where the promise is about all categories together. ``threshold`` is None where no threshold
    keeps the promise; then ``n_accepted`` and ``n_right`` are 0 and ``lower_bound`` is 0. Of ``n_calibration``
    calibration tickets that were predicted as the category, ``n_accepted`` reached the threshold and ``n_right`` of
    these were right; ``lower_bound`` is the one-sided Clopper-Pearson bound of the precision at ``confidence``.
    ``n_needed`` is how many accepted tickets without an error the promise takes at the least.
    """

    category: str | None
    threshold: float | None
    target_precision: float
    confidence: float
    n_calibration: int
    n_accepted: int
    n_right: int
    lower_bound: float
    n_needed: int

    @property
    def coverage(self) -> float:
        """Return the accepted share of the calibration tickets."""
        return self.n_accepted / self.n_calibration if self.n_calibration else 0.0

    @property
    def precision(self) -> float:
        """Return the share of the accepted calibration tickets that were right; nan where none was accepted."""
        return self.n_right / self.n_accepted if self.n_accepted else float("nan")


@dataclass(frozen=True, slots=True)
class ScopeLimit:
    """Below which scope score a ticket is of no category, and its evidence.

    With ``confidence``, at most ``most_lost_fraction`` of the tickets that have a category lie below ``least``, if they
    are like the ``n_in_scope`` calibration tickets, of which ``n_in_scope_below`` do. Of the ``n_out_of_scope``
    calibration tickets of no category, ``n_out_of_scope_below`` do.

    Examples
    --------
    >>> ScopeLimit(-0.7, 0.02, 0.95, 1000, 12, 100, 40).recall
    0.4

    """

    least: float
    most_lost_fraction: float
    confidence: float
    n_in_scope: int
    n_in_scope_below: int
    n_out_of_scope: int
    n_out_of_scope_below: int

    @property
    def recall(self) -> float:
        """Return the share of the tickets of no category that it finds; nan where there was none."""
        return self.n_out_of_scope_below / self.n_out_of_scope if self.n_out_of_scope else float("nan")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What it takes for a prediction to be shown. ``fit_thresholds`` makes it; a bundle carries it.

    ``promises`` has one entry where ``per`` is "overall", and one for each category, in the order of ``categories``,
    where it is "category". ``scope`` is None where calibration tickets were too few to tell what is of no category.

    Examples
    --------
    >>> promise = Threshold(None, 0.8, 0.9, 0.95, 100, 60, 58, 0.9, 29)
    >>> thresholds = Thresholds("overall", ("dns", "timeout"), (promise,))
    >>> thresholds.least, thresholds.promise_of("dns").coverage
    ((0.8, 0.8), 0.6)

    """

    per: Per
    categories: tuple[str, ...]
    promises: tuple[Threshold, ...]
    scope: ScopeLimit | None = None

    @property
    def least(self) -> tuple[float, ...]:
        """Return for each category the least probability that is accepted; infinity where the category is silent."""
        values = [float("inf") if promise.threshold is None else promise.threshold for promise in self.promises]
        return tuple(values * len(self.categories) if self.per == "overall" else values)

    def accepts(self, proba: npt.ArrayLike) -> npt.NDArray[np.bool_]:
        """Tell for each ticket whether its most probable category is probable enough.

        Parameters
        ----------
        proba
            Probabilities, (n_tickets, n_categories), columns as in the classifier's ``classes_``.

        Returns
        -------
        One boolean a ticket, (n_tickets,).

        Raises
        ------
        ParameterError
            The number of columns is not the number of categories.

        Examples
        --------
        >>> promise = Threshold(None, 0.8, 0.9, 0.95, 100, 60, 58, 0.9, 29)
        >>> Thresholds("overall", ("dns", "timeout"), (promise,)).accepts([[0.9, 0.1], [0.4, 0.6]]).tolist()
        [True, False]

        """
        probabilities = np.asarray(proba, dtype=np.float64)
        if probabilities.ndim != 2 or probabilities.shape[1] != len(self.categories):
            msg = f"proba must have shape (n_tickets, {len(self.categories)}). Got {probabilities.shape} instead."
            raise ParameterError(msg)
        best = probabilities.argmax(axis=1)
        accepted: npt.NDArray[np.bool_] = probabilities[np.arange(len(best)), best] >= np.array(self.least)[best]
        return accepted

    def promise_of(self, category: str) -> Threshold:
        """Return the promise that a prediction of the category has to keep."""
        return self.promises[0 if self.per == "overall" else self.categories.index(category)]

    def to_dict(self) -> dict[str, object]:
        """Return plain data for a manifest."""
        scope = None if self.scope is None else asdict(self.scope)
        return {"per": self.per, "promises": [asdict(promise) for promise in self.promises], "scope": scope}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any], categories: Sequence[str]) -> Thresholds:
        """Make thresholds from the data of a manifest."""
        promises = tuple(Threshold(**promise) for promise in data["promises"])
        scope = data.get("scope")
        return cls(data["per"], tuple(categories), promises, None if scope is None else ScopeLimit(**scope))
