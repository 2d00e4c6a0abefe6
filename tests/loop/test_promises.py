from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from deflect.errors import ParameterError, TrainingDataError
from deflect.line.scorer import Float64s
from deflect.line.thresholds import Threshold, Thresholds
from deflect.loop.promises import binomial_tail, fit_thresholds, least_accepted, lower_bound, prove

Bools = npt.NDArray[np.bool_]

CONFIDENCE = 0.95
N_DRAWS = 2000


class Table:
    """A classifier whose texts are the numbers of rows in a table of probabilities."""

    def __init__(self, proba: npt.ArrayLike, categories: Iterable[object] = ("a", "b", "c")) -> None:
        self.proba = np.asarray(proba, dtype=np.float64)
        self.classes_ = np.asarray(tuple(categories))

    @property
    def texts(self) -> list[str]:
        """Return the texts of all rows."""
        return [str(i) for i in range(len(self.proba))]

    def predict_proba(self, X: Iterable[str]) -> Float64s:
        """Return the rows."""
        return self.proba[[int(text) for text in X]]


def rows_of(scores: Float64s, best: npt.NDArray[np.int64], n_categories: int = 3) -> Float64s:
    """Return probabilities whose greatest is the score, in the column of the best category."""
    rest = (1 - scores) / (n_categories - 1)
    proba = np.repeat(rest[:, None], n_categories, axis=1)
    proba[np.arange(len(best)), best] = scores
    return proba


def promised(scores: Float64s, is_right: Bools, target: float = 0.95, **more: float) -> Threshold:
    """Return the promise of hand-made scores."""
    return prove(scores, is_right, category=None, target=target, confidence=CONFIDENCE, **more)


def falling(n: int) -> Float64s:
    """Return n different scores, from strict to loose."""
    return np.linspace(0.99, 0.4, n)


def test_all_right_is_accepted_as_a_whole() -> None:
    """When every ticket is right, all are accepted, at threshold 0; the bound is the n-th root of 1 - confidence."""
    promise = promised(falling(100), np.ones(100, dtype=bool))
    assert (promise.threshold, promise.n_accepted, promise.n_right, promise.coverage) == (0.0, 100, 100, 1.0)
    assert promise.lower_bound == pytest.approx(0.05 ** (1 / 100))


def test_all_wrong_is_silent() -> None:
    """When every ticket is wrong, nothing is accepted."""
    promise = promised(falling(300), np.zeros(300, dtype=bool))
    assert (promise.threshold, promise.n_accepted, promise.n_right, promise.lower_bound) == (None, 0, 0, 0.0)
    assert np.isnan(promise.precision)


def test_nothing_is_silent() -> None:
    """Without calibration tickets nothing is promised."""
    promise = promised(np.empty(0), np.empty(0, dtype=bool))
    assert (promise.threshold, promise.n_calibration, promise.coverage) == (None, 0, 0.0)


@pytest.mark.parametrize(("target", "n_needed"), [(0.95, 59), (0.9, 29)])
def test_too_few_are_silent(target: float, n_needed: int) -> None:
    """One ticket short of n_needed, even tickets without an error prove nothing; with it, they do."""
    short = promised(falling(n_needed - 1), np.ones(n_needed - 1, dtype=bool), target)
    enough = promised(falling(n_needed), np.ones(n_needed, dtype=bool), target)
    assert (short.threshold, short.n_needed) == (None, n_needed)
    assert (enough.n_accepted, enough.n_needed) == (n_needed, n_needed)


@pytest.mark.parametrize("n_wrong", [1, 2])
def test_wrong_tickets_at_the_top_do_not_end_the_walk(n_wrong: int) -> None:
    """Mislabelled tickets with the highest scores leave the promise of 240 right ones behind them standing."""
    is_right = np.arange(300) < 240
    is_right[:n_wrong] = False
    promise = promised(falling(300), is_right)
    assert 220 <= promise.n_accepted <= 250
    assert promise.n_accepted - promise.n_right <= 10


def test_ties_at_the_top_do_not_end_the_walk() -> None:
    """When half of the tickets share the highest score and are right, they are accepted, and more."""
    scores = np.concatenate((np.ones(150), falling(150)))
    promise = promised(scores, np.arange(300) < 220)
    assert promise.n_accepted >= 200


def test_tied_tickets_are_accepted_together() -> None:
    """When all tickets share one score, all are accepted or none."""
    scores = np.full(200, 0.7)
    assert promised(scores, np.arange(200) < 199).n_accepted == 200
    assert promised(scores, np.arange(200) < 150).n_accepted == 0


def test_precision_of_the_accepted_is_the_evidence() -> None:
    """The counts of a promise are those of the accepted tickets, and their bound reaches the target."""
    is_right = np.random.default_rng(0).random(1000) < 1 - 0.3 * np.linspace(0, 1, 1000) ** 2
    scores = falling(1000)
    promise = promised(scores, is_right, 0.9)
    assert promise.threshold is not None
    is_accepted = scores >= promise.threshold
    assert (promise.n_accepted, promise.n_right) == (is_accepted.sum(), is_right[is_accepted].sum())
    assert promise.lower_bound == pytest.approx(lower_bound(promise.n_right, promise.n_accepted, CONFIDENCE))
    assert promise.lower_bound >= 0.9


def test_order_of_tickets_plays_no_part() -> None:
    """Shuffled tickets get the same promise."""
    rng = np.random.default_rng(1)
    scores, order = rng.random(400).round(2), rng.permutation(400)
    is_right = rng.random(400) < 0.9 + 0.1 * scores
    assert promised(scores, is_right, 0.9) == promised(scores[order], is_right[order], 0.9)


@given(st.integers(1, 400), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_threshold_accepts_what_it_says(n: int, digits: int, seed: int) -> None:
    """The threshold accepts exactly n_accepted of the calibration tickets, also where scores are equal."""
    rng = np.random.default_rng(seed)
    scores = rng.random(n).round(digits)
    promise = promised(scores, rng.random(n) < 0.8 + 0.2 * scores, 0.8)
    accepted = 0 if promise.threshold is None else int((scores >= promise.threshold).sum())
    assert accepted == promise.n_accepted


def test_threshold_does_not_lie_below_the_least() -> None:
    """With a least probability, lower tickets are not accepted, even where they could be."""
    promise = promised(falling(300), np.ones(300, dtype=bool), least=0.8)
    assert promise.threshold is not None
    assert promise.threshold >= 0.8
    assert (promise.n_accepted, promise.n_calibration) == (int((falling(300) >= 0.8).sum()), 300)


@given(st.integers(1, 500), st.integers(0, 500), st.sampled_from([0.8, 0.9, 0.95]))
def test_tail_is_the_binomial_distribution(n: int, n_wrong: int, target: float) -> None:
    """The tail is the upper tail of the binomial distribution, this count included."""
    n_right = max(0, n - n_wrong)
    assert binomial_tail(n, n_right, target) == pytest.approx(binom.sf(n_right - 1, n, target), rel=1e-9)


def test_tail_of_no_right_ones_is_one() -> None:
    """None or more are right for sure, also of no tickets."""
    assert (binomial_tail(10, 0, 0.9), binomial_tail(0, 0, 0.9)) == (1.0, 1.0)


@given(st.integers(1, 500), st.integers(0, 500), st.sampled_from([0.8, 0.9, 0.95]))
def test_bound_solves_the_binomial_tail(n: int, n_wrong: int, confidence: float) -> None:
    """Were the precision at the lower bound, as many right ones or more would have probability 1 - confidence."""
    n_right = max(1, n - n_wrong)
    bound = lower_bound(n_right, n, confidence)
    assert binom.sf(n_right - 1, n, bound) == pytest.approx(1 - confidence, rel=1e-6)


def test_bound_of_no_right_ones_is_zero() -> None:
    """Without a right one there is nothing to promise."""
    assert (lower_bound(0, 10, 0.95), lower_bound(0, 0, 0.95)) == (0.0, 0.0)


@pytest.mark.parametrize(
    ("target", "n_errors", "n"), [(0.95, 0, 59), (0.95, 1, 93), (0.95, 2, 124), (0.9, 0, 29), (0.9, 1, 46)]
)
def test_least_accepted_are_the_published_sample_sizes(target: float, n_errors: int, n: int) -> None:
    """With 0, 1 or 2 errors it takes the sample sizes that tables of attribute sampling give at 95 % confidence."""
    assert least_accepted(target, 0.95, n_errors) == n


def test_each_category_has_a_promise_of_its_own() -> None:
    """A sharp category is promised and a wrong one silent, in the order of the categories; one without tickets too."""
    best = np.repeat([0, 1], 150)
    table = Table(rows_of(np.tile(falling(150), 2), best))
    truth = np.where(best == 0, "a", "c")
    thresholds = fit_thresholds(table, table.texts, truth, per="category", least_probability=0)
    assert thresholds.categories == ("a", "b", "c")
    assert [(promise.category, promise.n_calibration) for promise in thresholds.promises] == [
        ("a", 150),
        ("b", 150),
        ("c", 0),
    ]
    assert thresholds.least == (0.0, np.inf, np.inf)


def test_overall_promise_is_one() -> None:
    """With per="overall" there is one promise, without a category, about all tickets."""
    best = np.arange(300) % 3
    table = Table(rows_of(falling(300), best))
    thresholds = fit_thresholds(table, table.texts, table.classes_[best], per="overall", least_probability=0)
    assert [(promise.category, promise.n_accepted) for promise in thresholds.promises] == [(None, 300)]
    assert thresholds.least == (0.0, 0.0, 0.0)


def test_what_is_more_likely_wrong_is_not_accepted() -> None:
    """Where all tickets keep the promise, those below a probability of 0.5 are silent all the same."""
    best = np.arange(300) % 3
    scores = falling(300)
    table = Table(rows_of(scores, best))
    thresholds = fit_thresholds(table, table.texts, table.classes_[best], per="overall")
    assert thresholds.least == (0.5, 0.5, 0.5)
    assert thresholds.promises[0].n_accepted == (scores >= 0.5).sum() == 249


def test_thresholds_accept_the_calibration_tickets_that_they_counted() -> None:
    """Thresholds.accepts and the counts of the promises agree on the calibration tickets."""
    rng = np.random.default_rng(2)
    scores, best = 0.5 + 0.5 * rng.random(900), rng.integers(3, size=900)
    truth = np.where(rng.random(900) < scores**0.2, best, (best + 1) % 3)
    table = Table(rows_of(scores, best))
    thresholds = fit_thresholds(table, table.texts, table.classes_[truth], target_precision=0.9)
    is_accepted = thresholds.accepts(table.proba)
    counts = np.bincount(best[is_accepted], minlength=3).tolist()
    assert counts == [promise.n_accepted for promise in thresholds.promises]
    assert min(counts) > 0


def test_categories_may_be_numbers() -> None:
    """Categories that are numbers are compared as numbers, and named as text."""
    best = np.zeros(100, dtype=np.int64)
    table = Table(rows_of(0.5 + 0.5 * falling(100), best, 2), categories=(2, 10))
    thresholds = fit_thresholds(table, table.texts, np.full(100, 2))
    assert thresholds.categories == ("2", "10")
    assert thresholds.promises[0].n_right == 100


def test_no_calibration_tickets_make_silent_promises() -> None:
    """An empty calibration part is no error: everything stays silent."""
    thresholds = fit_thresholds(Table(np.empty((0, 3))), [], [])
    assert [promise.threshold for promise in thresholds.promises] == [None, None, None]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target_precision": 95}, r"target_precision must lie in \(0, 1\)\. Got 95 instead\."),
        ({"target_precision": 1.0}, r"target_precision must lie in \(0, 1\)\. Got 1\.0 instead\."),
        ({"confidence": 0.0}, r"confidence must lie in \(0, 1\)\. Got 0\.0 instead\."),
        ({"confidence": float("nan")}, r"confidence must lie in \(0, 1\)\. Got nan instead\."),
        ({"per": "topic"}, r'per must be "overall" or "category"\. Got \'topic\' instead\.'),
        ({"least_probability": 1.0}, r"least_probability must lie in \[0, 1\)\. Got 1\.0 instead\."),
    ],
)
def test_bad_parameters_are_refused(arguments: dict[str, float], message: str) -> None:
    """A parameter outside what it may be is named, with what it got."""
    with pytest.raises(ParameterError, match=message):
        fit_thresholds(Table([[0.9, 0.1]], "ab"), ["0"], ["a"], **arguments)


def test_wrong_lengths_are_refused() -> None:
    """Texts and categories of different number are an error."""
    with pytest.raises(TrainingDataError, match=r"X and y must have the same length\. Got 1 and 2\."):
        fit_thresholds(Table([[0.9, 0.1]], "ab"), ["0"], ["a", "b"])


@dataclass(frozen=True)
class ScoreModel:
    """A classifier whose score is uniform on (0, 1), and which is right with a known probability at each score."""

    right_at: Callable[[Float64s], Float64s]
    #: Antiderivative of ``right_at``, from 0.
    area: Callable[[float], float]

    def precision(self, threshold: float) -> float:
        """Return the true precision of the tickets at or above a threshold."""
        return (self.area(1.0) - self.area(threshold)) / (1 - threshold)

    def draw(self, rng: np.random.Generator, n: int) -> tuple[Float64s, Bools]:
        """Return the scores of n tickets and whether each is right."""
        scores = rng.random(n)
        return scores, rng.random(n) < self.right_at(scores)

    def breaks(self, threshold: float | None, target: float) -> bool:
        """Say whether a threshold promises more than is true."""
        return threshold is not None and self.precision(threshold) < target


def steps(edge: float, below: float, above: float) -> ScoreModel:
    """Return a model that is right with one probability below an edge and with another from there on."""
    return ScoreModel(
        lambda u: np.where(u < edge, below, above),
        lambda t: below * min(t, edge) + above * max(0.0, t - edge),
    )


def border(target: float) -> ScoreModel:
    """Return a model whose precision is a hair below the target on seven tenths of the tickets, and falls then."""
    return steps(0.3, 0.5, target - 1e-9)


SHARP = ScoreModel(lambda u: 1 - 0.5 * (1 - u) ** 3, lambda t: t - 0.125 + 0.125 * (1 - t) ** 4)
WEAK = ScoreModel(lambda u: 0.75 + 0.2 * u, lambda t: 0.75 * t + 0.1 * t**2)
#: Sharp, but of the hundredth at the very top half is mislabelled.
NOISY_TOP = ScoreModel(
    lambda u: np.where(u > 0.99, 0.5, SHARP.right_at(u)),
    lambda t: SHARP.area(t) if t <= 0.99 else SHARP.area(0.99) + 0.5 * (t - 0.99),
)
MODELS: dict[str, Callable[[float], ScoreModel]] = {
    "sharp": lambda _: SHARP,
    "weak": lambda _: WEAK,
    "border": border,
    "noisy top": lambda _: NOISY_TOP,
}


def naive_threshold(scores: Float64s, is_right: Bools, target: float) -> float | None:
    """Return the usual, wrong choice: the lowest threshold whose precision on the sample meets the target."""
    order = np.argsort(-scores)
    meets = np.flatnonzero(np.cumsum(is_right[order]) >= target * np.arange(1, len(order) + 1))
    return float(scores[order[meets[-1]]]) if len(meets) else None


def allowed(risk: float, n_draws: int) -> float:
    """Return the risk and three standard errors of a share that is counted over draws."""
    return risk + 3 * float(np.sqrt(risk * (1 - risk) / n_draws))


@pytest.mark.parametrize("name", MODELS)
def test_models_state_their_precision(name: str) -> None:
    """The closed form of each model's precision is what 200,000 tickets have, to 0.005."""
    model = MODELS[name](0.9)
    scores, is_right = model.draw(np.random.default_rng(0), 200_000)
    for threshold in (0.0, 0.2, 0.5, 0.8):
        assert is_right[scores >= threshold].mean() == pytest.approx(model.precision(threshold), abs=0.005)


@pytest.mark.slow
@pytest.mark.parametrize("target", [0.9, 0.95])
@pytest.mark.parametrize("n", [100, 300, 1000])
@pytest.mark.parametrize("name", MODELS)
def test_promises_are_kept(name: str, n: int, target: float) -> None:
    """Over many draws, the share of broken promises is at most 1 - confidence, up to three standard errors."""
    model, rng = MODELS[name](target), np.random.default_rng([n, round(100 * target)])
    n_broken = 0
    for _ in range(N_DRAWS):
        scores, is_right = model.draw(rng, n)
        n_broken += model.breaks(promised(scores, is_right, target).threshold, target)
    assert n_broken / N_DRAWS <= allowed(1 - CONFIDENCE, N_DRAWS)


@pytest.mark.slow
@pytest.mark.parametrize("target", [0.9, 0.95])
@pytest.mark.parametrize("n", [100, 300, 1000])
@pytest.mark.parametrize("name", MODELS)
def test_naive_thresholds_break_their_promises(name: str, n: int, target: float) -> None:
    """In the same draws, the lowest threshold that looks right on the sample breaks its promise in over a quarter."""
    model, rng = MODELS[name](target), np.random.default_rng([n, round(100 * target)])
    n_broken = 0
    for _ in range(N_DRAWS):
        scores, is_right = model.draw(rng, n)
        n_broken += model.breaks(naive_threshold(scores, is_right, target), target)
    assert n_broken / N_DRAWS > 0.25


@pytest.mark.slow
def test_promises_are_worth_having() -> None:
    """With 1000 tickets and a sharp model, at least 0.8 of what could be accepted is, in nine of ten draws."""
    # 1 - (1 - t)^3 / 8 = 0.95 at 1 - t = 0.4^(1/3), the greatest coverage that keeps the promise.
    best, rng = 0.4 ** (1 / 3), np.random.default_rng(3)
    coverages = [promised(*SHARP.draw(rng, 1000)).coverage for _ in range(200)]
    assert np.quantile(coverages, 0.1) >= 0.8 * best


@pytest.mark.slow
def test_promises_of_each_category_are_kept() -> None:
    """With per="category" each of three categories breaks its own promise at most as often as stated."""
    n_draws, n, target = 300, 900, 0.9
    models = [SHARP, NOISY_TOP, border(target)]
    rng = np.random.default_rng(4)
    n_broken = np.zeros(3, dtype=int)
    for _ in range(n_draws):
        best, scores = rng.integers(3, size=n), rng.random(n)
        chances = np.choose(best, [model.right_at(scores) for model in models])
        truth = np.where(rng.random(n) < chances, best, (best + 1) % 3)
        # A score of 0 to 1 becomes a probability of 0.5 to 1, the greatest of its row.
        table = Table(rows_of(0.5 + 0.5 * scores, best))
        fitted: Thresholds = fit_thresholds(table, table.texts, table.classes_[truth], target_precision=target)
        cuts = [None if least == np.inf else max(0.0, 2 * least - 1) for least in fitted.least]
        n_broken += [model.breaks(cut, target) for model, cut in zip(models, cuts, strict=True)]
    assert (n_broken / n_draws <= allowed(1 - CONFIDENCE, n_draws)).all()
