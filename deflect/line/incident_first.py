"""Puts an incident first and the tool second, in what is shown to the writer of a ticket."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deflect.line.suggestion import Suggestion

if TYPE_CHECKING:
    from deflect.line.banner import Banner

#: An incident that is on takes the place of these reasons; the others say why nothing can be shown at any time.
_EXPLAINED = ("confident", "below_threshold")


def with_tool_of(suggestion: Suggestion, usual: Suggestion) -> Suggestion:
    """Return an incident's suggestion with the tool that the ticket would have got on any other day."""
    if usual.decision == "abstain" or usual.tool is None or usual.category == suggestion.category:
        return suggestion
    return replace(suggestion, decision="suggest", tool=usual.tool)


def incident_first(suggestion: Suggestion, banner: Banner | None, category: str) -> Suggestion:
    """Add a banner; one of an incident that is on and concerns the ticket is the reason for what is shown."""
    if banner is None:
        return suggestion
    is_first = banner.level == "banner" and banner.kind == "incident" and not banner.is_over
    is_incident = suggestion.category == category and suggestion.reason != "too_short"
    is_explained = is_incident or suggestion.reason in _EXPLAINED
    return replace(suggestion, banner=banner, reason="incident" if is_first and is_explained else suggestion.reason)
