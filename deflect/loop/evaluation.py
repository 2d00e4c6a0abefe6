"""Measures a classifier and its promises on test tickets, and says plainly what was missed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from deflect.errors import ParameterError, TrainingDataError
from deflect.loop.calibration import brier_score, expected_calibration_error, log_loss

if TYPE_CHECKING:
    from deflect.line.scorer import Float64s, Scorer
    from deflect.line.thresholds import Threshold, Thresholds
    from deflect.loop.promises import ProbabilityClassifier

Verdict = Literal["kept", "broken", "silent", "no tickets"]
_CONFIDENCE = 0.95
_POINTS = (0.2, 0.4, 0.6, 0.8, 1.0)


@dataclass(frozen=True, slots=True)
class Point:
    """One row of a category's table: what a threshold would give on the test tickets."""

    threshold: float
    precision: float
    coverage: float


@dataclass(frozen=True, slots=True)
class CategoryReport:
    """How one category does on the test tickets.

    ``n_tickets`` have the category, ``n_predicted`` were predicted as it, ``n_accepted`` of these reached the
    threshold and ``n_right`` of these are right. ``table`` shows other thresholds. ``promise`` is what was promised.
    """

    category: str
    n_tickets: int
    n_predicted: int
    n_accepted: int
    n_right: int
    promise: Threshold
    table: tuple[Point, ...]

    @property
    def precision(self) -> float:
        """Return right / accepted; nan where none was accepted."""
        return self.n_right / self.n_accepted if self.n_accepted else float("nan")

    @property
    def coverage(self) -> float:
        """Return accepted / predicted; nan where none was predicted."""
        return self.n_accepted / self.n_predicted if self.n_predicted else float("nan")

    @property
    def interval(self) -> tuple[float, float]:
        """Return the 95 % Wilson interval of the precision (Wilson, JASA 1927)."""
        return wilson_interval(self.n_right, self.n_accepted)

    @property
    def verdict(self) -> Verdict:
        """Tell whether the promise was kept; it is broken when even the upper end of the interval is below it."""
        return _verdict(self.promise, self.n_accepted, self.interval)


@dataclass(frozen=True, slots=True)
class Report:
    """What ``evaluate`` found on test tickets.

    ``accuracy``, ``macro_f1``, ``log_loss``, ``brier_score`` and ``calibration_error`` (expected calibration error,
    15 bins of equal mass) are of all predictions; ``n_accepted`` predictions reached their threshold, ``n_right`` of
    these are right.

    Examples
    --------
    >>> report = Report(200, 0.9, 0.88, 0.3, 0.15, 0.02, n_accepted=150, n_right=147, categories=())
    >>> report.coverage, report.precision
    (0.75, 0.98)

    """

    n_tickets: int
    accuracy: float
    macro_f1: float
    log_loss: float
    brier_score: float
    calibration_error: float
    n_accepted: int
    n_right: int
    categories: tuple[CategoryReport, ...]

    @property
    def coverage(self) -> float:
        """Return accepted / all."""
        return self.n_accepted / self.n_tickets

    @property
    def precision(self) -> float:
        """Return right / accepted; nan where none was accepted."""
        return self.n_right / self.n_accepted if self.n_accepted else float("nan")

    @property
    def metrics(self) -> dict[str, float]:
        """Return the figures of all tickets together, as a bundle keeps them; one without a value is left out."""
        names = ("accuracy", "macro_f1", "log_loss", "brier_score", "calibration_error", "coverage", "precision")
        figures = {"n_tickets": float(self.n_tickets)} | {name: round(float(getattr(self, name)), 6) for name in names}
        return {name: value for name, value in figures.items() if np.isfinite(value)}

    def to_dict(self) -> dict[str, object]:
        """Return plain data: the metrics, and a row for each category."""
        rows = [
            {
                "category": row.category,
                "n_tickets": row.n_tickets,
                "n_predicted": row.n_predicted,
                "n_accepted": row.n_accepted,
                "n_right": row.n_right,
                "verdict": row.verdict,
                "promise": asdict(row.promise),
                "table": [asdict(point) for point in row.table],
            }
            for row in self.categories
        ]
        return {"metrics": self.metrics, "categories": rows}

    def to_markdown(self) -> str:
        """Return the report as a Markdown table."""
        lines = [
            f"{self.n_tickets} test tickets: accuracy {self.accuracy:.3f}, macro-F1 {self.macro_f1:.3f}, calibration",
            f"error {self.calibration_error:.3f}; {self.coverage:.1%} accepted, {self.precision:.1%} of these right.",
            "",
            "| category | tickets | predicted | accepted | precision | 95 % interval | coverage | promise |",
            "|---|---|---|---|---|---|---|---|",
        ]
        return "\n".join([*lines, *(_markdown_row(row) for row in self.categories), ""])


class BundleClassifier:
    """The scorer of a loaded bundle, as ``evaluate`` and ``fit_thresholds`` take a classifier."""

    def __init__(self, scorer: Scorer) -> None:
        self.scorer = scorer

    @property
    def classes_(self) -> npt.NDArray[Any]:
        """Return the categories."""
        return np.array(self.scorer.categories)

    def predict_proba(self, X: Iterable[str]) -> Float64s:
        """Return the probability of each category, (n_tickets, n_categories)."""
        return self.scorer.probabilities(list(X))


def evaluate(classifier: ProbabilityClassifier, thresholds: Thresholds, X: Iterable[str], y: npt.ArrayLike) -> Report:
    """Measure a classifier and its thresholds on test tickets.

    When to use it: last, once, on tickets that neither fitting nor ``fit_thresholds`` has seen.

    Parameters
    ----------
    classifier
        A fitted classifier with ``predict_proba`` and ``classes_``.
    thresholds
        From ``fit_thresholds`` with this classifier.
    X, y
        Test texts and their true categories, (n_tickets,) both. Tickets of a category that the classifier does not
        know count as errors.

    Returns
    -------
    The report.

    Raises
    ------
    TrainingDataError
        There are no tickets, or X and y differ in length.
    ParameterError
        The thresholds are for other categories.

    Examples
    --------
    >>> from deflect import TicketClassifier, fit_thresholds
    >>> texts = ["my CNAME is wrong", "request timeout H12"] * 40
    >>> labels = ["dns", "timeout"] * 40
    >>> classifier = TicketClassifier().fit(texts, labels)
    >>> thresholds = fit_thresholds(classifier, texts, labels, target_precision=0.9)
    >>> report = evaluate(classifier, thresholds, ["where is my CNAME?", "H12 again"], ["dns", "timeout"])
    >>> report.accuracy, report.categories[0].verdict
    (1.0, 'kept')

    """
    proba = np.asarray(classifier.predict_proba(X), dtype=np.float64)
    truth = np.asarray(y).astype(str)
    names = np.asarray([str(category) for category in classifier.classes_])
    if len(proba) != len(truth) or not len(proba):
        msg = f"X and y must have the same length, at least 1. Got {len(proba)} and {len(truth)}."
        raise TrainingDataError(msg)
    if thresholds.categories != tuple(names):
        msg = f"The thresholds must be for the categories {', '.join(names)}. Got {', '.join(thresholds.categories)}."
        raise ParameterError(msg)
    best = proba.argmax(axis=1)
    predicted, scores = names[best], proba[np.arange(len(best)), best]
    is_right, is_accepted = predicted == truth, thresholds.accepts(proba)
    outcome = _Outcome(truth, predicted, scores, is_accepted)
    rows = [_category(name, thresholds.promise_of(name), outcome) for name in names.tolist()]
    is_known = np.isin(truth, names)
    # As numbers, 2 comes before 10; as texts, it does not.
    order = np.argsort(names)
    codes = order[np.searchsorted(names, truth[is_known], sorter=order)]
    return Report(
        n_tickets=len(truth),
        accuracy=float(is_right.mean()),
        macro_f1=float(np.mean([_f1(name, truth, predicted) for name in np.unique(truth)])),
        log_loss=log_loss(proba[is_known], codes) if is_known.any() else float("nan"),
        brier_score=brier_score(proba[is_known], codes) if is_known.any() else float("nan"),
        calibration_error=expected_calibration_error(scores, is_right),
        n_accepted=int(is_accepted.sum()),
        n_right=int((is_accepted & is_right).sum()),
        categories=tuple(rows),
    )


def wilson_interval(n_right: int, n: int, confidence: float = _CONFIDENCE) -> tuple[float, float]:
    """Return the Wilson interval of a share; (0, 1) where nothing was counted."""
    if not n:
        return 0.0, 1.0
    z = float(special.ndtri((1 + confidence) / 2))
    share = n_right / n
    middle = share + z**2 / (2 * n)
    half = z * float(np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)))
    return max(0.0, (middle - half) / (1 + z**2 / n)), min(1.0, (middle + half) / (1 + z**2 / n))


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What became of each test ticket."""

    truth: npt.NDArray[Any]
    predicted: npt.NDArray[Any]
    scores: Float64s
    is_accepted: npt.NDArray[np.bool_]


def _category(name: str, promise: Threshold, outcome: _Outcome) -> CategoryReport:
    own, is_of_it = outcome.predicted == name, outcome.truth == name
    accepted = own & outcome.is_accepted
    return CategoryReport(
        category=name,
        n_tickets=int(is_of_it.sum()),
        n_predicted=int(own.sum()),
        n_accepted=int(accepted.sum()),
        n_right=int((accepted & is_of_it).sum()),
        promise=promise,
        table=_table(outcome.scores[own], is_of_it[own]),
    )


def _table(scores: Float64s, is_right: npt.NDArray[np.bool_]) -> tuple[Point, ...]:
    """Return what thresholds at fixed coverages would give, from strict to loose."""
    order = np.argsort(-scores, kind="stable")
    n_right = np.cumsum(is_right[order])
    counts = sorted({max(1, round(share * len(order))) for share in _POINTS}) if len(order) else []
    return tuple(Point(float(scores[order[k - 1]]), float(n_right[k - 1] / k), k / len(order)) for k in counts)


def _f1(name: str, truth: npt.NDArray[Any], predicted: npt.NDArray[Any]) -> float:
    both = int(((truth == name) & (predicted == name)).sum())
    return 2 * both / int((truth == name).sum() + (predicted == name).sum())


def _verdict(promise: Threshold, n_accepted: int, interval: tuple[float, float]) -> Verdict:
    if promise.threshold is None:
        return "silent"
    if not n_accepted:
        return "no tickets"
    return "broken" if interval[1] < promise.target_precision else "kept"


def _markdown_row(row: CategoryReport) -> str:
    low, high = row.interval
    shown = f"{row.precision:.3f} | {low:.3f}-{high:.3f} | {row.coverage:.3f}" if row.n_accepted else "- | - | -"
    return f"| {row.category} | {row.n_tickets} | {row.n_predicted} | {row.n_accepted} | {shown} | {row.verdict} |"
