"""Whom an incident concerns and how loudly to say it: nothing, a quiet line, or the banner."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Literal, TypeAlias

from deflect.incidents.snapshot import Incident
from deflect.incidents.touched import touched_categories
from deflect.incidents.words import stem, stems, words
from deflect.line.banner import Customer
from deflect.line.banner import Level as Shown
from deflect.line.scorer import Float64s

Level: TypeAlias = Literal["nothing"] | Shown
Look = Literal["critical", "major", "minor", "unknown", "none", "maintenance", "scheduled", "resolved", "silent"]
Reach = Literal["words", "component", "untold", "unrelated", "elsewhere"]
Rarity: TypeAlias = Callable[[Sequence[str]], Float64s]

#: How an incident reaches a ticket, nearest first; the columns of ``LEVELS``.
REACHES: tuple[Reach, ...] = (
    "words",  # The ticket speaks of it, by its words or by its probable category.
    "component",  # The customer uses a component or a region of it.
    "untold",  # Nothing is known of the customer, and nothing has been typed yet.
    "unrelated",  # Nothing is known of the customer, and the ticket speaks of something else.
    "elsewhere",  # The customer uses other components, or lives in other regions.
)
_N: Level = "nothing"
_Q: Level = "quiet"
_B: Level = "banner"
#: The rule, one row for each look of an incident.
LEVELS: Mapping[Look, tuple[Level, Level, Level, Level, Level]] = {
    #               words component untold unrelated elsewhere
    "critical": (_B, _B, _B, _B, _Q),
    "major": (_B, _B, _B, _Q, _Q),
    "minor": (_B, _Q, _Q, _Q, _N),
    "unknown": (_B, _B, _Q, _Q, _N),
    "none": (_Q, _Q, _N, _N, _N),
    "maintenance": (_B, _Q, _Q, _N, _N),
    "scheduled": (_Q, _Q, _N, _N, _N),
    "resolved": (_B, _Q, _Q, _N, _N),
    "silent": (_N, _N, _N, _N, _N),
}

#: A ticket speaks of an incident from this sum on, of rarities of the words that both have.
_LEAST_OVERLAP = 1.0
#: A word that is more common than this among tickets says nothing.
_LEAST_RARITY = 0.3
#: What a word of the title or of a component counts, and one that stands in an update only.
_HEAD, _UPDATE = 1.0, 0.5
#: The newest updates are enough, and a ticket's beginning too.
_N_UPDATES = 5
_N_CHARACTERS = 4_000
#: Every incident has these words, so they tell none from another. Words and no stems: "custom" domains are no customer.
_BOILERPLATE = words(
    "incident incidents issue issues problem problems error errors investigating identified monitoring resolved update"
    " updates status engineers engineering team customer customers users impact impacted affected affecting degraded"
    " elevated increased performance service services experiencing continue continuing working implemented aware some"
)
_LEAST_LETTERS = 3
#: A maintenance is announced from so long before it begins.
_ANNOUNCED = timedelta(hours=24)

#: Names of one region, in lower case; a name that is not here is its own.
_REGION_NAMES = {
    "europe": "eu",
    "emea": "eu",
    "usa": "us",
    "america": "us",
    "asia": "ap",
    "apac": "ap",
    "australia": "au",
}
_EVERYWHERE = {"global", "worldwide", "all"}
_NAME = re.compile(r"[^\W_]+")


@dataclass(frozen=True, eq=False)
class Indexed:
    """An incident, the weight of each stem that it has, and the categories that it touches."""

    incident: Incident
    weights: Mapping[str, float]
    touched: tuple[str, ...]


def index(incident: Incident, rarity: Rarity, table: Mapping[str, Sequence[str]]) -> Indexed:
    """Weigh the words of an incident, once for each snapshot: rarity among tickets, half for those of updates."""
    head = words(" ".join((incident.title, *incident.components)))
    rest = words(" ".join(update.body[:_N_CHARACTERS] for update in incident.updates[-_N_UPDATES:])) - head
    told = [word for word in (*sorted(head), *sorted(rest)) if len(word) >= _LEAST_LETTERS]
    weights: dict[str, float] = {}
    for word, rare in zip(told, rarity(told) if told else (), strict=True):
        if word not in _BOILERPLATE and rare >= _LEAST_RARITY:
            key = stem(word)
            weights[key] = max(weights.get(key, 0.0), float(rare) * (_HEAD if word in head else _UPDATE))
    return Indexed(incident, weights, touched_categories([incident.title, *incident.components], table))


def speaks_of(found: Iterable[str], indexed: Indexed) -> bool:
    """Say whether the stems that a ticket shares with an incident are rare and many enough."""
    weights = indexed.weights
    return sum(weights[key] for key in found if key in weights) >= _LEAST_OVERLAP


def ticket_stems(text: str) -> set[str]:
    """Return the stems that a ticket is compared by."""
    return stems(text[:_N_CHARACTERS])


def reach(incident: Incident, customer: Customer, *, is_about: bool, has_text: bool) -> Reach:
    """Say how an incident reaches a ticket; ``is_about`` where the ticket's own words or category are about it."""
    is_there = _meets(customer.regions, incident.regions)
    if is_there is False:
        return "elsewhere"
    if is_about:
        return "words"
    uses = _meets(customer.components, incident.components)
    if uses is False:
        return "elsewhere"
    if uses or is_there:
        return "component"
    return "unrelated" if has_text else "untold"


def level(incident: Incident, reached: Reach, *, at: datetime, grace: timedelta) -> Level:
    """Say how loudly to speak of an incident to whom it reaches like that."""
    return LEVELS[look(incident, at=at, grace=grace)][REACHES.index(reached)]


def look(incident: Incident, *, at: datetime, grace: timedelta) -> Look:
    """Say what an incident looks like at a moment: its row of ``LEVELS``."""
    if incident.is_over:
        over = resolved_at(incident)
        return "resolved" if incident.kind == "incident" and over is not None and at - over <= grace else "silent"
    if incident.kind == "incident":
        return "unknown" if incident.impact == "maintenance" else incident.impact
    if incident.state != "scheduled" or (incident.started_at is not None and incident.started_at <= at):
        return "maintenance"
    is_soon = incident.started_at is not None and incident.started_at - at <= _ANNOUNCED
    return "scheduled" if is_soon else "silent"


def resolved_at(incident: Incident) -> datetime | None:
    """Return when an incident that is over was resolved, as far as its page says."""
    last = incident.updates[-1].at if incident.updates else None
    return incident.resolved_at or incident.updated_at or last


def _meets(own: tuple[str, ...], theirs: tuple[str, ...]) -> bool | None:
    """Say whether two lists of components or regions have a name in common; None where one is not known."""
    if not own or not theirs:
        return None
    known = [_names(name) for name in theirs]
    if any(names & _EVERYWHERE for names in known):
        return True
    # "EU" is "eu-west-1", and "DNS" is "DNS - custom domains".
    return any(mine <= names or names <= mine for mine in map(_names, own) for names in known if mine and names)


@lru_cache(maxsize=4096)
def _names(name: str) -> frozenset[str]:
    return frozenset(_REGION_NAMES.get(word, word) for word in _NAME.findall(name[:200].lower()))
