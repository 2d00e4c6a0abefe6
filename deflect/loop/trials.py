"""Tries a model on tickets that it has not seen: how sure it may be, how much to trust vectors, how to weigh words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from deflect.line.hashing import Ints
from deflect.line.scorer import Float32s, Float64s, softmax
from deflect.loop.calibration import HeldOut, fit_sharpness, log_loss
from deflect.loop.folding import BlockWeights, certainty, weigh, weigh_as_new, with_vectors
from deflect.loop.solver import Design, Solution, SquaredHinge, solve
from deflect.loop.terms import TermWeights, adapted, by_rarity, term_weights
from deflect.loop.vocabulary import Progress, Vocabulary

#: Archives up to this size are tried on all their tickets, by cross-fitting in five folds; larger ones on a fifth.
_CROSS_FIT_UP_TO = 3_000
N_FOLDS = 5
#: A change must clearly pay: where information hardly did on tickets held out, it harmed tickets from elsewhere.
_CLEARLY_LESS = 0.99
#: Little is fitted on the margins of these models: their gradient may be so many times that of the last one. From 5 on,
#: a candidate that starts from another's model stops before it is its own: clinc150 then took the wrong one.
_TRIAL_SLACK = 10 / 3


@dataclass(frozen=True, eq=False)
class Task:
    """What is to be learned: the number of each ticket's category and what an error on the ticket costs, (n_tickets,).

    ``tol`` and ``max_iter`` say how closely.
    """

    numbers: Ints
    costs: Float64s
    n_categories: int
    tol: float
    max_iter: int
    progress: Progress

    def rows(self, chosen: npt.NDArray[np.bool_]) -> Task:
        """Return the task of some of the tickets."""
        return replace(self, numbers=self.numbers[chosen], costs=self.costs[chosen])

    def solve(self, design: Design, start: Float32s | None) -> Solution:
        """Learn the weights of features."""
        signs = np.full((len(self.numbers), self.n_categories), -1, dtype=np.float32)
        signs[np.arange(len(self.numbers)), self.numbers] = 1
        # One against the rest, the rest is many: an error on a ticket's own category counts sqrt(n_categories) times
        # as much as one on another, as it would if both were balanced half way.
        balance = np.float32(self.n_categories**0.25)
        costs = 2 * self.costs[:, None].astype(np.float32) * np.where(signs > 0, balance, 1 / balance)
        objective = SquaredHinge(design, signs, costs)

        def report(left: float) -> None:
            # The gradient falls from 1 to tol; its logarithm is how far the way is.
            self.progress("learning", round(100 * min(1.0, np.log(max(left, 1e-9)) / np.log(self.tol))), 100)

        return solve(objective, start=start, tol=self.tol, max_iter=self.max_iter, progress=report)


@dataclass(frozen=True, eq=False)
class Trial:
    """A model of part of the tickets, and how it did on the others, held out: the log loss, sharpened.

    ``learned`` is what it learned before words were weighed again, if they were.
    """

    weights: BlockWeights
    learned: Float32s
    held_out: HeldOut
    loss: float


def best_trial(
    task: Task,
    vocabulary: Vocabulary,
    candidates: Sequence[BlockWeights],
    folds: Ints,
    *,
    changes: Sequence[Mapping[str, float]] = (),
) -> Trial:
    """Try all candidates, which differ in the weights of vectors or encoder, and return that of the least log loss.

    The best is tried with ``changes`` of other weights, too, one after the other, which must gain a hundredth by it.
    ``folds`` puts each ticket into one of ``N_FOLDS`` parts; those of a further part, ``N_FOLDS``, are never held out.
    """
    design = None if candidates[0].information else weigh(vocabulary, candidates[0], by_rarity(vocabulary))
    trials = [_tried(task, vocabulary, candidates[0], folds, design=design)]
    for candidate in candidates[1:]:
        design = None if design is None else with_vectors(design, vocabulary, candidate)
        start = None
        if not candidate.encoder:  # The way from one weight of the encoder to another is too long to start half-way.
            start = trials[0].learned.copy()
            if design is not None:  # The same model, in the new features.
                design.blocks(start).vectors[:] *= trials[0].weights.vectors / candidate.vectors
        trials.append(_tried(task, vocabulary, candidate, folds, design=design, start=start))
    best = min(trials, key=lambda trial: trial.loss)
    for change in changes:
        changed = replace(best.weights, **change)
        other = _tried(task, vocabulary, changed, folds, start=best.learned.copy())
        best = other if other.loss < _CLEARLY_LESS * best.loss else best
    return best


@dataclass(frozen=True, eq=False)
class Learned:
    """What was learned: the terms' weights, the tickets' features by them, and the ``weights`` of these.

    ``first`` are the weights before words were weighed again; the same ones where they were not.
    """

    terms: TermWeights
    design: Design
    first: Float32s
    weights: Float32s
    n_iterations: int


def learn(
    task: Task,
    vocabulary: Vocabulary,
    weights: BlockWeights,
    is_seen: npt.NDArray[np.bool_] | None = None,
    *,
    design: Design | None = None,
    start: Float32s | None = None,
) -> Learned:
    """Learn from all tickets, or from those that are seen; ``design`` has all tickets' first features, if known."""
    counts = task.costs if is_seen is None else np.where(is_seen, task.costs, 0)
    terms = term_weights(vocabulary, weights.information, task.numbers, counts)
    design = design or weigh(vocabulary, weights, terms)

    def solve_for(design: Design, start: Float32s | None) -> Solution:
        return task.solve(design, start) if is_seen is None else task.rows(is_seen).solve(design.rows(is_seen), start)

    solution = solve_for(design, start)
    first = solution.weights
    if weights.adaptive:
        terms = adapted(vocabulary, terms, design.word_rows(design.blocks(first)), weights.adaptive)
        design = weigh(vocabulary, weights, terms)
        solution = solve_for(design, first.copy())  # Half-way there, in other features.
    return Learned(terms, design, first, solution.weights, solution.n_iterations)


def _tried(
    task: Task,
    vocabulary: Vocabulary,
    weights: BlockWeights,
    folds: Ints,
    *,
    design: Design | None = None,
    start: Float32s | None = None,
) -> Trial:
    """Try weights; ``design`` has the features where they are the same for every part that is held out."""
    n_rounds = N_FOLDS if (folds < N_FOLDS).sum() <= _CROSS_FIT_UP_TO else 1
    first = start
    margins, sure = np.zeros((len(folds), task.n_categories)), np.ones(len(folds))
    task = replace(task, tol=task.tol * _TRIAL_SLACK)
    for fold in range(n_rounds):
        is_out = folds == fold
        model = learn(task, vocabulary, weights, ~is_out, design=design, start=first)
        first = model.first
        seen, others = model.design.rows(~is_out), model.design.rows(is_out)
        others = weigh_as_new(others, seen)
        sure[is_out] = certainty(vocabulary, is_out, others, seen, weights)
        margins[is_out] = sure[is_out, None] * others.forward(model.weights)
    is_used = (folds < n_rounds) & (task.costs > 0)
    held_out = HeldOut(margins[is_used], sure[is_used], task.numbers[is_used], task.costs[is_used])
    sharpness = fit_sharpness(held_out.margins, held_out.numbers, held_out.costs)
    loss = log_loss(softmax(held_out.margins * sharpness), held_out.numbers, held_out.costs)
    return Trial(weights, np.asarray(first), held_out, loss)
