"""Tries a model on tickets that it has not seen: how sure it may be, and how much to trust vectors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from deflect.line.hashing import Ints
from deflect.line.scorer import Float32s, Float64s, softmax
from deflect.loop.calibration import HeldOut, fit_sharpness, log_loss
from deflect.loop.folding import BlockWeights, certainty, weigh, weigh_as_new, with_vectors
from deflect.loop.solver import Design, Solution, SquaredHinge, solve
from deflect.loop.vocabulary import Progress, Vocabulary

#: Archives up to this size are tried on all their tickets, by cross-fitting in five folds; larger ones on a fifth.
_CROSS_FIT_UP_TO = 3_000
N_FOLDS = 5
#: Little is fitted on the margins of these models: their gradient may be so many times that of the final one.
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
    """Features, a model of part of the tickets, and how it did on the others, held out: the log loss, sharpened."""

    weights: BlockWeights
    design: Design
    learned: Float32s
    held_out: HeldOut
    loss: float


def best_trial(task: Task, vocabulary: Vocabulary, candidates: Sequence[BlockWeights], folds: Ints) -> Trial:
    """Try all candidates, which differ in the weights of vectors or encoder, and return that of the least log loss.

    ``folds`` puts each ticket into one of ``N_FOLDS`` parts; those of a further part, ``N_FOLDS``, are never held out.
    """
    design = weigh(vocabulary, candidates[0])
    trials = [_tried(task, design, candidates[0], folds, None)]
    for candidate in candidates[1:]:
        design = with_vectors(design, vocabulary, candidate)
        start = None
        if not candidate.encoder:  # The way from one weight of the encoder to another is too long to start half-way.
            start = trials[0].learned.copy()
            # The same model, in the new features.
            design.blocks(start).vectors[:] *= trials[0].weights.vectors / candidate.vectors
        trials.append(_tried(task, design, candidate, folds, start))
    return min(trials, key=lambda trial: trial.loss)


def _tried(task: Task, design: Design, weights: BlockWeights, folds: Ints, start: Float32s | None) -> Trial:
    n_rounds = N_FOLDS if (folds < N_FOLDS).sum() <= _CROSS_FIT_UP_TO else 1
    learned = np.zeros((design.n_features, task.n_categories), dtype=np.float32) if start is None else start
    margins, sure = np.zeros((len(folds), task.n_categories)), np.ones(len(folds))
    task = replace(task, tol=task.tol * _TRIAL_SLACK)
    for fold in range(n_rounds):
        is_out = folds == fold
        part = design.rows(~is_out)
        learned = task.rows(~is_out).solve(part, learned).weights
        others = weigh_as_new(design.rows(is_out), part)
        sure[is_out] = certainty(others, part, weights)
        margins[is_out] = sure[is_out, None] * others.forward(learned)
    is_used = (folds < n_rounds) & (task.costs > 0)
    held_out = HeldOut(margins[is_used], sure[is_used], task.numbers[is_used], task.costs[is_used])
    sharpness = fit_sharpness(held_out.margins, held_out.numbers, held_out.costs)
    loss = log_loss(softmax(held_out.margins * sharpness), held_out.numbers, held_out.costs)
    return Trial(weights, design, learned, held_out, loss)
