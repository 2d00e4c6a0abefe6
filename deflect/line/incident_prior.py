"""How much likelier some categories are while an incident is on, added to what the words of a ticket say.

Where a category's tickets read the same at any time and only their number changes (label shift), Bayes' rule is to add
ln(frequency now / usual frequency) to the log-probabilities, and to scale them to sum to 1 again: Saerens, Latinne and
Decaestecker, "Adjusting the outputs of a classifier to new a priori probabilities", Neural Computation 14 (2002).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from deflect.line.scorer import Float64s

if TYPE_CHECKING:
    from deflect.line.banner import Outlook

#: Without history: how much the odds of ``incident`` rise, by impact, as natural logarithms. Ours, not measured.
DEFAULT_LOG_ODDS = {"minor": math.log(3), "unknown": math.log(3), "major": math.log(10), "critical": math.log(30)}
#: Without history: how much the odds of a category rise that the incident touches. Ours, not measured.
DEFAULT_TOUCHED = math.log(2)


@dataclass(frozen=True)
class IncidentPrior:
    """The log-odds that an incident adds: to ``category`` by its impact, and ``touched`` to each category it touches.

    Examples
    --------
    >>> from deflect.line.banner import Outlook
    >>> prior = IncidentPrior()
    >>> shifted = prior.shifted(np.array([0.6, 0.1, 0.3]), ("dns", "incident", "other"), Outlook("major", ("dns",)))
    >>> shifted.round(2).tolist()
    [0.48, 0.4, 0.12]

    """

    category: str = "incident"
    by_impact: Mapping[str, float] = field(default_factory=lambda: dict(DEFAULT_LOG_ODDS))
    touched: float = DEFAULT_TOUCHED

    def log_odds(self, categories: Sequence[str], outlook: Outlook) -> Float64s:
        """Return what to add to the log-probability of each category; zero everywhere while nothing is on."""
        rise = self.by_impact.get(outlook.impact or "", 0.0)
        touched = outlook.touched if rise else ()
        return np.array([rise if c == self.category else self.touched if c in touched else 0.0 for c in categories])

    def shifted(self, probabilities: Float64s, categories: Sequence[str], outlook: Outlook) -> Float64s:
        """Return one ticket's probabilities while an incident is on, (n_categories,)."""
        weighed = probabilities * np.exp(self.log_odds(categories, outlook))
        shifted: Float64s = weighed / weighed.sum()
        return shifted

    def to_dict(self) -> dict[str, object]:
        """Return plain data for a manifest."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, object]) -> IncidentPrior:
        """Make a prior from the data of a manifest; KeyError, TypeError or ValueError where it is none."""
        by_impact = data["by_impact"]
        if not isinstance(by_impact, Mapping):
            msg = "by_impact must be a table"
            raise TypeError(msg)
        numbers = {str(name): float(value) for name, value in by_impact.items()}
        return cls(str(data["category"]), numbers, float(str(data["touched"])))
