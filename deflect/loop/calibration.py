"""Turns margins into probabilities, and measures how true probabilities are."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from deflect.line.scorer import Float64s, softmax

Ints = npt.NDArray[np.int64]


def fit_sharpness(margins: Float64s, y: Ints, weights: Float64s) -> float:
    """Return the inverse temperature with the least log loss on tickets that the margins were not fitted on.

    Temperature scaling (Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2): one number,
    which leaves the order of the categories as it is.
    """
    from scipy.optimize import minimize_scalar

    def loss(log_sharpness: float) -> float:
        return log_loss(softmax(margins * np.exp(log_sharpness)), y, weights)

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
