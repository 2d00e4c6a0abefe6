"""What deflect answers to a ticket."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from deflect.line.playbook import Article, Tool

if TYPE_CHECKING:
    from deflect.line.banner import Banner

Decision = Literal["suggest", "abstain"]
Reason = Literal[
    "confident",  # The promise is kept, or the playbook says "always": suggest.
    "below_threshold",  # Not probable enough for the promise.
    "out_of_scope",  # The most probable category is the one that means "none of these".
    "too_short",  # There is no word to judge by.
    "no_playbook_entry",  # The playbook does not know the category.
    "category_off",  # The playbook says "never".
    "incident",  # An incident is on that concerns the ticket: its banner first, whatever else there is second.
    "control",  # The requester is in the control arm: computed, not to be shown.
    "error",  # Something went wrong; the form goes on without a suggestion.
]


@dataclass(frozen=True, slots=True)
class Alternative:
    """A category that is less probable than the first."""

    category: str
    probability: float


@dataclass(frozen=True, slots=True)
class Evidence:
    """A word or word pair of the ticket, as the model reads it, and how much it speaks for the category."""

    text: str
    weight: float


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The answer to a ticket: what to show, or why to show nothing.

    ``decision`` is "suggest" or "abstain", ``reason`` says why. ``category`` and ``probability`` are the most probable
    category whatever the decision (None and 0 where there is none), ``alternatives`` the next two. ``lead``,
    ``articles`` and ``tool`` come from the playbook, and are there only with the decision "suggest". ``banner`` is what
    to say about an incident, with any decision; ``arm`` is the requester's arm of the experiment. ``evidence`` has the
    words that decided.

    Examples
    --------
    >>> suggestion = Suggestion("abstain", "below_threshold", category="dns", probability=0.6)
    >>> suggestion.decision, suggestion.articles
    ('abstain', ())

    """

    decision: Decision
    reason: Reason
    category: str | None = None
    probability: float = 0.0
    alternatives: tuple[Alternative, ...] = ()
    lead: str = ""
    articles: tuple[Article, ...] = ()
    tool: Tool | None = None
    banner: Banner | None = None
    arm: str | None = None
    model_version: str = ""
    evidence: tuple[Evidence, ...] = ()

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values, for JSON; times in ISO 8601."""
        banner = self.banner and {name: _plain(value) for name, value in dataclasses.asdict(self.banner).items()}
        return {**dataclasses.asdict(self), "banner": banner}


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else value
