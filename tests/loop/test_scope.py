"""The score below which a ticket is of no category."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from deflect.line.scorer import Scored, Scorer
from deflect.loop.scope import fit_scope


def scorer() -> Scorer:
    """Return what scores a ticket by the number that is its text."""

    def scored(texts: list[str]) -> Scored:
        margins = np.array([[float(text)] for text in texts], dtype=np.float32).reshape(len(texts), 1)
        return Scored(margins, np.zeros(len(texts), dtype=np.float32))

    return cast("Scorer", SimpleNamespace(scored=scored))


def test_the_limit_is_an_order_statistic() -> None:
    """Of 149 tickets the least score is the limit: 0.98 ** 149 is below 0.05; of 148 there is none."""
    limit = fit_scope(scorer(), [str(i) for i in range(149)], ["-3", "-1", "7"])
    assert limit is not None
    assert (limit.least, limit.n_in_scope, limit.n_in_scope_below) == (0.0, 149, 0)
    assert (limit.n_out_of_scope, limit.n_out_of_scope_below) == (3, 2)
    assert fit_scope(scorer(), [str(i) for i in range(148)]) is None


def test_recall() -> None:
    """Recall is the share of the tickets of no category that are found; without any it is nan."""
    limit = fit_scope(scorer(), [str(i) for i in range(400)], ["-3", "500"])
    assert limit is not None
    assert limit.recall == 0.5
    alone = fit_scope(scorer(), [str(i) for i in range(400)])
    assert alone is not None
    assert np.isnan(alone.recall)


@pytest.mark.parametrize("n", [200, 1_000])
def test_the_promise_is_kept(n: int) -> None:
    """Of many draws of tickets, at most 5 % (and sampling error) give a limit that loses more than 2 %."""
    rng = np.random.default_rng(7)
    limits = [fit_scope(scorer(), list(map(str, rng.random(n).tolist()))) for _ in range(400)]
    # Scores are uniform, so the share that a limit loses is the limit itself.
    broken = sum(limit is not None and limit.least > 0.02 for limit in limits)
    assert broken <= 400 * 0.05 + 3 * (400 * 0.05 * 0.95) ** 0.5
