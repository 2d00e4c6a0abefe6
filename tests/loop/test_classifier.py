from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import Tags
from sklearn.utils.estimator_checks import estimator_checks_generator, parametrize_with_checks
from sklearn.utils.validation import check_is_fitted, validate_data

from deflect.errors import ParameterError, TrainingDataError
from deflect.line.scorer import Float64s
from deflect.loop.calibration import expected_calibration_error
from deflect.loop.classifier import TicketClassifier, as_texts, fingerprint

Strings = npt.NDArray[np.str_]

SIX = [
    "the CNAME of our domain is wrong",
    "name servers do not answer for the domain",
    "request took 30 s, H12",
    "it is slow, timeout H12",
    "my card was declined",
    "why is the invoice so high",
]
LABELS = ["dns", "dns", "timeout", "timeout", "billing", "billing"]
NEW = ["which CNAME for my domain?", "H12 since noon", "the invoice was declined", "", "zzz"]


class NumbersAsWords(TicketClassifier):
    """Takes numbers, and writes each row as a text, so that scikit-learn's checks, which send numbers, can run."""

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None) -> Self:
        """Fit on rows as texts."""
        return super().fit(self.written(X, is_fit=True), y, sample_weight)

    def predict(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """Predict rows as texts."""
        return super().predict(self.written(X))

    def predict_proba(self, X: npt.ArrayLike) -> Float64s:
        """Return probabilities of rows as texts."""
        return super().predict_proba(self.written(X))

    def decision_function(self, X: npt.ArrayLike) -> Float64s:
        """Return margins of rows as texts."""
        return super().decision_function(self.written(X))

    def written(self, X: npt.ArrayLike, *, is_fit: bool = False) -> list[str]:
        """Return each row as a text: number 3, rounded to halves, becomes a word like c3v1002."""
        if not is_fit:
            check_is_fitted(self)
        numbers = validate_data(self, X, reset=is_fit)
        bins = np.clip(np.round(2 * numbers), -999, 999).astype(int) + 1000
        return [" ".join(f"c{j}v{value}" for j, value in enumerate(row)) for row in bins.tolist()]

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string, tags.input_tags.one_d_array, tags.input_tags.two_d_array = False, False, True
        return tags


def expected_failures(estimator: BaseEstimator) -> dict[str, str]:
    """Return the checks that must fail, each with its reason."""
    del estimator
    return {
        # A ticket of weight 0 is still a ticket that says which words are rare, and still takes a place in a fold of
        # the calibration; test_weight_of_nothing_is_nearly_no_ticket states what holds instead.
        "check_sample_weight_equivalence_on_dense_data": "idf and calibration folds count tickets, not their weights",
    }


# For texts scikit-learn has one check, cloning, and a warning; NumbersAsWords runs them all. Of these it skips
# check_array_api_input by itself: that runs only with the environment variable SCIPY_ARRAY_API, and is about GPUs.
# scikit-learn casts a y of NaN to int before it refuses it.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
@parametrize_with_checks([NumbersAsWords()], expected_failed_checks=expected_failures)
def test_estimator_checks(estimator: BaseEstimator, check: Callable[[BaseEstimator], None]) -> None:
    """The classifier passes scikit-learn's checks of an estimator, but for the expected failures."""
    check(estimator)


def test_estimator_checks_are_many() -> None:
    """Over forty checks run, among them that of every kind of weight: the tags do not switch them off."""
    names = {check.func.__name__ for _, check in estimator_checks_generator(NumbersAsWords())}
    assert len(names) > 40
    assert {"check_classifiers_train", "check_class_weight_classifiers", "check_sample_weights_list"} <= names


class TopicModel:
    """Tickets of a known kind: each category has its own probabilities of words, most of them shared by all."""

    def __init__(self, n_categories: int = 5, n_words: int = 400) -> None:
        rng = np.random.default_rng(0)
        letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
        self.words = np.array(["".join(rng.choice(letters, rng.integers(3, 9))) for _ in range(n_words)])
        shared = rng.dirichlet(np.full(n_words, 0.3))
        self.chances = 0.7 * shared + 0.3 * rng.dirichlet(np.full(n_words, 0.05), size=n_categories)
        self.names = np.array([f"topic {i}" for i in range(n_categories)])

    def draw(self, n: int, seed: int) -> tuple[list[str], Strings]:
        """Return n tickets of 4 to 15 words, and their categories."""
        rng = np.random.default_rng(seed)
        numbers = rng.integers(len(self.names), size=n)
        texts = [
            " ".join(rng.choice(self.words, size=rng.integers(4, 16), p=self.chances[number])) for number in numbers
        ]
        return texts, self.names[numbers]


@pytest.fixture(scope="module")
def topics() -> TopicModel:
    """Return a topic model."""
    return TopicModel()


@pytest.fixture(scope="module")
def train(topics: TopicModel) -> tuple[list[str], Strings]:
    """Return 600 tickets to learn from."""
    return topics.draw(600, seed=1)


@pytest.fixture(scope="module")
def held_out(topics: TopicModel) -> tuple[list[str], Strings]:
    """Return 2,000 tickets to measure on."""
    return topics.draw(2_000, seed=2)


@pytest.fixture(scope="module")
def fitted(train: tuple[list[str], Strings]) -> TicketClassifier:
    """Return a classifier that has learned from them."""
    return TicketClassifier().fit(*train)


def two_of(X: list[str], y: Strings) -> tuple[list[str], Strings]:
    """Return the tickets of the first two categories."""
    is_in = np.isin(y, ["topic 0", "topic 1"])
    return [text for text, chosen in zip(X, is_in.tolist(), strict=True) if chosen], y[is_in]


def margins(classifier: TicketClassifier, X: list[str]) -> Float64s:
    """Return the margins of all categories, also of two."""
    return classifier.scorer_.margins(X).astype(np.float64)


@pytest.mark.parametrize("n_train", [300, 600, 3_500])
def test_probabilities_are_calibrated(topics: TopicModel, held_out: tuple[list[str], Strings], n_train: int) -> None:
    """On held-out tickets of a topic model the calibration error is below 0.04, calibrated either way."""
    X, y = held_out
    classifier = TicketClassifier().fit(*topics.draw(n_train, seed=3))
    proba = classifier.predict_proba(X)
    is_right = classifier.predict(X) == y
    assert 0.6 < is_right.mean() < 0.98
    assert expected_calibration_error(proba.max(axis=1), is_right) < 0.04


def test_margins_alone_are_not_calibrated(fitted: TicketClassifier, held_out: tuple[list[str], Strings]) -> None:
    """Without the fitted sharpness the same margins have a calibration error above 0.2: the fit is what mends it."""
    X, y = held_out
    powers = np.exp(margins(fitted, X))
    proba = powers / powers.sum(axis=1, keepdims=True)
    assert expected_calibration_error(proba.max(axis=1), fitted.predict(X) == y) > 0.2


def test_probabilities_sum_to_one(fitted: TicketClassifier, held_out: tuple[list[str], Strings]) -> None:
    """Each ticket's probabilities sum to 1, and the most probable category is the predicted one."""
    proba = fitted.predict_proba(held_out[0])
    np.testing.assert_allclose(proba.sum(axis=1), 1)
    np.testing.assert_array_equal(fitted.classes_[proba.argmax(axis=1)], fitted.predict(held_out[0]))


def test_many_categories_have_a_margin_each(fitted: TicketClassifier, held_out: tuple[list[str], Strings]) -> None:
    """The decision function of five categories has five columns; the greatest is the predicted category."""
    decision = fitted.decision_function(held_out[0])
    assert decision.shape == (2_000, 5)
    np.testing.assert_array_equal(fitted.classes_[decision.argmax(axis=1)], fitted.predict(held_out[0]))


def test_two_categories_have_one_margin(train: tuple[list[str], Strings], held_out: tuple[list[str], Strings]) -> None:
    """The decision function of two categories has one number a ticket, above 0 where the second is predicted."""
    classifier = TicketClassifier().fit(*two_of(*train))
    X, _ = two_of(*held_out)
    decision = classifier.decision_function(X)
    assert decision.shape == (len(X),)
    np.testing.assert_array_equal(classifier.classes_[(decision > 0).astype(int)], classifier.predict(X))
    assert classifier.predict_proba(X).shape == (len(X), 2)


def test_two_categories_are_told_apart(train: tuple[list[str], Strings], held_out: tuple[list[str], Strings]) -> None:
    """Two topics are told apart in nine of ten held-out tickets."""
    assert TicketClassifier(min_pair_df=1).fit(*two_of(*train)).score(*two_of(*held_out)) > 0.9


def weighted(
    X: list[str], y: Strings, class_weight: Mapping[str, float] | str | None, weights: npt.ArrayLike | None = None
) -> Float64s:
    """Return the margins of new tickets after learning with weights."""
    return margins(TicketClassifier(class_weight=class_weight, tol=1e-5, max_iter=200).fit(X, y, weights), NEW + X[:50])


def test_class_weight_is_the_weight_of_its_tickets(train: tuple[list[str], Strings]) -> None:
    """A class_weight of 3 for a category learns what a sample_weight of 3 for each of its tickets learns."""
    by_category = weighted(*train, {"topic 1": 3.0})
    by_ticket = weighted(*train, None, np.where(train[1] == "topic 1", 3.0, 1.0))
    np.testing.assert_allclose(by_category, by_ticket, atol=1e-6)


def test_balanced_counts_each_category_the_same(train: tuple[list[str], Strings]) -> None:
    """class_weight="balanced" is the dict of n_tickets / (n_categories * n_tickets of the category)."""
    names, counts = np.unique(train[1], return_counts=True)
    by_hand = {str(name): 600 / (5 * count) for name, count in zip(names, counts, strict=True)}
    np.testing.assert_allclose(weighted(*train, "balanced"), weighted(*train, by_hand), atol=1e-6)


def test_heavier_category_is_predicted_more(
    train: tuple[list[str], Strings], held_out: tuple[list[str], Strings]
) -> None:
    """A category that weighs more is predicted more often."""
    counts = [
        (TicketClassifier(class_weight={"topic 1": weight}).fit(*train).predict(held_out[0]) == "topic 1").sum()
        for weight in (0.1, 1, 10)
    ]
    assert all(left < right for left, right in pairwise(counts))


def test_weights_of_two_double_the_cost(train: tuple[list[str], Strings]) -> None:
    """A sample_weight of 2 everywhere learns what twice the C learns."""
    X, y = train
    heavy = TicketClassifier(C=1, tol=1e-5, max_iter=200).fit(X, y, np.full(600, 2))
    strong = TicketClassifier(C=2, tol=1e-5, max_iter=200).fit(X, y)
    np.testing.assert_allclose(margins(heavy, NEW + X), margins(strong, NEW + X), atol=1e-5)


def test_weight_of_nothing_is_nearly_no_ticket(
    train: tuple[list[str], Strings], held_out: tuple[list[str], Strings]
) -> None:
    """Tickets with a wrong category and weight 0 move no margin by more than 0.1, where all is solved closely.

    They still count as tickets in idf, so the margins are not the same to the last digit.
    """
    X, y = train
    wrong = np.where(y[:60] == "topic 0", "topic 1", "topic 0")
    weights = np.repeat([1.0, 0.0], [600, 60])
    closely = TicketClassifier(min_pair_df=1, tol=1e-5)
    ignored = clone(closely).fit(X + X[:60], np.concatenate((y, wrong)), weights)
    removed = clone(closely).fit(X, y)
    assert abs(margins(ignored, held_out[0]) - margins(removed, held_out[0])).max() < 0.1


@pytest.mark.parametrize("y", [["dns"] * 6, [3] * 6])
def test_one_category_is_refused(y: list[object]) -> None:
    """Tickets of one category only are an error that names it."""
    with pytest.raises(TrainingDataError, match=r"at least two categories\. Got only .*(dns|3).*, one class\."):
        TicketClassifier().fit(SIX, y)


def test_no_tickets_are_refused() -> None:
    """No tickets are an error of the same kind."""
    with pytest.raises(TrainingDataError, match=r"at least two categories\. Got none\."):
        TicketClassifier().fit([], [])


def test_empty_texts_only_are_refused() -> None:
    """Tickets without any word are an error that asks for the right column."""
    with pytest.raises(TrainingDataError, match=r"must contain words\. Got only empty texts\. Check which columns"):
        TicketClassifier().fit(["", " ?! ", ""], ["a", "b", "a"])


@pytest.mark.parametrize("nothing", [None, float("nan"), np.nan, pd.NA, pd.NaT])
def test_missing_texts_are_empty(nothing: object) -> None:
    """None and every kind of NaN count as empty, in fit and in predict."""
    holed, empty = ([*SIX, text] for text in (nothing, ""))
    labels = [*LABELS, "dns"]
    left, right = (TicketClassifier().fit(X, labels).predict_proba(X) for X in (holed, empty))
    np.testing.assert_array_equal(left, right)


@pytest.mark.parametrize("dtype", ["object", "string", "str"])
def test_columns_of_a_frame_are_texts(dtype: str) -> None:
    """A pandas column of any text type, with a missing value, is read."""
    assert as_texts(pd.Series(["a", None, "b"], dtype=dtype)) == ["a", "", "b"]


def test_arrays_and_iterators_are_texts() -> None:
    """A NumPy array and a generator are read like a list."""
    assert as_texts(np.array(["a", "b"])) == as_texts(text for text in "ab") == ["a", "b"]


@pytest.mark.parametrize("text", ["one ticket", b"one ticket"])
def test_one_text_is_refused(text: str | bytes) -> None:
    """A text in place of a list of texts is an error that says how to make a list."""
    with pytest.raises(TrainingDataError, match=r"X must be a sequence of texts\. Got one text\. .* \[text\]"):
        TicketClassifier().fit(SIX, LABELS).predict(text)  # type: ignore[arg-type]  # The mistake is the point.


@pytest.mark.parametrize(
    ("X", "kind", "place"),
    [(["a", 3], "int", 1), ([b"a"], "bytes", 0), (np.ones((2, 2)), "ndarray", 0), (["a", ["b"]], "list", 1)],
)
def test_what_is_no_text_is_refused(X: Iterable[object], kind: str, place: int) -> None:
    """Something else than a text is an error that tells its kind and place."""
    with pytest.raises(TrainingDataError, match=rf"X must hold texts\. Got {kind} at place {place}\."):
        as_texts(X)


@pytest.mark.parametrize(
    ("y", "shape"), [(LABELS[:5], r"\(5,\)"), ([*LABELS, "dns"], r"\(7,\)"), ([["a", "b"]] * 6, r"\(6, 2\)")]
)
def test_labels_of_other_length_are_refused(y: list[object], shape: str) -> None:
    """Categories of another number than the texts are an error that tells both."""
    with pytest.raises(
        TrainingDataError, match=rf"y must have one value for each of the 6 tickets\. Got shape {shape}"
    ):
        TicketClassifier().fit(SIX, y)


@pytest.mark.parametrize("nothing", [None, float("nan"), pd.NA])
def test_missing_labels_are_refused(nothing: object) -> None:
    """A ticket without a category is an error that tells its place."""
    labels = pd.Series([*LABELS[:4], nothing, "billing"], dtype=object)
    with pytest.raises(TrainingDataError, match=r"y must have a category for each ticket\. Got none at place 4\."):
        TicketClassifier().fit(SIX, labels)


def test_no_labels_are_refused() -> None:
    """Fitting without categories is an error."""
    with pytest.raises(TrainingDataError, match="requires y to be passed"):
        TicketClassifier().fit(SIX, None)  # type: ignore[arg-type]  # The mistake is the point.


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1, 1], r"sample_weight must have one value for each of the 6 tickets\. Got shape \(2,\)\."),
        ([-1, 1, 1, 1, 1, 1], "sample_weight must be finite and 0 or more everywhere"),
        ([np.nan, 1, 1, 1, 1, 1], "sample_weight must be finite and 0 or more everywhere"),
        ([np.inf, 1, 1, 1, 1, 1], "sample_weight must be finite and 0 or more everywhere"),
        ([0, 0, 0, 0, 0, 0], "sample_weight .* must not be zero for all tickets"),
    ],
)
def test_bad_weights_are_refused(weights: list[float], message: str) -> None:
    """Weights of another number, below 0, not finite, or all 0 are an error."""
    with pytest.raises(TrainingDataError, match=message):
        TicketClassifier().fit(SIX, LABELS, weights)


@pytest.mark.parametrize(
    ("name", "value", "must"),
    [
        ("C", 0, "a finite number above 0, or None"),
        ("C", float("inf"), "a finite number above 0, or None"),
        ("C", float("nan"), "a finite number above 0, or None"),
        ("C", "1", "a finite number above 0, or None"),
        ("gram_weight", -0.5, "a finite number, 0 or more"),
        ("vector_weight", -0.5, "a finite number, 0 or more, or None"),
        ("min_pair_df", 0, "a whole number, 1 or more, or None"),
        ("min_pair_df", 1.5, "a whole number, 1 or more, or None"),
        ("tol", 1, r"a number in \(0, 1\), or None"),
        ("tol", "1e-3", r"a number in \(0, 1\), or None"),
        ("max_iter", 0, "a whole number, 1 or more"),
        ("max_iter", 2.5, "a whole number, 1 or more"),
    ],
)
def test_bad_parameters_are_refused(name: str, value: object, must: str) -> None:
    """A parameter outside what it may be is an error of fit that says what it must be and what it got."""
    classifier = TicketClassifier().set_params(**{name: value})
    message = rf"The parameter {name} of TicketClassifier must be {must}\. Got {value!r} instead\."
    with pytest.raises(ParameterError, match=message):
        classifier.fit(SIX, LABELS)


def test_bad_class_weight_is_refused() -> None:
    """A class_weight with another name than balanced is an error."""
    with pytest.raises(
        ParameterError, match=r"class_weight must be None, \"balanced\" or a dict\. Got 'even' instead\."
    ):
        TicketClassifier(class_weight="even").fit(SIX, LABELS)


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_unfitted_classifier_says_so(method: str) -> None:
    """Before fit there is nothing to predict with."""
    with pytest.raises(NotFittedError, match="not fitted yet"):
        getattr(TicketClassifier(), method)(SIX)


def test_fit_is_deterministic(train: tuple[list[str], Strings], fitted: TicketClassifier) -> None:
    """One random_state gives the same model to the last bit, whatever the state of NumPy's global generator."""
    again = TicketClassifier().fit(*train)
    np.testing.assert_array_equal(again.scorer_.table, fitted.scorer_.table)
    assert again.scorer_.sharpness == fitted.scorer_.sharpness


def test_random_state_may_be_a_generator(train: tuple[list[str], Strings]) -> None:
    """A RandomState of a seed gives what the seed gives; another seed calibrates on another cut."""
    seeded, generated, other = (
        TicketClassifier(random_state=state).fit(*train).scorer_.sharpness for state in (3, np.random.RandomState(3), 4)
    )
    assert seeded == generated
    assert seeded != other


@pytest.mark.parametrize(("n_characters", "least"), [(5, 1), (300, 2)])
def test_pairs_of_one_ticket(n_characters: int, least: int) -> None:
    """Of a few short tickets every pair is learned, of long ones those that two tickets have."""
    texts = [f"{word} {'x' * n_characters}" for word in ("dns", "cname", "slow", "h12")]
    by_default, given = (
        TicketClassifier(min_pair_df=df).fit(texts, ["dns", "dns", "timeout", "timeout"]).scorer_
        for df in (None, least)
    )
    other = TicketClassifier(min_pair_df=3 - least).fit(texts, ["dns", "dns", "timeout", "timeout"]).scorer_
    assert len(by_default.table) == len(given.table) != len(other.table)


@pytest.mark.parametrize(
    ("n_idle", "weight", "taken"), [(40, None, 0.5), (10, None, 0), (10, 0.25, 0.25), (40, 0.0, 0)]
)
def test_words_of_long_tickets_are_weighed_again(n_idle: int, weight: float | None, taken: float) -> None:
    """Where most words tell nothing, by default what was learned of words is tried, and only there; or as one says."""
    rng = np.random.default_rng(0)
    texts = [" ".join((*(f"w{word}" for word in rng.integers(999, size=n_idle)), f"sign{i % 2}")) for i in range(300)]
    labels = ["dns", "timeout"] * 150
    fitted = TicketClassifier(adaptive_weight=weight, information_weight=0, vector_weight=0).fit(texts, labels)
    assert fitted.adaptive_weight_ == taken


def test_parameters_are_kept() -> None:
    """get_params returns what __init__ got, set_params changes it, and clone copies it and nothing learned."""
    classifier = TicketClassifier(C=0.5, class_weight="balanced", min_pair_df=2).fit(SIX, LABELS)
    copied = clone(classifier.set_params(gram_weight=0.0))
    assert copied.get_params() == {
        "C": 0.5,
        "class_weight": "balanced",
        "encoder": None,
        "encoder_weight": None,
        "gram_weight": 0.0,
        "information_weight": None,
        "adaptive_weight": None,
        "max_iter": 50,
        "min_pair_df": 2,
        "random_state": 0,
        "tol": None,
        "vector_weight": None,
    }
    assert not hasattr(copied, "scorer_")


def test_pipeline_passes_texts(train: tuple[list[str], Strings], held_out: tuple[list[str], Strings]) -> None:
    """In a pipeline behind a step that changes the texts, the classifier reads what the step made."""
    pipeline = make_pipeline(FunctionTransformer(str_lower), TicketClassifier()).fit(*train)
    shouted = [text.upper() for text in held_out[0]]
    np.testing.assert_array_equal(pipeline.predict(shouted), pipeline.predict(held_out[0]))
    assert pipeline.score(*held_out) > 0.7


def str_lower(texts: list[str]) -> list[str]:
    """Return texts in lower case."""
    return [text.lower() for text in texts]


def test_parallel_cross_validation_gives_the_same_numbers(train: tuple[list[str], Strings]) -> None:
    """Cross validation in two processes scores as in one, and far above guessing, which gives 0.2."""
    alone, parallel = (cross_val_score(TicketClassifier(), *train, cv=3, n_jobs=n_jobs) for n_jobs in (1, 2))
    np.testing.assert_array_equal(alone, parallel)
    assert alone.min() > 0.6


def test_unseen_and_empty_texts_have_probabilities() -> None:
    """A ticket of unseen words and one of none have finite probabilities that sum to 1."""
    proba = TicketClassifier().fit(SIX, LABELS).predict_proba(["qqqq xxxx", "", "?!", "\0", "超时"])
    assert (proba > 0).all()
    np.testing.assert_allclose(proba.sum(axis=1), 1)


def test_words_with_typos_are_still_known() -> None:
    """A word that training never saw is told by its n-grams; without n-grams it is not."""
    typo = ["invoces declin"]
    assert TicketClassifier().fit(SIX, LABELS).predict(typo).tolist() == ["billing"]
    scorer = TicketClassifier(gram_weight=0.0).fit(SIX, LABELS).scorer_
    unknown, empty = scorer.margins([*typo, ""])
    np.testing.assert_allclose(unknown, empty, atol=1e-6)


def test_a_ticket_of_unknown_words_is_less_sure() -> None:
    """Words that training never saw take from the probability of what the others say."""
    classifier = TicketClassifier().fit(SIX, LABELS)
    alone, among = classifier.predict_proba(["invoice", "invoice zzyzx qwrtp vbnmk"])
    assert alone.argmax() == among.argmax()
    assert alone.max() > among.max() + 0.05


def test_categories_may_be_numbers() -> None:
    """Categories that are numbers are predicted as numbers, sorted as numbers, and named as text in the scorer."""
    numbers = [2, 2, 10, 10, 1, 1]
    classifier = TicketClassifier().fit(SIX, numbers)
    assert classifier.classes_.tolist() == [1, 2, 10]
    assert classifier.predict(SIX).tolist() == numbers
    assert classifier.scorer_.categories == ("1", "2", "10")


def test_order_of_tickets_plays_no_part_in_margins(train: tuple[list[str], Strings]) -> None:
    """Shuffled tickets train the same margins, up to what the other cut of held-out tickets says of the scales."""
    X, y = train
    order = np.random.default_rng(0).permutation(600)
    shuffled = TicketClassifier(tol=1e-5, max_iter=200).fit([X[i] for i in order], y[order])
    straight = TicketClassifier(tol=1e-5, max_iter=200).fit(X, y)
    np.testing.assert_allclose(margins(shuffled, NEW + X), margins(straight, NEW + X), atol=0.05)


def test_tickets_are_scored_alone_as_together(fitted: TicketClassifier, held_out: tuple[list[str], Strings]) -> None:
    """A ticket's probabilities do not depend on the tickets beside it."""
    together = fitted.predict_proba(held_out[0][:400])
    alone = np.concatenate([fitted.predict_proba([text]) for text in held_out[0][:400]])
    np.testing.assert_allclose(alone, together, atol=1e-5)


def test_progress_is_told_by_stage() -> None:
    """Progress is told for reading and for learning, and both end at their total."""
    told: list[tuple[str, int, int]] = []
    TicketClassifier().fit(SIX, LABELS, progress=lambda *what: told.append(what))
    last = {stage: (done, total) for stage, done, total in told}
    assert last == {"reading": (6, 6), "learning": (100, 100)}


def test_fingerprint_tells_tickets_apart() -> None:
    """The fingerprint changes with one category, one letter, the order, or where a text ends; else it stays."""
    labels = np.array(LABELS)
    other_label, other_text = labels.copy(), list(SIX)
    other_label[0], other_text[0] = "timeout", SIX[0] + "!"
    prints = [
        fingerprint(SIX, labels),
        fingerprint(SIX, other_label),
        fingerprint(other_text, labels),
        fingerprint(SIX[::-1], labels[::-1]),
        fingerprint(["ab", "c"], np.array(["x", "x"])),
        fingerprint(["a", "bc"], np.array(["x", "x"])),
    ]
    assert len(set(prints)) == 6
    assert TicketClassifier().fit(SIX, LABELS).fingerprint_ == prints[0]


def test_cost_falls_with_the_number_of_tickets() -> None:
    """Where no C is given, up to 4,000 tickets have the model of C = 1.5, and more have that of the root's."""
    texts = [f"{word} w{i % 97}" for i, word in enumerate(["dns", "timeout", "dns", "invoice"] * 1500)]
    labels = ["dns", "timeout", "dns", "billing"] * 1500
    for n, cost in ((3000, 1.5), (6000, 1.5 * np.sqrt(4 / 6))):
        free, fixed = (TicketClassifier(C=c, vector_weight=0.0).fit(texts[:n], labels[:n]) for c in (None, cost))
        np.testing.assert_array_equal(free.scorer_.table, fixed.scorer_.table)


def test_vectors_carry_tickets_to_words_never_seen() -> None:
    """With word vectors a ticket whose words training never saw goes where their meaning belongs."""
    texts = ["refund my invoice", "wrong invoice amount", "cannot log in", "forgot the password"] * 5
    labels = ["billing", "billing", "account", "account"] * 5
    asked = ["reimbursement for the receipt", "locked out of authentication"]
    classifier = TicketClassifier(gram_weight=0.0).fit(texts, labels)
    assert classifier.predict(asked).tolist() == ["billing", "account"]
    assert classifier.vector_weight_ in (0.5, 1.25)


#: 50 words each, no two alike.
FOODS = """
apple bread butter cheese chicken chocolate coffee cookie cream egg fish flour fruit garlic honey juice lemon lunch
meal meat milk mushroom noodle onion orange pasta pepper pizza potato rice salad salt sandwich sauce soup spice
steak sugar tea tomato vegetable wine dinner breakfast dessert recipe restaurant banana beef beer
"""
TRAVELS = """
airport bank bicycle bridge bus car city country distance drive driver flight gas hotel journey highway map mile
motor passenger passport plane reservation road route seat station street suitcase taxi ticket tire tourist traffic
train travel trip truck vacation vehicle visa airline luggage parking subway ferry boat harbor tunnel toll
"""


def test_words_that_are_all_new_make_vectors_count_most() -> None:
    """From 100 tickets on vectors may count 2.5, and do where no word stands in two tickets."""
    for n, expected in ((50, (2.5,)), (49, (0.5, 1.25))):
        labels = ["food"] * n + ["travel"] * n
        classifier = TicketClassifier(gram_weight=0.0, min_pair_df=2)
        classifier.fit([*FOODS.split()[:n], *TRAVELS.split()[:n]], labels)
        assert classifier.vector_weight_ in expected
