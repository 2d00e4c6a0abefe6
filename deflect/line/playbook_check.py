"""Checks a playbook against a model and the calendar: what is missing on either side, and what waits for a review."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from deflect.errors import ParameterError
from deflect.line.playbook import Playbook


@dataclass(frozen=True, slots=True)
class StaleReview:
    """Names an entry that nobody has reviewed for too long."""

    category: str
    reviewed_on: date


@dataclass(frozen=True, slots=True)
class PlaybookCheck:
    """Lists where a playbook and the categories of a model disagree, and which entries wait for a review."""

    without_entry: tuple[str, ...]
    without_category: tuple[str, ...]
    stale: tuple[StaleReview, ...]

    @property
    def is_fine(self) -> bool:
        """Say whether there is nothing to mend."""
        return not (self.without_entry or self.without_category or self.stale)


def check_playbook(
    playbook: Playbook, categories: Sequence[str], *, today: date, max_age_days: int = 180
) -> PlaybookCheck:
    """Check a playbook against the categories of a model.

    Use it after training and on a calendar: a category without entry is never suggested, and old advice misleads.

    Parameters
    ----------
    playbook
        The playbook.
    categories
        The categories that the model knows. The out-of-scope category needs no entry, but the model must know it.
    today
        The day to count from.
    max_age_days
        A review that is older than this many days is stale.

    Returns
    -------
        What is missing on either side, and what is stale, each sorted by category.

    Raises
    ------
    ParameterError
        If ``max_age_days`` is negative.

    Examples
    --------
    >>> from deflect.line.playbook import load_playbook
    >>> playbook = load_playbook("data/playbook.toml")
    >>> check_playbook(playbook, [*playbook.entries, "email"], today=date(2026, 11, 23)).without_entry
    ('email',)
    """
    if max_age_days < 0:
        msg = f"max_age_days must be 0 or more. Got {max_age_days} instead."
        raise ParameterError(msg)
    known, written = set(categories), set(playbook.entries)
    if playbook.out_of_scope is not None:
        written.add(playbook.out_of_scope)
    entries = [playbook.entries[category] for category in sorted(playbook.entries)]
    return PlaybookCheck(
        without_entry=tuple(sorted(known - written)),
        without_category=tuple(sorted(written - known)),
        stale=tuple(
            StaleReview(entry.category, entry.reviewed_on)
            for entry in entries
            if (today - entry.reviewed_on).days > max_age_days
        ),
    )
