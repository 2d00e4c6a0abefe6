"""Cuts labelled tickets into train, calibration and test so that none of them has seen another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from deflect.errors import ParameterError, TrainingDataError
from deflect.line.hashing import Ints
from deflect.loop.near_duplicates import connected, near_duplicate_groups

if TYPE_CHECKING:
    import numpy.typing as npt

#: A group with more than this share of all tickets (one mailing robot, say) cannot be moved as one: it goes into train.
_GIANT_FRACTION = 0.05
#: Up to this many tickets a group is no giant, whatever share of a small archive it is.
_NO_GIANT = 10
#: A message names this many bad rows.
_N_SHOWN = 10


@dataclass(frozen=True)
class Split:
    """The three parts of an archive of labelled tickets, each a frame with the rows and columns of the original.

    ``n_groups`` is the number of groups of near-duplicates and requesters that were kept together.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"text": ["no CNAME yet", "slow page"], "category": ["dns", "timeout"]})
    >>> Split(frame[:1], frame[1:], frame[:0], n_groups=2).calibration["category"].tolist()
    ['timeout']

    """

    train: pd.DataFrame
    calibration: pd.DataFrame
    test: pd.DataFrame
    n_groups: int


def split_tickets(
    frame: pd.DataFrame,
    *,
    text: str = "text",
    category: str = "category",
    time: str | None = None,
    requester: str | None = None,
    fractions: tuple[float, float, float] = (0.6, 0.2, 0.2),
    random_state: int = 0,
) -> Split:
    """Cut labelled tickets into train, calibration and test.

    When to use it: before every fit whose result you want to believe. Near-duplicates and the tickets of one requester
    never straddle two parts, since a model would know them by heart; where ``time`` names a column, train is the oldest
    part and test the newest, since a model is used on what comes later.

    Parameters
    ----------
    frame
        One row a ticket.
    text, category
        Names of the columns of the text and of the category. A missing text counts as empty.
    time
        Name of the column of the time, anything that pandas reads as a time; None cuts at random, each category alike.
    requester
        Name of the column of who wrote the ticket; None, or a missing value, ties nothing together.
    fractions
        Shares of train, calibration and test, 0 or more, together 1. A share may be 0. A part can miss its share by
        the size of a group.
    random_state
        Seed of the random cut. Default 0.

    Returns
    -------
    The parts, each in the order of the frame.

    Raises
    ------
    ParameterError
        The fractions do not add up to 1.
    TrainingDataError
        A named column is missing, or a time cannot be read.

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"text": ["no CNAME yet", "No CNAME yet!", "which name servers?"], "category": "dns"})
    >>> parts = split_tickets(frame, fractions=(0.5, 0.5, 0.0))
    >>> sorted(len(part) for part in (parts.train, parts.calibration, parts.test))
    [0, 1, 2]

    """
    _check(frame, [name for name in (text, category, time, requester) if name], fractions)
    texts = frame[text].astype(object).where(frame[text].notna(), "").astype(str).tolist()
    groups = _groups(texts, frame[requester] if requester else None)
    sizes = np.bincount(groups)
    if time is None:
        parts = _at_random(
            groups, frame[category].astype(str).to_numpy(), fractions, np.random.default_rng(random_state)
        )
    else:
        parts = _by_time(groups, _times(frame[time]), fractions)
        parts[sizes > max(_GIANT_FRACTION * len(frame), _NO_GIANT)] = int(np.argmax(np.array(fractions) > 0))
    train, calibration, test = (frame[parts[groups] == part] for part in range(3))
    return Split(train, calibration, test, len(sizes))


def _check(frame: pd.DataFrame, columns: list[str], fractions: tuple[float, float, float]) -> None:
    missing = [name for name in columns if name not in frame.columns]
    if missing:
        msg = f"The tickets must have the columns {', '.join(missing)}. Got {', '.join(map(str, frame.columns))}."
        raise TrainingDataError(msg)
    if min(fractions) < 0 or abs(sum(fractions) - 1) > 1e-9:
        msg = f"fractions must be three numbers, 0 or more, that add up to 1. Got {fractions} instead."
        raise ParameterError(msg)


def _groups(texts: list[str], requesters: pd.Series | None) -> Ints:
    """Return the number of each ticket's group of near-duplicates and requesters."""
    groups = near_duplicate_groups(texts)
    if requesters is None:
        return groups
    codes = pd.factorize(requesters)[0]
    known = np.flatnonzero(codes >= 0)
    n = len(texts)
    # Tickets point at their near-duplicate group and at their requester; whoever hangs together is one group.
    links = np.concatenate((np.stack((np.arange(n), n + groups)), np.stack((known, 2 * n + codes[known]))), axis=1)
    together = connected(links, 3 * n)[:n]
    return np.unique(together, return_inverse=True)[1].astype(np.int64)


def read_times(column: pd.Series) -> pd.Series:
    """Return a column of anything that pandas reads as a time, as times in UTC.

    Raises
    ------
    TrainingDataError
        A row has none that can be read.

    """
    times = pd.to_datetime(column, utc=True, format="mixed", errors="coerce")
    missing = times.index[times.isna()].tolist()
    if missing:
        rows = ", ".join(map(str, missing[:_N_SHOWN])) + ", ..." * (len(missing) > _N_SHOWN)
        msg = f"The column {column.name} must have a time in each row. Got none that can be read in row {rows}."
        raise TrainingDataError(msg)
    return times


def _times(column: pd.Series) -> Ints:
    return read_times(column).to_numpy(dtype="datetime64[ns]").astype(np.int64)


def _by_time(groups: Ints, times: Ints, fractions: tuple[float, float, float]) -> Ints:
    """Return the part of each group by the time of its newest ticket: no later text leaks into an older part."""
    newest = np.full(groups.max(initial=-1) + 1, np.iinfo(np.int64).min)
    np.maximum.at(newest, groups, times)
    order = np.argsort(newest, kind="stable")
    sizes = np.bincount(groups)[order]
    middles = (np.cumsum(sizes) - sizes / 2) / max(len(groups), 1)
    parts = np.empty(len(order), dtype=np.int64)
    parts[order] = np.searchsorted(np.cumsum(fractions)[:2], middles, side="right")
    return _without_empty(parts, fractions)


def _at_random(
    groups: Ints, categories: npt.NDArray[np.object_], fractions: tuple[float, float, float], rng: np.random.Generator
) -> Ints:
    """Return the part of each group: category by category, in random order, each goes where most is lacking.

    The fraction of a ticket that a category could not share out is made up for by the next one; else many small
    categories would leave the small parts empty. More is not made up for: after a large group in train, the next
    category's tickets would all go elsewhere.
    """
    sizes = np.bincount(groups)
    _, firsts = np.unique(groups, return_index=True)
    names, codes = np.unique(categories[firsts], return_inverse=True)
    shares = np.outer(np.bincount(codes, sizes, minlength=len(names)), fractions)
    order = rng.permutation(len(sizes))
    parts = np.zeros(len(sizes), dtype=np.int64)
    lacks = np.zeros(3)
    for code in range(len(names)):
        lacks = lacks.clip(-1, 1) + shares[code]
        for group in order[codes[order] == code]:
            parts[group] = part = int(np.argmax(lacks))
            lacks[part] -= sizes[group]
    return parts


def _without_empty(parts: Ints, fractions: tuple[float, float, float]) -> Ints:
    """Return parts in which none of share 0 has a group, whatever rounding did."""
    wanted = np.flatnonzero(fractions)
    moved: Ints = wanted[np.clip(np.searchsorted(wanted, parts), 0, len(wanted) - 1)]
    return moved
