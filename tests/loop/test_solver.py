from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_matrix, random_array
from sklearn.svm import LinearSVC

from deflect.line.scorer import Float32s
from deflect.loop.solver import Design, SquaredHinge, solve

SEEDS = st.integers(0, 2**32 - 1)
C = 0.7


def random_design(seed: int, n_tickets: int = 40) -> Design:
    """Return a small design with words, n-grams, pairs, and what an encoder says for even seeds."""
    rng = np.random.default_rng(seed)

    def block(n_rows: int, n_columns: int) -> csr_matrix:
        return csr_matrix(random_array((n_rows, n_columns), density=0.4, rng=rng, dtype=np.float32))

    return Design(
        words=block(n_tickets, 6),
        grams=block(6, 9),
        pairs=block(n_tickets, 5),
        vectors=rng.normal(size=(2, 3)).astype(np.float32),
        owners=np.array([4, 1]),
        encoded=rng.normal(size=(n_tickets, 4 if seed % 2 == 0 else 0)).astype(np.float32),
    )


def multiplied_out(design: Design) -> Float32s:
    """Return the matrix that a design stands for."""
    ones = np.ones((design.words.shape[0], 1))
    vectors = design.words[:, design.owners] @ design.vectors
    sparse = (design.words, design.words @ design.grams, design.pairs)
    return np.hstack([*(part.toarray() for part in sparse), vectors, design.encoded, ones]).astype(np.float32)


def random_signs(seed: int, n_tickets: int = 40, n_categories: int = 3) -> Float32s:
    """Return +1 for the category of each ticket and -1 for the others."""
    numbers = np.random.default_rng(seed).integers(n_categories, size=n_tickets)
    return np.where(numbers[:, None] == np.arange(n_categories), 1, -1).astype(np.float32)


def problem(design: Design, signs: Float32s, costs: float | Float32s = 1.0) -> SquaredHinge:
    """Return the objective with the cost of each ticket."""
    column = np.broadcast_to(np.asarray(costs, dtype=np.float32), len(signs))[:, None]
    return SquaredHinge(design, signs, (2 * C * column).astype(np.float32))


@given(SEEDS)
def test_forward_multiplies(seed: int) -> None:
    """Forward is the multiplied-out matrix times the weights."""
    design = random_design(seed)
    weights = np.random.default_rng(seed).normal(size=(design.n_features, 3)).astype(np.float32)
    np.testing.assert_allclose(design.forward(weights), multiplied_out(design) @ weights, atol=1e-4)


@given(SEEDS)
def test_backward_multiplies(seed: int) -> None:
    """Backward is the transposed matrix times the scores."""
    design = random_design(seed)
    scores = np.random.default_rng(seed).normal(size=(40, 3)).astype(np.float32)
    np.testing.assert_allclose(design.backward(scores), multiplied_out(design).T @ scores, atol=1e-4)


@given(SEEDS)
def test_forward_and_backward_are_adjoint(seed: int) -> None:
    """Forward weights against scores, and weights against backward scores, have one inner product."""
    design, rng = random_design(seed), np.random.default_rng(seed)
    weights = rng.normal(size=(design.n_features, 2)).astype(np.float32)
    scores = rng.normal(size=(40, 2)).astype(np.float32)
    left = float((design.forward(weights) * scores).sum())
    assert left == pytest.approx(float((weights * design.backward(scores)).sum()), rel=1e-3, abs=1e-3)


def test_rows_are_some_of_the_tickets() -> None:
    """The design of some tickets is those rows of the multiplied-out matrix."""
    design = random_design(1)
    chosen = np.arange(40) % 3 == 0
    np.testing.assert_array_equal(multiplied_out(design.rows(chosen)), multiplied_out(design)[chosen])


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_agrees_with_liblinear(seed: int) -> None:
    """Weights and intercepts are those of LIBLINEAR's L2-loss SVM, to 0.001."""
    design, signs = random_design(seed), random_signs(seed)
    solution = solve(problem(design, signs), tol=1e-6, max_iter=200)
    machine = LinearSVC(loss="squared_hinge", C=C, dual=False, tol=1e-10, intercept_scaling=1, max_iter=10_000)
    machine.fit(multiplied_out(design)[:, :-1].astype(np.float64), signs.argmax(axis=1))
    assert solution.has_converged
    np.testing.assert_allclose(solution.weights[:-1], machine.coef_.T, atol=1e-3)
    np.testing.assert_allclose(solution.weights[-1], machine.intercept_, atol=1e-3)


def test_gradient_is_the_slope_of_the_objective() -> None:
    """The gradient is what the objective changes by, by central differences."""
    design, signs = random_design(4), random_signs(4)
    objective = problem(design, signs)
    rng = np.random.default_rng(4)
    weights, step = (rng.normal(size=(design.n_features, 3)).astype(np.float32) for _ in range(2))

    def value(length: float) -> float:
        moved = weights + np.float32(length) * step
        return float((objective.losses(design.forward(moved)) + 0.5 * (moved**2).sum(axis=0)).sum())

    slope = float((objective.gradient(weights, design.forward(weights))[0] * step).sum())
    assert (value(0.01) - value(-0.01)) / 0.02 == pytest.approx(slope, rel=0.01)


def test_warm_start_ends_in_the_same_place() -> None:
    """Starting from other weights gives the same solution."""
    design, signs = random_design(5), random_signs(5)
    start = np.random.default_rng(5).normal(size=(design.n_features, 3)).astype(np.float32)
    cold = solve(problem(design, signs), tol=1e-6, max_iter=200)
    warm = solve(problem(design, signs), start=start, tol=1e-6, max_iter=200)
    np.testing.assert_allclose(warm.weights, cold.weights, atol=1e-4)


def test_warm_start_from_the_solution_takes_no_step() -> None:
    """Starting from the solution stops at once, and leaves the start as it was."""
    objective = problem(random_design(6), random_signs(6))
    cold = solve(objective, tol=1e-3, max_iter=200)
    start = cold.weights.copy()
    warm = solve(objective, start=start, tol=1e-3, max_iter=200)
    assert warm.n_iterations == 0
    assert warm.has_converged
    np.testing.assert_array_equal(start, cold.weights)


def test_cost_of_two_is_a_row_twice() -> None:
    """A ticket with cost 2 counts as much as the ticket twice."""
    design, signs = random_design(7), random_signs(7)
    costs = np.where(np.arange(40) < 10, 2, 1).astype(np.float32)
    places = np.concatenate((np.arange(40), np.arange(10)))
    doubled = design.rows(places)
    weighted = solve(problem(design, signs, costs), tol=1e-6, max_iter=200)
    repeated = solve(problem(doubled, signs[places]), tol=1e-6, max_iter=200)
    np.testing.assert_allclose(weighted.weights, repeated.weights, atol=1e-4)


def test_cost_of_nothing_is_no_row() -> None:
    """A ticket with cost 0 counts as much as none."""
    design, signs = random_design(8), random_signs(8)
    is_in = np.arange(40) >= 10
    weighted = solve(problem(design, signs, is_in.astype(np.float32)), tol=1e-6, max_iter=200)
    removed = solve(problem(design.rows(is_in), signs[is_in]), tol=1e-6, max_iter=200)
    np.testing.assert_allclose(weighted.weights, removed.weights, atol=1e-4)


def test_too_few_steps_do_not_converge() -> None:
    """When max_iter ends the search, the solution says that it has not converged."""
    solution = solve(problem(random_design(9), random_signs(9)), tol=1e-6, max_iter=1)
    assert not solution.has_converged
    assert solution.n_iterations == 1


def test_progress_falls_to_the_tolerance() -> None:
    """Progress is told the greatest gradient as a share of the first: 1 at the start, below tol at the end."""
    told: list[float] = []
    solve(problem(random_design(10), random_signs(10)), tol=1e-4, max_iter=200, progress=told.append)
    assert told[0] == pytest.approx(1)
    assert told[-1] < 1e-4


def test_columns_are_independent() -> None:
    """A category's weights do not depend on which other categories are solved beside it."""
    design, signs = random_design(11), random_signs(11)
    together = solve(problem(design, signs), tol=1e-6, max_iter=200)
    alone = solve(problem(design, signs[:, 1:2]), tol=1e-6, max_iter=200)
    np.testing.assert_allclose(together.weights[:, 1], alone.weights[:, 0], atol=1e-4)
