"""Turns margins into probabilities, and measures how true probabilities are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from deflect.line.scorer import Float64s, softmax

Ints = npt.NDArray[np.int64]
#: How firmly scales stay near each other and shifts near zero: what is best lies between, and half of the tickets tell.
_RIDGES = (3.0, 30.0, 300.0)


class HeldOut(NamedTuple):
    """What a model says of tickets that it has not seen, and what they are.

    ``margins`` (n_tickets, n_categories) are those that certainty has made smaller (``Scored.certainty``), which is
    ``certainty`` (n_tickets,); ``numbers`` (n_tickets,) are the true categories, ``costs`` what each ticket counts.
    """

    margins: Float64s
    certainty: Float64s
    numbers: Ints
    costs: Float64s

    def part(self, chosen: slice) -> HeldOut:
        """Return some of the tickets."""
        return HeldOut(self.margins[chosen], self.certainty[chosen], self.numbers[chosen], self.costs[chosen])


@dataclass(frozen=True, eq=False)
class Calibration:
    """Turns margins into the logits of a softmax: certainty * sharpness * (scales * margin + shifts).

    ``scales`` and ``shifts``, (n_categories,), move a category against the others: one against the rest, a category of
    few tickets learns margins that are too small. They become part of the table, so that they cost nothing later.
    """

    sharpness: float
    scales: Float64s
    shifts: Float64s

    def logits(self, tickets: HeldOut) -> Float64s:
        """Return the logits of tickets."""
        return self.sharpness * (self.scales * tickets.margins + np.outer(tickets.certainty, self.shifts))


def fit_calibration(tickets: HeldOut) -> Calibration:
    """Return the calibration with the least log loss on tickets held out, each ridge tried on halves of them.

    Vector scaling (Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2), with a ridge.
    """
    sharpness = fit_sharpness(tickets.margins, tickets.numbers, tickets.costs)
    halves = tickets.part(slice(0, None, 2)), tickets.part(slice(1, None, 2))
    losses = [
        sum(_loss(_scaled(own, sharpness, ridge), other) for own, other in (halves, halves[::-1])) for ridge in _RIDGES
    ]
    return _scaled(tickets, sharpness, _RIDGES[int(np.argmin(losses))])


def _loss(calibration: Calibration, tickets: HeldOut) -> float:
    return log_loss(softmax(calibration.logits(tickets)), tickets.numbers, tickets.costs) if len(tickets.numbers) else 0


def _scaled(tickets: HeldOut, sharpness: float, ridge: float) -> Calibration:
    """Return the calibration with the least log loss plus ridge times the squares of ln(scales) and of the shifts."""
    from scipy.optimize import minimize

    margins, certainty, numbers, costs = tickets
    n_categories = margins.shape[1]
    truth = np.zeros_like(margins)
    truth[np.arange(len(numbers)), numbers] = 1
    shares = (costs / max(costs.mean(), 1e-12))[:, None] if len(costs) else np.ones((0, 1))

    def penalised(values: Float64s) -> tuple[float, Float64s]:
        scales, shifts = np.exp(values[:n_categories]), values[n_categories:]
        probabilities = softmax(sharpness * scales * margins + np.outer(certainty, shifts))
        errors = shares * (probabilities - truth)
        loss = float((-np.log(np.maximum(probabilities, 1e-15)) * truth * shares).sum() + ridge * (values**2).sum())
        slopes = np.concatenate(((errors * margins).sum(axis=0) * sharpness * scales, certainty @ errors))
        return loss, slopes + 2 * ridge * values

    found = minimize(penalised, np.zeros(2 * n_categories), jac=True, method="L-BFGS-B", options={"ftol": 1e-9})
    # A hundredth is all that held-out tickets can tell, and makes a bundle the same on every machine.
    values = np.round(found.x, 2)
    return Calibration(sharpness, np.exp(values[:n_categories]), values[n_categories:] / sharpness)


def fit_sharpness(margins: Float64s, y: Ints, weights: Float64s) -> float:
    """Return the inverse temperature with the least log loss on tickets that the margins were not fitted on.

    Temperature scaling (Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2): one number,
    which leaves the order of the categories as it is. One ticket more is counted, like all others and of any category
    with the same chance: a few tickets that are all right must not make a model sure without bounds (as the smoothed
    targets of Platt, "Probabilistic outputs for support vector machines", 1999, section 2.2).
    """
    from scipy.optimize import minimize_scalar

    one_more = 1 / max(float(weights.sum()), 1.0)

    def loss(log_sharpness: float) -> float:
        losses = -np.log(np.maximum(softmax(margins * np.exp(log_sharpness)), 1e-15))
        own = losses[np.arange(len(y)), y] + one_more * losses.mean(axis=1)
        return float(np.average(own, weights=weights))

    found = minimize_scalar(loss, bounds=(np.log(0.1), np.log(100)), method="bounded", options={"xatol": 1e-4})
    # Four digits are all that a few hundred tickets can tell, and make a bundle the same on every machine.
    return float(f"{np.exp(found.x):.4g}")


def log_loss(probabilities: Float64s, y: Ints, weights: Float64s | None = None) -> float:
    """Return the mean of -ln(probability of the true category)."""
    chosen = np.maximum(probabilities[np.arange(len(y)), y], 1e-15)
    return float(np.average(-np.log(chosen), weights=weights))


def brier_score(probabilities: Float64s, y: Ints) -> float:
    """Return the mean squared distance between the probabilities and the truth (Brier 1950), from 0 to 2."""
    truth = np.zeros_like(probabilities)
    truth[np.arange(len(y)), y] = 1
    return float(((probabilities - truth) ** 2).sum(axis=1).mean())


def expected_calibration_error(confidences: Float64s, is_right: npt.NDArray[np.bool_], n_bins: int = 15) -> float:
    """Return the mean distance between confidence and accuracy over bins of equal mass.

    Nixon et al., "Measuring calibration in deep learning" (CVPR workshops 2019), section 3: bins with the same number
    of tickets, since bins of the same width leave most of them empty.
    """
    if not len(confidences):
        return float("nan")
    order = np.argsort(confidences, kind="stable")
    bins = np.array_split(order, min(n_bins, len(order)))
    gaps = [abs(confidences[b].mean() - is_right[b].mean()) * len(b) for b in bins]
    return float(sum(gaps) / len(order))
