from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pytest

from deflect.errors import ParameterError, TrainingDataError
from deflect.line.scorer import Float64s
from deflect.line.thresholds import Threshold, Thresholds
from deflect.loop.evaluation import CategoryReport, Point, Report, evaluate, wilson_interval

PROBA = [
    [0.8, 0.1, 0.1],  # a, right
    [0.6, 0.3, 0.1],  # a, in truth b
    [0.2, 0.7, 0.1],  # b, right
    [0.1, 0.5, 0.4],  # b, in truth c
    [0.1, 0.1, 0.8],  # c, right
    [0.3, 0.3, 0.4],  # c, in truth of a category that the classifier does not know
]
TRUTH = ["a", "b", "b", "c", "c", "unknown"]


class Table:
    """A classifier whose texts are the numbers of rows in a table of probabilities."""

    def __init__(self, proba: npt.ArrayLike, categories: Iterable[object] = "abc") -> None:
        self.proba = np.asarray(proba, dtype=np.float64)
        self.classes_ = np.asarray(tuple(categories))

    @property
    def texts(self) -> list[str]:
        """Return the texts of all rows."""
        return [str(i) for i in range(len(self.proba))]

    def predict_proba(self, X: Iterable[str]) -> Float64s:
        """Return the rows."""
        return self.proba[[int(text) for text in X]]


def promise(category: str | None, threshold: float | None, target: float = 0.95) -> Threshold:
    """Return a promise with made-up evidence."""
    return Threshold(category, threshold, target, 0.95, 100, 60, 60, 0.95, 59)


def promises(*thresholds: float | None) -> Thresholds:
    """Return a promise for each of a, b and c."""
    made = tuple(promise(name, value) for name, value in zip("abc", thresholds, strict=True))
    return Thresholds("category", ("a", "b", "c"), made)


@pytest.fixture
def report() -> Report:
    """Return the report of six tickets: a is promised at 0.7, b at 0.4, and c is silent."""
    table = Table(PROBA)
    return evaluate(table, promises(0.7, 0.4, None), table.texts, TRUTH)


def test_accuracy_of_six_tickets(report: Report) -> None:
    """Three of six are right; a category that the classifier does not know counts as an error."""
    assert (report.n_tickets, report.accuracy) == (6, 0.5)


def test_macro_f1_of_six_tickets(report: Report) -> None:
    """F1 is 2/3 for a, 1/2 for b and c, 0 for the unknown category; macro-F1 is their mean."""
    assert report.macro_f1 == pytest.approx((2 / 3 + 1 / 2 + 1 / 2 + 0) / 4)


def test_log_loss_of_six_tickets(report: Report) -> None:
    """Log loss is of the five tickets with a known category, whose probabilities are 0.8, 0.3, 0.7, 0.4 and 0.8."""
    assert report.log_loss == pytest.approx(-np.log(0.8 * 0.3 * 0.7 * 0.4 * 0.8) / 5)


def test_brier_score_of_six_tickets(report: Report) -> None:
    """Brier score is of the same five: the mean of 0.06, 0.86, 0.14, 0.62 and 0.06."""
    assert report.brier_score == pytest.approx((0.06 + 0.86 + 0.14 + 0.62 + 0.06) / 5)


def test_calibration_error_of_six_tickets(report: Report) -> None:
    """With a bin for each ticket the error is the mean of 0.2, 0.6, 0.3, 0.5, 0.2 and 0.4."""
    assert report.calibration_error == pytest.approx((0.2 + 0.6 + 0.3 + 0.5 + 0.2 + 0.4) / 6)


def test_accepted_of_six_tickets(report: Report) -> None:
    """Accepted are the first, third and fourth; the fourth is wrong."""
    assert (report.n_accepted, report.n_right) == (3, 2)
    assert (report.coverage, report.precision) == (0.5, pytest.approx(2 / 3))


def test_categories_of_six_tickets(report: Report) -> None:
    """Each category has its tickets, predictions, accepted and right ones, in the order of the categories."""
    rows = [(row.category, row.n_tickets, row.n_predicted, row.n_accepted, row.n_right) for row in report.categories]
    assert rows == [("a", 1, 2, 1, 1), ("b", 2, 2, 2, 1), ("c", 2, 2, 0, 0)]


def test_precision_and_coverage_of_categories(report: Report) -> None:
    """Precision is right over accepted, coverage accepted over predicted; nan where there is nothing to divide by."""
    assert [row.coverage for row in report.categories] == [0.5, 1.0, 0.0]
    assert [row.precision for row in report.categories] == pytest.approx([1.0, 0.5, np.nan], nan_ok=True)


def test_verdicts_of_six_tickets(report: Report) -> None:
    """1 of 1 may keep 95 %, 1 of 2 cannot (its interval ends at 0.906), and c is silent."""
    assert [row.verdict for row in report.categories] == ["kept", "broken", "silent"]


def test_promise_stands_beside_the_figures(report: Report) -> None:
    """Each category carries the promise that it was measured by."""
    assert [row.promise for row in report.categories] == [promise("a", 0.7), promise("b", 0.4), promise("c", None)]


def test_table_of_a_category(report: Report) -> None:
    """The table of a shows what its two predictions would give, whatever the threshold."""
    assert report.categories[0].table == (Point(0.8, 1.0, 0.5), Point(0.6, 0.5, 1.0))


def test_table_has_fifths_of_coverage() -> None:
    """A table of ten predictions has a point at each fifth of them."""
    table = Table([[0.95 - i / 100, 0.03, 0.02] for i in range(10)])
    truth = ["a"] * 5 + ["b"] * 5
    points = evaluate(table, promises(0.9, None, None), table.texts, truth).categories[0].table
    assert [point.coverage for point in points] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
    assert [point.threshold for point in points] == pytest.approx([0.94, 0.92, 0.90, 0.88, 0.86])
    assert [point.precision for point in points] == pytest.approx([1, 1, 5 / 6, 5 / 8, 1 / 2])


def test_category_without_predictions_is_reported() -> None:
    """A promised category that nothing was predicted as has the verdict "no tickets" and an empty table."""
    table = Table(PROBA[:2])
    row = evaluate(table, promises(0.7, 0.4, None), table.texts, TRUTH[:2]).categories[1]
    assert (row.n_predicted, row.verdict, row.table) == (0, "no tickets", ())
    assert np.isnan(row.coverage)


@pytest.mark.parametrize(
    ("n_right", "n_accepted", "threshold", "verdict"),
    [
        (95, 100, 0.7, "kept"),
        (92, 100, 0.7, "kept"),  # Below the target, and its interval, 0.850 to 0.959, reaches over it.
        (88, 100, 0.7, "broken"),  # The interval ends at 0.930.
        (0, 0, 0.7, "no tickets"),
        (0, 0, None, "silent"),
    ],
)
def test_verdict(n_right: int, n_accepted: int, threshold: float | None, verdict: str) -> None:
    """A promise is broken when its 95 % interval lies below the target, and not before."""
    row = CategoryReport("a", 100, 100, n_accepted, n_right, promise("a", threshold), ())
    assert row.verdict == verdict


@pytest.mark.parametrize(
    ("n_right", "n", "low", "high"),
    [
        (8, 10, 0.490, 0.943),
        (81, 263, 0.255, 0.366),  # Newcombe, "Two-sided confidence intervals", 1998, table I.
        (15, 148, 0.062, 0.161),  # The same.
        (0, 20, 0.000, 0.161),  # The same.
        (1, 29, 0.006, 0.172),  # The same.
    ],
)
def test_wilson_interval(n_right: int, n: int, low: float, high: float) -> None:
    """Intervals are the published ones."""
    assert wilson_interval(n_right, n) == pytest.approx((low, high), abs=0.0006)


def test_interval_of_nothing_is_everything() -> None:
    """Where nothing was counted, any share is possible."""
    assert wilson_interval(0, 0) == (0.0, 1.0)


def test_interval_stays_in_its_bounds() -> None:
    """None right begins at 0, all right ends at 1, and rounding leads neither out of 0 to 1."""
    lows, highs = zip(*(wilson_interval(0, n) for n in range(1, 200)), strict=True)
    assert min(lows) >= 0
    assert max(lows) == pytest.approx(0, abs=1e-12)
    lows, highs = zip(*(wilson_interval(n, n) for n in range(1, 200)), strict=True)
    assert max(highs) <= 1
    assert min(highs) == pytest.approx(1, abs=1e-12)


def test_overall_promise_is_every_category_promise() -> None:
    """With one promise for all, each category is measured by it."""
    table = Table(PROBA)
    thresholds = Thresholds("overall", ("a", "b", "c"), (promise(None, 0.65),))
    report = evaluate(table, thresholds, table.texts, TRUTH)
    assert [row.promise for row in report.categories] == [promise(None, 0.65)] * 3
    assert [row.n_accepted for row in report.categories] == [1, 1, 1]


def test_categories_may_be_numbers() -> None:
    """Categories that are numbers are told apart as they are, though 10 comes before 2 as a text."""
    table = Table([[0.9, 0.1], [0.3, 0.7]], categories=(2, 10))
    thresholds = Thresholds("overall", ("2", "10"), (promise(None, 0.5),))
    report = evaluate(table, thresholds, table.texts, [2, 10])
    assert report.accuracy == 1
    assert report.log_loss == pytest.approx(-np.log(0.9 * 0.7) / 2)
    assert [row.n_tickets for row in report.categories] == [1, 1]


def test_only_unknown_categories_have_no_log_loss() -> None:
    """When no ticket has a known category, there is no probability of the truth to tell."""
    table = Table(PROBA[:2])
    report = evaluate(table, promises(0.7, 0.4, None), table.texts, ["y", "z"])
    assert report.accuracy == 0
    assert np.isnan(report.log_loss)
    assert np.isnan(report.brier_score)


def test_metrics_are_the_figures(report: Report) -> None:
    """The metrics have each figure of all tickets together, to six digits."""
    assert report.metrics == {
        "n_tickets": 6.0,
        "accuracy": 0.5,
        "macro_f1": 0.416667,
        "log_loss": round(report.log_loss, 6),
        "brier_score": 0.348,
        "calibration_error": 0.366667,
        "coverage": 0.5,
        "precision": 0.666667,
    }


def test_metrics_leave_out_what_has_no_value(report: Report) -> None:
    """A figure that is nan is left out, since a manifest is JSON."""
    assert "precision" not in replace(report, n_accepted=0, n_right=0).metrics


def test_markdown_has_a_row_for_each_category(report: Report) -> None:
    """The report as Markdown has a line of figures and a row for each category."""
    lines = report.to_markdown().splitlines()
    assert " ".join(lines[: lines.index("")]) == (
        "6 test tickets: accuracy 0.500, macro-F1 0.417, calibration error 0.367; 50.0% accepted, 66.7% of these right."
    )
    assert lines[-3:-1] == [
        "| a | 1 | 2 | 1 | 1.000 | 0.207-1.000 | 0.500 | kept |",
        "| b | 2 | 2 | 2 | 0.500 | 0.095-0.905 | 1.000 | broken |",
    ]
    assert lines[-1].startswith("| c | 2 | 2 | 0 |")
    assert lines[-1].endswith("| silent |")


@pytest.mark.parametrize(("n_texts", "n_labels"), [(6, 5), (0, 0)])
def test_wrong_lengths_are_refused(n_texts: int, n_labels: int) -> None:
    """Texts and categories must be equally many, and not none."""
    message = rf"X and y must have the same length, at least 1\. Got {n_texts} and {n_labels}\."
    with pytest.raises(TrainingDataError, match=message):
        evaluate(Table(PROBA), promises(0.7, 0.4, None), Table(PROBA).texts[:n_texts], TRUTH[:n_labels])


def test_thresholds_of_other_categories_are_refused() -> None:
    """Thresholds for other categories than the classifier's are an error that names both."""
    thresholds = Thresholds("overall", ("a", "b"), (promise(None, 0.5),))
    with pytest.raises(ParameterError, match=r"must be for the categories a, b, c\. Got a, b\."):
        evaluate(Table(PROBA), thresholds, Table(PROBA).texts, TRUTH)
