"""The words with which providers name states and impacts, as data: one table each."""

from __future__ import annotations

import re

from deflect.incidents.snapshot import Impact, State

_NOT_A_LETTER = re.compile(r"[^a-z0-9]+")
_MAX_CHARACTERS = 60

#: Lower case, letters only.
_STATES: dict[str, State] = {
    "investigating": "investigating",
    "open": "investigating",
    "issue": "investigating",  # Heroku's first update.
    "identified": "identified",
    "monitoring": "monitoring",
    "watching": "monitoring",  # Cachet.
    "resolved": "resolved",
    "fixed": "resolved",  # Cachet.
    "closed": "resolved",
    "postmortem": "postmortem",
    "followup": "postmortem",  # Heroku.
    "scheduled": "scheduled",
    "planned": "scheduled",
    "upcoming": "scheduled",
    "notstartedyet": "scheduled",  # Instatus.
    "maintenancescheduled": "scheduled",  # incident.io.
    "inprogress": "in_progress",
    "active": "in_progress",
    "maintenanceinprogress": "in_progress",  # incident.io.
    "verifying": "verifying",
    "completed": "completed",
    "maintenancecomplete": "completed",  # incident.io.
}

_IMPACTS: dict[str, Impact] = {
    "none": "none",
    "noimpact": "none",  # Zendesk.
    "operational": "none",
    "up": "none",  # Instatus.
    "green": "none",  # Heroku.
    "ok": "none",
    "resolved": "none",  # Better Stack, of a resource.
    "minor": "minor",
    "yellow": "minor",  # Heroku.
    "degraded": "minor",
    "degradedperformance": "minor",
    "performanceissues": "minor",  # Cachet.
    "minoroutage": "minor",  # Instatus.
    "hasissues": "minor",  # Instatus: it says no more than that.
    "major": "major",
    "red": "major",  # Heroku; its failover reckons the same.
    "partialoutage": "major",
    "downtime": "major",  # Better Stack.
    "critical": "critical",
    "majoroutage": "critical",
    "fulloutage": "critical",  # incident.io.
    "security": "critical",  # Zendesk.
    "maintenance": "maintenance",
    "undermaintenance": "maintenance",
    "blue": "maintenance",  # Heroku.
}

#: Worst last.
SEVERITY: tuple[Impact, ...] = ("unknown", "none", "maintenance", "minor", "major", "critical")


def state_of(word: str) -> State:
    """Return the state that a word means."""
    return _STATES.get(_letters(word), "unknown")


def impact_of(word: str) -> Impact:
    """Return the impact that a word means."""
    return _IMPACTS.get(_letters(word), "unknown")


def worst(*impacts: Impact) -> Impact:
    """Return the worst of some impacts."""
    return max(impacts, key=SEVERITY.index, default="unknown")


def _letters(word: str) -> str:
    return _NOT_A_LETTER.sub("", word[:_MAX_CHARACTERS].lower())
