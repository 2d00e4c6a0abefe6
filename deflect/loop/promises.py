"""Finds thresholds whose precision can be promised, by testing them on tickets that the classifier was not fitted on.

A threshold is proved when the hypothesis "its precision is below the target" is rejected by the exact binomial tail.
Many thresholds are tried, so the risk of a false proof, 1 - confidence, has to last for all of them. The thresholds are
not tried from the strictest on: a few mislabelled tickets at the very top would end the walk at once. Instead
(fixed-sequence testing with fallback: Wiens, "A fixed sequence Bonferroni procedure for testing multiple endpoints",
Pharmaceutical Statistics 2003; Bretz et al., "A graphical approach to sequentially rejective multiple test
procedures", Statistics in Medicine 2009; for risk control: Angelopoulos et al., "Learn then Test", 2021):

1. The levels are fixed shares of the tickets by rank of probability, of those that are probable enough to be shown at
   all (``least_probability``), chosen without looking at labels.
2. A main walk goes from 30 % coverage in 120 steps to 100 %, and stops at the first level that is not proved.
3. A small part of the risk goes to a walk over strict levels below 30 %. If all of these are proved, their risk is
   added to the main walk's; if the main walk proves nothing, what they proved still holds.

The loosest proved level is the threshold. Assumed: calibration tickets and live tickets come from one distribution (are
exchangeable), are independent (near-duplicates kept out of both parts: ``split_tickets``), and played no part in
fitting.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from scipy import special

from deflect.errors import ParameterError, TrainingDataError
from deflect.line.thresholds import Threshold, Thresholds

if TYPE_CHECKING:
    from deflect.line.scorer import Float64s

_FIRST_COVERAGE = 0.30
_N_LEVELS = 120
_STRICT_COVERAGES = (0.05, 0.10, 0.20)
_STRICT_RISK = 0.1
#: Of few tickets, 30 % cannot prove anything. The main walk then starts where it could bear 2 errors, 1 or none, the
#: first of these that leaves it two fifths of the tickets to walk on.
_BEARABLE_ERRORS = (2, 1, 0)
_START_AT_MOST = 0.6
#: Where the target is proved for all tickets together, the least sure of them may be wrong more often than right, and
#: live tickets that are unlike the calibration tickets come to stand there (docs/promises.md).
LEAST_PROBABILITY = 0.5


class ProbabilityClassifier(Protocol):
    """What ``fit_thresholds`` and ``evaluate`` need of a classifier; any scikit-learn classifier of texts has it."""

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """Return the categories, in the order of the columns of ``predict_proba``."""

    def predict_proba(self, X: Iterable[str]) -> Float64s:
        """Return the probability of each category, (n_tickets, n_categories)."""


def fit_thresholds(
    classifier: ProbabilityClassifier,
    X: Iterable[str],
    y: npt.ArrayLike,
    *,
    target_precision: float = 0.95,
    confidence: float = 0.95,
    per: Literal["overall", "category"] = "category",
    least_probability: float = LEAST_PROBABILITY,
) -> Thresholds:
    """Find the lowest thresholds whose precision can be promised.

    When to use it: after fitting, on calibration tickets that the classifier has not seen (``split_tickets``). With
    ``per="category"`` each category keeps the promise by itself, each at the stated confidence; a category with too few
    tickets or too many errors stays silent. With ``per="overall"`` one threshold keeps it for all together.

    Parameters
    ----------
    classifier
        A fitted classifier with ``predict_proba`` and ``classes_``.
    X, y
        Calibration texts and their true categories, (n_tickets,) both.
    target_precision
        Share of the accepted tickets that must be right, in (0, 1). Default 0.95.
    confidence
        Probability that the promise holds, in (0, 1). Default 0.95.
    per
        "category" (default) or "overall".
    least_probability
        No threshold lies below this, in [0, 1). Raise it where live tickets differ from the calibration tickets, as
        they do when a model trained on one platform's tickets starts on another's; lower it for a classifier whose
        probabilities are smaller than they should be. Default 0.5: what is shown is more likely right than wrong.

    Returns
    -------
    The thresholds with their evidence.

    Raises
    ------
    ParameterError
        A parameter is outside what it may be.
    TrainingDataError
        X and y differ in length.

    Examples
    --------
    >>> from deflect import TicketClassifier
    >>> texts = ["my CNAME is wrong", "request timeout H12"] * 40
    >>> labels = ["dns", "timeout"] * 40
    >>> classifier = TicketClassifier().fit(texts, labels)  # Here on its own training tickets; never do this at work.
    >>> thresholds = fit_thresholds(classifier, texts, labels, target_precision=0.9, per="overall")
    >>> thresholds.promises[0].n_accepted, round(thresholds.promises[0].lower_bound, 2)
    (80, 0.96)

    """
    _check_fraction("target_precision", target_precision)
    _check_fraction("confidence", confidence)
    if per not in ("overall", "category"):
        msg = f'per must be "overall" or "category". Got {per!r} instead.'
        raise ParameterError(msg)
    if not 0 <= least_probability < 1:
        msg = f"least_probability must lie in [0, 1). Got {least_probability!r} instead."
        raise ParameterError(msg)
    proba = np.asarray(classifier.predict_proba(X), dtype=np.float64)
    truth = np.asarray(y)
    if len(proba) != len(truth):
        msg = f"X and y must have the same length. Got {len(proba)} and {len(truth)}."
        raise TrainingDataError(msg)
    best = proba.argmax(axis=1) if len(proba) else np.empty(0, dtype=np.int64)
    scores = proba[np.arange(len(best)), best]
    categories = classifier.classes_
    is_right = categories[best] == truth
    names = tuple(str(category) for category in categories)

    def promise(category: str | None, own: npt.NDArray[np.bool_]) -> Threshold:
        return prove(
            scores[own],
            is_right[own],
            category=category,
            target=target_precision,
            confidence=confidence,
            least=least_probability,
        )

    if per == "overall":
        return Thresholds(per, names, (promise(None, np.ones(len(best), dtype=bool)),))
    return Thresholds(per, names, tuple(promise(name, best == i) for i, name in enumerate(names)))


def prove(
    scores: Float64s,
    is_right: npt.NDArray[np.bool_],
    *,
    category: str | None,
    target: float,
    confidence: float,
    least: float = 0.0,
) -> Threshold:
    """Return the loosest threshold, not below ``least``, that is proved to keep the promise, with its evidence."""
    order = np.argsort(-scores, kind="stable")
    order = order[scores[order] >= least]
    ranked = scores[order]
    n_right = np.concatenate(([0], np.cumsum(is_right[order])))
    proved = _loosest_proved(_levels(ranked, target, confidence), n_right, target, 1 - confidence)
    n_proved_right = int(n_right[proved])
    return Threshold(
        category=category,
        threshold=max(least, _above(ranked, proved)) if proved else None,
        target_precision=target,
        confidence=confidence,
        n_calibration=len(scores),
        n_accepted=proved,
        n_right=n_proved_right,
        lower_bound=lower_bound(n_proved_right, proved, confidence),
        n_needed=least_accepted(target, confidence, 0),
    )


def _levels(ranked: Float64s, target: float, confidence: float) -> tuple[list[int], list[int]]:
    """Return how many tickets the strict levels and the main levels accept, from strict to loose.

    A level is drawn right above the score of the first ticket that it leaves out. So, given that score, the accepted
    tickets are a fair sample of all tickets with a higher one; of tickets with equal scores it takes all or none.
    """
    n = len(ranked)
    first = _first_level(n, target, confidence)
    if first >= n:
        return [], [n] if n else []
    strict = [math.ceil(coverage * n) for coverage in _STRICT_COVERAGES]
    main = np.linspace(first, n, _N_LEVELS).round().astype(int).tolist()

    def accepted(n_wanted: int) -> int:
        return n if n_wanted == n else int(np.searchsorted(-ranked, -ranked[n_wanted], side="left"))

    # With ties a level may accept few tickets or none. One that not even right tickets could prove is left out, which
    # looks at no label either; else a walk would end at it.
    least = least_accepted(target, 1 - _STRICT_RISK * (1 - confidence), 0)
    least_main = least_accepted(target, confidence, 0)
    strict_levels = [accepted(k) for k in strict if k < first]
    main_levels = [accepted(k) for k in main]
    return [k for k in strict_levels if k >= least], [k for k in main_levels if k >= least_main]


def _first_level(n: int, target: float, confidence: float) -> int:
    """Return how many of n tickets the first level of the main walk accepts; it depends on nothing but their number."""
    starts = [least_accepted(target, confidence, n_errors) for n_errors in _BEARABLE_ERRORS]
    return max(math.ceil(_FIRST_COVERAGE * n), next((k for k in starts if k <= _START_AT_MOST * n), starts[-1]))


def _loosest_proved(
    levels: tuple[list[int], list[int]], n_right: npt.NDArray[np.int64], target: float, risk: float
) -> int:
    """Walk the strict levels, then the main ones, and return how many tickets the loosest proved level accepts."""
    proved = 0
    strict, main = levels
    for n_accepted in strict:
        if binomial_tail(n_accepted, int(n_right[n_accepted]), target) > _STRICT_RISK * risk:
            risk *= 1 - _STRICT_RISK
            break
        proved = n_accepted
    for n_accepted in main:
        if binomial_tail(n_accepted, int(n_right[n_accepted]), target) > risk:
            break
        proved = n_accepted
    return proved


def _above(ranked: Float64s, n_accepted: int) -> float:
    """Return the least threshold that accepts the first ``n_accepted`` tickets and leaves out the next."""
    return 0.0 if n_accepted == len(ranked) else float(np.nextafter(ranked[n_accepted], np.inf))


def binomial_tail(n: int, n_right: int, target: float) -> float:
    """Return the probability of ``n_right`` or more right of n, if each is right with probability ``target``."""
    return float(special.bdtrc(n_right - 1, n, target)) if n_right > 0 else 1.0


def lower_bound(n_right: int, n: int, confidence: float) -> float:
    """Return the one-sided Clopper-Pearson lower bound of a share (Clopper and Pearson, Biometrika 1934)."""
    return float(special.betaincinv(n_right, n - n_right + 1, 1 - confidence)) if n_right else 0.0


def _check_fraction(name: str, value: float) -> None:
    if not 0 < value < 1:
        msg = f"{name} must lie in (0, 1). Got {value!r} instead."
        raise ParameterError(msg)


def least_accepted(target: float, confidence: float, n_errors: int) -> int:
    """Return how many accepted tickets prove the target when ``n_errors`` of them are wrong."""
    n = max(1, math.ceil(math.log(1 - confidence) / math.log(target)))
    while binomial_tail(n, n - n_errors, target) > 1 - confidence:
        n += 1
    return n
