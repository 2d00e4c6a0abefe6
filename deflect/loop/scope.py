"""Finds out from which score on a ticket is of no category, on tickets that the scorer has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from deflect.line.thresholds import ScopeLimit

if TYPE_CHECKING:
    from deflect.line.scorer import Scorer


def fit_scope(
    scorer: Scorer,
    in_scope: Sequence[str],
    out_of_scope: Sequence[str] = (),
    *,
    most_lost_fraction: float = 0.02,
    confidence: float = 0.95,
) -> ScopeLimit | None:
    """Find the scope score below which a ticket is of no category.

    Use it on calibration tickets, which the scorer has not seen. The limit is the largest that loses at most
    ``most_lost_fraction`` of the tickets of a category, with ``confidence``: an order statistic, as in tolerance limits
    (Wilks, "Determination of sample sizes for setting tolerance limits", Annals of Mathematical Statistics 1941).
    Tickets of no category are not needed to find it; where there are some, they tell how many of them it finds.

    Returns
    -------
    The limit; None where the tickets are too few for any (149 for 2 % at 95 %).

    """
    scores = np.sort(scorer.scored(list(in_scope)).scope)
    # Of the ranks whose score leaves at most the fraction below it with confidence, the largest.
    ranks = np.flatnonzero(special.bdtrc(np.arange(len(scores)), len(scores), most_lost_fraction) >= confidence)
    if not len(ranks):
        return None
    least = float(scores[ranks[-1]])
    outside = scorer.scored(list(out_of_scope)).scope
    n_below, n_found = int((scores < least).sum()), int((outside < least).sum())
    return ScopeLimit(least, most_lost_fraction, confidence, len(scores), n_below, len(outside), n_found)
