"""Learns categories from labelled tickets, as a scikit-learn classifier whose input is text."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.class_weight import compute_class_weight
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, check_random_state, column_or_1d

from deflect.errors import ParameterError, TrainingDataError
from deflect.line.encoder import Encoder
from deflect.line.scorer import Float64s, Scorer
from deflect.loop.calibration import fit_calibration
from deflect.loop.encoding import encode_tickets
from deflect.loop.folding import BlockWeights, fold_model
from deflect.loop.texts import as_texts, fingerprint, is_missing
from deflect.loop.trials import N_FOLDS, Task, best_trial, learn
from deflect.loop.vocabulary import Progress, Vocabulary, quiet, read_vocabulary
from deflect.loop.word_vectors import load_word_vectors, no_word_vectors

if TYPE_CHECKING:
    from sklearn.utils import Tags

#: Rare pairs are most of the table of a large archive, and least of what it knows: 16 MB of pairs are enough. So are 16
#: MB of words that training never saw: what is beyond them is put together from its n-grams.
_MAX_WEIGHTS = 1 << 22
#: Where no C is given, it is the most up to this many tickets, and falls with the root of their number to the least.
_MOST_COST, _MOST_COST_UP_TO, _LEAST_COST = 1.5, 4_000, 0.6
#: Weights of the vectors that are tried where none is given, in archives of up to so many tickets: the fewer there are,
#: the more is heard in words that training never saw. Below 100 a trial tells too little to trust the vectors most.
_VECTOR_WEIGHTS = (
    (99, (0.5, 1.25)),
    (1_000, (0.5, 1.25, 2.5)),
    (20_000, (0.5, 1.25)),
    (50_000, (0.25, 0.5)),
    (math.inf, (0.25,)),
)
#: The same for an encoder; beside one the word vectors' weight makes no difference, and is not tried.
_ENCODER_WEIGHTS = ((50_000, (1.2, 0.6)), (math.inf, (1.2,)))
_VECTOR_WEIGHT_BESIDE_ENCODER = 0.5
#: Shares of information in the words' weights: the first, and those that must prove better.
_INFORMATION_WEIGHTS = ((50_000, (0.0, 0.5)), (math.inf, (0.5,)))
#: The same for what was learned of words, in archives of long tickets.
_ADAPTIVE_WEIGHTS = ((50_000, (0.0, 0.5)), (math.inf, (0.0,)))
#: Of short tickets nearly every word tells: in an archive of more than so many, information brings nothing.
_INFORMATION_OF_SHORT_UP_TO = 6_000
#: What a small gradient leaves to be learned is more where dense features hang together: it must fall ten times as far.
_ENCODER_TOL = 0.1
#: How closely the weights are solved, and how closely in an archive of more than so many tickets.
_TOL, _LARGE, _TOL_OF_LARGE = 3e-4, 50_000, 3e-3
#: So few tickets, of so many characters on the mean, keep pairs that one of them alone has (docs/measurements.md).
_FEW, _SHORT = 20_000, 120


class TicketClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types.
    """Classify tickets by their words, word pairs and character n-grams, and by what is known of words beforehand.

    The first and the last two words count once more as what a ticket begins and ends with.

    When to use it: to train on labelled tickets; wherever scikit-learn takes a classifier. To answer tickets in a
    ticket form, put it into a ``Deflector``, which can be saved and loaded without scikit-learn.

    Parameters
    ----------
    C
        Weight of the errors against the penalty on large weights, above 0. Smaller is smoother. None (default) means
        1.5 for up to 4,000 tickets, and less for more: 1.5 * sqrt(4,000 / n_tickets), at least 0.6. An error on a
        ticket's own category counts C * n_categories ** 0.25, one on another C / n_categories ** 0.25.
    class_weight
        None (default) counts every ticket the same; "balanced" counts every category the same; a dict gives the weight
        of each category.
    gram_weight
        Weight of a word's character n-grams beside the word itself, 0 or more; 0 leaves them out. Default 1.
    vector_weight
        Weight of the word vectors that come with the package, 0 or more; 0 leaves them out. None (default) tries 0.5
        and 1.25 on tickets held out; from 100 to 1,000 tickets 2.5 as well; from 20,000 tickets on 0.25 and 0.5, and
        from 50,000 on it means 0.25. Beside an encoder it means 0.5.
    encoder
        A sentence encoder: any object with ``encode(list of str) -> (n, n_dims) array``, such as one of
        ``load_encoder``. It makes the model more accurate and hundreds of times slower, and each bundle of it needs the
        encoder again. None (default) is none.
    encoder_weight
        Weight of the encoder beside the words, 0 or more. None (default) tries 1.2 and 0.6 on tickets held out, up to
        50,000 tickets; for more it means 1.2.
    information_weight
        Share of what a word or pair tells of the categories in its weight, 0 to 1; the rest is its idf. It helps with
        long tickets, where many words tell nothing, and hardly with short ones. None (default) tries 0.5 on tickets
        held out and takes it where their log loss falls by a hundredth, up to 50,000 tickets; for more it means 0.5.
        For more than 6,000 tickets of up to 120 characters on the mean it means 0.
    adaptive_weight
        Power of what a first model learned of a word in its weight in a second model, 0 to 1; 0 leaves it at one model.
        None (default) tries 0.5 in the same way, for tickets of more than 120 characters on the mean, where most words
        tell nothing; for shorter ones, and for more than 50,000, it means 0.
    min_pair_df
        A word pair, a beginning or an end must stand in this many training tickets to be learned, 1 or more. None
        (default) means 2, and 1 for up to 20,000 tickets of up to 120 characters on the mean, where each pair tells
        more. It is raised where pairs times categories would be more than 4 million numbers.
    tol
        The solver stops when each category's gradient is this fraction of its first, with an encoder a tenth of it.
        Default 0.0003.
    max_iter
        Greatest number of the solver's Newton steps. Default 50.
    random_state
        Seed of the cut that probabilities are calibrated on: None, an int or a RandomState. Default 0.

    Attributes
    ----------
    classes_
        The categories, sorted, (n_categories,).
    scorer_
        The trained model folded into tables.
    vector_weight_
        The weight that the word vectors have.
    encoder_weight_
        The weight that the encoder has, 0 where there is none.
    information_weight_
        The share of information in the weights of words and pairs.
    adaptive_weight_
        The power of what a first model learned of words in their weights, 0 where there was no other.
    n_iter_
        Newton steps that the final solution took.
    fingerprint_
        SHA-256 of the training tickets and their categories, in order.

    Examples
    --------
    >>> from deflect import TicketClassifier
    >>> tickets = [
    ...     "the CNAME of our domain is wrong",
    ...     "name servers do not answer",
    ...     "request took 30 s",
    ...     "it is slow, H12",
    ... ]
    >>> classifier = TicketClassifier().fit(tickets, ["dns", "dns", "timeout", "timeout"])
    >>> classifier.predict(["which name servers for my domain?"]).tolist()
    ['dns']

    """

    def __init__(
        self,
        *,
        C: float | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
        gram_weight: float = 1.0,
        vector_weight: float | None = None,
        encoder: Encoder | None = None,
        encoder_weight: float | None = None,
        information_weight: float | None = None,
        adaptive_weight: float | None = None,
        min_pair_df: int | None = None,
        tol: float | None = None,
        max_iter: int = 50,
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.C = C
        self.class_weight = class_weight
        self.gram_weight = gram_weight
        self.vector_weight = vector_weight
        self.encoder = encoder
        self.encoder_weight = encoder_weight
        self.information_weight = information_weight
        self.adaptive_weight = adaptive_weight
        self.min_pair_df = min_pair_df
        self.tol = tol
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(
        self,
        X: Iterable[str],
        y: npt.ArrayLike,
        sample_weight: npt.ArrayLike | None = None,
        *,
        groups: npt.ArrayLike | None = None,
        progress: Progress = quiet,
    ) -> Self:
        """Learn from tickets.

        Parameters
        ----------
        X
            Texts, (n_tickets,). None and NaN count as empty.
        y
            Categories, (n_tickets,), at least two different ones.
        sample_weight
            Weights of the tickets, (n_tickets,), 0 or more; None means 1 for each.
        groups
            Whole numbers, (n_tickets,): tickets of one group are held out together where weights are tried and
            probabilities calibrated, those of a group below 0 never. None (default) puts each into a group of its own.
        progress
            Called as ``progress(stage, done, total)``; default says nothing.

        Returns
        -------
        The classifier itself.

        Raises
        ------
        ParameterError
            A parameter is outside what it may be.
        TrainingDataError
            The tickets cannot be learned from.

        """
        self._check_parameters()
        texts = as_texts(X)
        labels, costs = self._checked_labels(texts, y, sample_weight)
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            got = "none" if not len(self.classes_) else f"only {self.classes_[0]!r}, one class"
            msg = f"A classifier needs tickets of at least two categories. Got {got}. Add tickets of other categories."
            raise TrainingDataError(msg)
        vocabulary = self._vocabulary(texts, progress)
        costs = costs * self._class_costs(numbers, costs)
        task = self._task(numbers, costs, progress)
        folds = self._folds(np.arange(len(texts)) if groups is None else np.asarray(groups))
        weights, changes = self._weights(texts)
        trial = best_trial(task, vocabulary, weights, folds, changes=changes)
        model = learn(task, vocabulary, trial.weights, start=trial.learned)
        self.n_iter_ = model.n_iterations
        self.vector_weight_, self.encoder_weight_ = trial.weights.vectors, trial.weights.encoder
        self.information_weight_, self.adaptive_weight_ = trial.weights.information, trial.weights.adaptive
        self.fingerprint_ = fingerprint(texts, labels)
        categories = tuple(str(category) for category in self.classes_)
        self.scorer_ = fold_model(
            vocabulary,
            model.design,
            model.weights,
            weights=trial.weights,
            terms=model.terms,
            categories=categories,
            calibration=fit_calibration(trial.held_out),
        )
        return self

    def predict(self, X: Iterable[str]) -> npt.NDArray[Any]:
        """Return the most probable category of each ticket, (n_tickets,)."""
        numbers = self._fitted().margins(as_texts(X)).argmax(axis=1)
        chosen: npt.NDArray[Any] = self.classes_[numbers]
        return chosen

    def predict_proba(self, X: Iterable[str]) -> Float64s:
        """Return the probability of each category, (n_tickets, n_categories), columns as in ``classes_``."""
        return self._fitted().probabilities(as_texts(X))

    def decision_function(self, X: Iterable[str]) -> Float64s:
        """Return margins times certainty, (n_tickets, n_categories); of two the second's over the first's (n_tickets,).

        They are ordered as the probabilities are.
        """
        scored = self._fitted().scored(as_texts(X))
        margins = np.multiply(scored.margins, scored.certainty[:, None], dtype=np.float64)
        return margins[:, 1] - margins[:, 0] if len(self.classes_) == 2 else margins

    def __sklearn_tags__(self) -> Tags:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def _fitted(self) -> Scorer:
        if not hasattr(self, "scorer_"):  # Looking oneself spares a ticket a third of its time.
            check_is_fitted(self)
        return self.scorer_

    def _check_parameters(self) -> None:
        bounds: list[tuple[str, Callable[[Any], object], str]] = [
            ("C", lambda v: 0 < v < math.inf, "a finite number above 0, or None"),
            ("gram_weight", lambda v: 0 <= v < math.inf, "a finite number, 0 or more"),
            ("vector_weight", lambda v: 0 <= v < math.inf, "a finite number, 0 or more, or None"),
            ("encoder_weight", lambda v: 0 <= v < math.inf, "a finite number, 0 or more, or None"),
            ("information_weight", lambda v: 0 <= v <= 1, "a number from 0 to 1, or None"),
            ("adaptive_weight", lambda v: 0 <= v <= 1, "a number from 0 to 1, or None"),
            ("min_pair_df", lambda v: isinstance(v, int | np.integer) and v >= 1, "a whole number, 1 or more, or None"),
            ("tol", lambda v: 0 < v < 1, "a number in (0, 1), or None"),
            ("max_iter", lambda v: isinstance(v, int | np.integer) and v >= 1, "a whole number, 1 or more"),
        ]
        for name, is_good, must in bounds:
            value = getattr(self, name)
            if value is None and name not in ("gram_weight", "max_iter"):
                continue
            if not isinstance(value, int | float | np.number) or not is_good(value):
                msg = f"The parameter {name} of TicketClassifier must be {must}. Got {value!r} instead."
                raise ParameterError(msg)
        encoder: object = self.encoder  # Maybe a name; a str can encode too.
        if encoder is not None and (isinstance(encoder, str) or not hasattr(encoder, "encode")):
            msg = (
                "The parameter encoder of TicketClassifier must be an object with a method encode, or None. "
                f"Got {type(self.encoder).__name__} instead. Load one: load_encoder(name_or_path)."
            )
            raise ParameterError(msg)

    def _checked_labels(
        self, texts: Sequence[str], y: npt.ArrayLike, sample_weight: npt.ArrayLike | None
    ) -> tuple[npt.NDArray[Any], Float64s]:
        if y is None:
            msg = "TicketClassifier requires y to be passed, but the target y is None."
            raise TrainingDataError(msg)
        labels = np.asarray(y)
        missing = [i for i, label in enumerate(labels.tolist()) if is_missing(label)] if labels.dtype == object else []
        if missing:
            msg = f"y must have a category for each ticket. Got none at place {missing[0]}. Leave out such tickets."
            raise TrainingDataError(msg)
        if labels.ndim == 2 and labels.shape[1] == 1:
            labels = column_or_1d(labels, warn=True)
        check_classification_targets(labels)
        weights = np.ones(len(texts)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
        for name, values in (("y", labels), ("sample_weight", weights)):
            if values.shape != (len(texts),):
                msg = f"{name} must have one value for each of the {len(texts)} tickets. Got shape {values.shape}."
                raise TrainingDataError(msg)
        if not np.isfinite(weights).all() or (weights < 0).any() or (len(weights) and not weights.any()):
            msg = "sample_weight must be finite and 0 or more everywhere, and must not be zero for all tickets."
            raise TrainingDataError(msg)
        return labels, weights

    def _vocabulary(self, texts: Sequence[str], progress: Progress) -> Vocabulary:
        vectors = no_word_vectors() if self.vector_weight == 0 else load_word_vectors()
        most = _MAX_WEIGHTS // len(self.classes_)
        least = self._least_pair_df(texts) if self.min_pair_df is None else self.min_pair_df
        vocabulary = read_vocabulary(texts, vectors, min_pair_df=least, most=most, progress=progress)
        if not len(vocabulary.word_hashes):
            msg = "The training tickets must contain words. Got only empty texts. Check which columns hold the text."
            raise TrainingDataError(msg)
        if self.encoder is None:
            return vocabulary
        return replace(vocabulary, encoded=encode_tickets(self.encoder, texts, progress))

    def _least_pair_df(self, texts: Sequence[str]) -> int:
        return 1 if len(texts) <= _FEW and _are_short(texts) else 2

    def _class_costs(self, numbers: npt.NDArray[np.int64], weights: Float64s) -> Float64s:
        if self.class_weight is None:
            return np.ones(len(numbers))
        if isinstance(self.class_weight, str) and self.class_weight != "balanced":
            msg = f'class_weight must be None, "balanced" or a dict. Got {self.class_weight!r} instead.'
            raise ParameterError(msg)
        classes = self.classes_
        costs = compute_class_weight(self.class_weight, classes=classes, y=classes[numbers], sample_weight=weights)
        return np.asarray(costs, dtype=np.float64)[numbers]

    def _folds(self, groups: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Put each ticket into a part to be held out, or into the one behind the last, which never is."""
        different, numbers = np.unique(groups, return_inverse=True)
        folds = check_random_state(self.random_state).permutation(len(different)) % N_FOLDS
        folds[different < 0] = N_FOLDS
        chosen: npt.NDArray[np.int64] = folds[numbers]
        return chosen

    def _task(self, numbers: npt.NDArray[np.int64], costs: Float64s, progress: Progress) -> Task:
        cost = self.C
        if cost is None:
            cost = float(np.clip(_MOST_COST * np.sqrt(_MOST_COST_UP_TO / len(numbers)), _LEAST_COST, _MOST_COST))
        tol = self.tol or (_TOL if len(numbers) <= _LARGE else _TOL_OF_LARGE)
        tol = tol if self.encoder is None else tol * _ENCODER_TOL
        return Task(numbers, cost * costs, len(self.classes_), tol, self.max_iter, progress)

    def _weights(self, texts: Sequence[str]) -> tuple[list[BlockWeights], list[dict[str, float]]]:
        """Return the weights that are tried of vectors or encoder, and what is tried beside with the best of them."""
        information_weight, adaptive_weight = self.information_weight, self.adaptive_weight
        if _are_short(texts):
            is_many = len(texts) > _INFORMATION_OF_SHORT_UP_TO
            information_weight = 0.0 if information_weight is None and is_many else information_weight
            adaptive_weight = 0.0 if adaptive_weight is None else adaptive_weight
        information, *informations = _tried(_INFORMATION_WEIGHTS, len(texts), information_weight)
        adaptive, *adaptives = _tried(_ADAPTIVE_WEIGHTS, len(texts), adaptive_weight)
        changes = [{"information": weight} for weight in informations] + [{"adaptive": weight} for weight in adaptives]
        if self.encoder is None:
            every = [(weight, 0.0) for weight in _tried(_VECTOR_WEIGHTS, len(texts), self.vector_weight)]
        else:
            vectors = _VECTOR_WEIGHT_BESIDE_ENCODER if self.vector_weight is None else self.vector_weight
            every = [(vectors, weight) for weight in _tried(_ENCODER_WEIGHTS, len(texts), self.encoder_weight)]
        return [BlockWeights(self.gram_weight, *weights, information, adaptive) for weights in every], changes


def _are_short(texts: Sequence[str]) -> bool:
    return sum(map(len, texts)) <= _SHORT * len(texts)


def _tried(
    weights: Sequence[tuple[float, tuple[float, ...]]], n_tickets: int, given: float | None
) -> tuple[float, ...]:
    """Return the weight that is given, else those of the first row of a table that so many tickets fit into."""
    return (given,) if given is not None else next(tried for most, tried in weights if n_tickets <= most)
