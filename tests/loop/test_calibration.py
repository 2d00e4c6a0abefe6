from __future__ import annotations

import numpy as np
import pytest

from deflect.line.scorer import softmax
from deflect.loop.calibration import (
    HeldOut,
    brier_score,
    expected_calibration_error,
    fit_calibration,
    fit_sharpness,
    log_loss,
)

#: Six tickets, three categories.
PROBABILITIES = np.array(
    [
        [0.8, 0.1, 0.1],
        [0.6, 0.3, 0.1],
        [0.2, 0.7, 0.1],
        [0.1, 0.5, 0.4],
        [0.1, 0.1, 0.8],
        [0.5, 0.3, 0.2],
    ]
)
Y = np.array([0, 1, 1, 2, 2, 0])


def simulated(sharpness: float, n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return margins and categories drawn from the softmax of these margins at a known sharpness."""
    rng = np.random.default_rng(seed)
    margins = rng.normal(size=(n, 4))
    steps = softmax(margins * sharpness).cumsum(axis=1)
    return margins, (rng.random((n, 1)) > steps[:, :-1]).sum(axis=1)


def test_log_loss_of_six_tickets() -> None:
    """Log loss is the mean of -ln of 0.8, 0.3, 0.7, 0.4, 0.8 and 0.5."""
    assert log_loss(PROBABILITIES, Y) == pytest.approx(-np.log(0.8 * 0.3 * 0.7 * 0.4 * 0.8 * 0.5) / 6)


def test_log_loss_with_weights() -> None:
    """A weight of 2 counts a ticket twice, 0 not at all."""
    weights = np.array([2.0, 1, 0, 0, 0, 0])
    assert log_loss(PROBABILITIES, Y, weights) == pytest.approx(-np.log(0.8 * 0.8 * 0.3) / 3)


def test_log_loss_of_certain_error_is_finite() -> None:
    """A true category of probability 0 counts as 1e-15."""
    assert log_loss(np.array([[1.0, 0.0]]), np.array([1])) == pytest.approx(-np.log(1e-15))


def test_brier_score_of_six_tickets() -> None:
    """Brier score is the mean of 0.06, 0.86, 0.14, 0.62, 0.06 and 0.38."""
    assert brier_score(PROBABILITIES, Y) == pytest.approx((0.06 + 0.86 + 0.14 + 0.62 + 0.06 + 0.38) / 6)


def test_calibration_error_of_six_tickets_in_three_bins() -> None:
    """In bins of two by confidence, the error is the mean of |0.5 - 0.5|, |0.65 - 0.5| and |0.8 - 1|."""
    confidences = np.array([0.8, 0.6, 0.7, 0.5, 0.8, 0.5])
    is_right = np.array([True, False, True, False, True, True])
    assert expected_calibration_error(confidences, is_right, n_bins=3) == pytest.approx((0 + 0.15 + 0.2) / 3)


def test_calibration_error_has_a_bin_a_ticket_at_most() -> None:
    """With fewer tickets than bins, each ticket is a bin."""
    confidences = np.array([0.8, 0.6])
    assert expected_calibration_error(confidences, np.array([True, False])) == pytest.approx((0.2 + 0.6) / 2)


def test_calibration_error_of_bins_of_unequal_size() -> None:
    """A bin counts as much as it has tickets: of three tickets in two bins, the lower bin has two."""
    confidences = np.array([0.5, 0.7, 0.9])
    is_right = np.array([True, True, True])
    assert expected_calibration_error(confidences, is_right, n_bins=2) == pytest.approx((2 * 0.4 + 0.1) / 3)


def test_calibration_error_of_nothing_is_nan() -> None:
    """Without tickets there is no error to tell."""
    assert np.isnan(expected_calibration_error(np.empty(0), np.empty(0, dtype=bool)))


@pytest.mark.parametrize("sharpness", [0.5, 2.0, 8.0])
def test_sharpness_is_recovered(sharpness: float) -> None:
    """On 20,000 tickets drawn at a known sharpness, the fitted one is within 5 %."""
    margins, y = simulated(sharpness, 20_000)
    assert fit_sharpness(margins, y, np.ones(len(y))) == pytest.approx(sharpness, rel=0.05)


def test_sharpness_has_the_least_log_loss() -> None:
    """No sharpness on a fine grid has a log loss that is less by more than 0.000001, on 20,000 tickets."""
    margins, y = simulated(3.0, 20_000)
    fitted = fit_sharpness(margins, y, np.ones(20_000))
    losses = [log_loss(softmax(margins * sharpness), y) for sharpness in np.geomspace(0.2, 50, 400)]
    assert log_loss(softmax(margins * fitted), y) <= min(losses) + 1e-6


def test_a_few_right_tickets_are_not_endless_proof() -> None:
    """Ten tickets that are all right leave a probability of 0.8 to 0.99, a thousand one above 0.995."""
    margins = np.array([[1.0, 0.0], [0.0, 1.0]] * 5)
    few, many = (fit_sharpness(np.tile(margins, (n, 1)), np.tile([0, 1], 5 * n), np.ones(10 * n)) for n in (1, 100))
    assert 0.8 < softmax(np.array([[few, 0.0]])).max() < 0.99
    assert softmax(np.array([[many, 0.0]])).max() > 0.995


def test_scales_and_shifts_mend_a_category_that_is_too_low() -> None:
    """Margins of a category that were halved and lowered give nearly the probabilities that they gave before."""
    margins, y = simulated(3.0, 20_000)
    bent = margins * [1, 1, 1, 0.5] - [0, 0, 0, 0.4]
    ones = np.ones(20_000)
    calibration = fit_calibration(HeldOut(bent, ones, y, ones))
    mended = softmax(calibration.logits(HeldOut(bent, ones, y, ones)))
    np.testing.assert_allclose(mended, softmax(3.0 * margins), atol=0.05)
    assert log_loss(mended, y) < log_loss(softmax(fit_sharpness(bent, y, ones) * bent), y) - 0.05


def test_few_tickets_move_categories_little() -> None:
    """Of 20 tickets little is learned about single categories: scales between 0.5 and 2."""
    margins, y = simulated(3.0, 20)
    scales = fit_calibration(HeldOut(margins, np.ones(20), y, np.ones(20))).scales
    assert 0.5 < scales.min() <= scales.max() < 2


def test_sharpness_counts_weights() -> None:
    """Tickets of weight 0 play no part in the fit."""
    sharp, y_sharp = simulated(6.0, 2_000)
    weak, y_weak = simulated(0.5, 2_000, seed=1)
    margins, y = np.concatenate((sharp, weak)), np.concatenate((y_sharp, y_weak))
    weights = np.repeat([1.0, 0.0], 2_000)
    assert fit_sharpness(margins, y, weights) == fit_sharpness(sharp, y_sharp, np.ones(2_000))


def test_sharpness_has_four_digits() -> None:
    """The sharpness is rounded to four digits."""
    margins, y = simulated(3.0, 500)
    fitted = fit_sharpness(margins, y, np.ones(500))
    assert fitted == float(f"{fitted:.4g}")
