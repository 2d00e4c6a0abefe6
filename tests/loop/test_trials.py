from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from deflect.line.scorer import softmax
from deflect.loop.calibration import fit_sharpness, log_loss
from deflect.loop.folding import BlockWeights, weigh
from deflect.loop.terms import by_rarity
from deflect.loop.trials import N_FOLDS, Task, best_trial
from deflect.loop.vocabulary import Vocabulary, quiet, read_vocabulary
from deflect.loop.word_vectors import WordVectors

N_TICKETS = 300
#: Of each category the names of a hundred things, of which a ticket has one; only vectors know which belong together.
THINGS = [[f"thing{i}" for i in range(start, 200, 2)] for start in (0, 1)]
WEIGHTS = [BlockWeights(grams=0.0, vectors=weight) for weight in (0.01, 2.0)]


@pytest.fixture(scope="module")
def task() -> Task:
    """Return tickets of two categories, as many of each."""
    numbers = np.arange(N_TICKETS) % 2
    return Task(numbers, np.ones(N_TICKETS), n_categories=2, tol=1e-4, max_iter=50, progress=quiet)


@pytest.fixture(scope="module")
def folds() -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return the part of each ticket."""
    return np.random.default_rng(0).permutation(N_TICKETS) % N_FOLDS


def vocabulary(*, is_telling: bool) -> Vocabulary:
    """Return the tickets' words, whose vectors tell the categories apart, or mislead."""
    rng = np.random.default_rng(1)
    texts = [f"my {rng.choice(THINGS[i % 2])}" for i in range(N_TICKETS)]
    words = tuple(word.encode() for things in THINGS for word in things)
    signs = np.repeat([1.0, -1.0], 100) if is_telling else rng.choice([1.0, -1.0], 200)
    vectors = np.column_stack([signs + rng.normal(size=200), rng.normal(size=(200, 30))]).astype(np.float32)
    return read_vocabulary(texts, WordVectors.rounded(words, vectors), min_pair_df=2)


@pytest.mark.parametrize("is_telling", [True, False])
def test_the_better_weight_is_taken(task: Task, folds: np.ndarray, *, is_telling: bool) -> None:
    """Vectors that tell the categories apart get the larger of two weights, vectors that do not the smaller."""
    trial = best_trial(task, vocabulary(is_telling=is_telling), WEIGHTS, folds)
    assert trial.weights == WEIGHTS[int(is_telling)]


def test_the_first_try_does_not_sway_the_second(task: Task, folds: np.ndarray) -> None:
    """A candidate that starts from another's model comes to the same loss as alone, where both are solved closely."""
    words, close = vocabulary(is_telling=True), replace(task, tol=1e-6, max_iter=200)
    after, alone = (best_trial(close, words, candidates, folds) for candidates in (WEIGHTS, WEIGHTS[1:]))
    assert after.weights == alone.weights
    assert after.loss == pytest.approx(alone.loss, rel=0.02)
    assert float(np.abs(after.held_out.margins - alone.held_out.margins).mean()) < 0.01


def test_the_loss_is_that_of_tickets_not_seen(task: Task, folds: np.ndarray) -> None:
    """The loss of a trial is above the one on the tickets that its last model learned from."""
    words = vocabulary(is_telling=False)
    trial = best_trial(task, words, WEIGHTS[:1], folds)
    margins, held_out = weigh(words, WEIGHTS[0], by_rarity(words)).forward(trial.learned), trial.held_out
    sharpness = fit_sharpness(held_out.margins, held_out.numbers, held_out.costs)
    assert trial.loss > log_loss(softmax(margins * sharpness), task.numbers) + 0.1


@pytest.mark.parametrize("n_idle", [0, 40])
@pytest.mark.parametrize("name", ["information", "adaptive"])
def test_a_change_is_taken_where_it_helps(folds: np.ndarray, *, name: str, n_idle: int) -> None:
    """Among many words that tell nothing, those that tell get more weight; without them nothing is left to weigh."""
    rng = np.random.default_rng(2)
    idle = [[f"idle{i}" for i in rng.choice(400, n_idle, replace=False)] for _ in range(N_TICKETS)]
    texts = [" ".join([*idle[i], f"sign{i % 2}"]) for i in range(N_TICKETS)]
    task = Task(np.arange(N_TICKETS) % 2, np.ones(N_TICKETS), n_categories=2, tol=1e-4, max_iter=50, progress=quiet)
    plain = BlockWeights(grams=0.0, vectors=0.0)
    words = read_vocabulary(texts, min_pair_df=2)
    taken = best_trial(task, words, [plain], folds, changes=[{name: 0.5}])
    alone = best_trial(task, words, [plain], folds)
    assert taken.weights == (replace(plain, **{name: 0.5}) if n_idle else plain)
    assert taken.loss <= alone.loss


@pytest.mark.parametrize("name", ["information", "adaptive"])
def test_nothing_of_tickets_held_out_is_used(task: Task, folds: np.ndarray, name: str) -> None:
    """Words of one ticket each tell nothing of others: weighing them by what they tell makes nobody surer."""
    texts = [f"my word{i} word{i + N_TICKETS}" for i in range(N_TICKETS)]
    weights = replace(BlockWeights(grams=0.0, vectors=0.0), **{name: 0.5})
    trial = best_trial(task, read_vocabulary(texts, min_pair_df=1), [weights], folds)
    assert trial.loss > 0.6
