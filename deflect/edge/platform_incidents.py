"""Asks first whether the platform itself has an incident: then a customer need not look for a fault of their own."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from deflect.diagnose.finding import Diagnosis, Finding
from deflect.line.banner import plain, web_link

if TYPE_CHECKING:
    from deflect.incidents.snapshot import Snapshot

CHECK = "platform.incident"
_MAX_TITLE = 200
_MAX_UPDATE = 600


def with_incidents(diagnosis: Diagnosis, snapshot: Snapshot) -> Diagnosis:
    """Return a diagnosis with a notice for each incident that is on.

    Examples
    --------
    >>> from deflect.incidents.snapshot import Incident, Snapshot
    >>> snapshot = Snapshot(incidents=(Incident("acme", "1", "DNS is slow", "identified"),))
    >>> with_incidents(Diagnosis("dns", "www.example.com"), snapshot).findings[0].summary
    'The platform has an incident: DNS is slow'

    """
    findings = tuple(
        Finding(
            CHECK,
            "notice",
            f"The platform has an incident: {plain(incident.title, _MAX_TITLE)}",
            evidence=plain(incident.updates[-1].body, _MAX_UPDATE) if incident.updates else "",
            url=web_link(incident.url),
        )
        for incident in snapshot.incidents
        if not incident.is_over
    )
    return replace(diagnosis, findings=(*findings, *diagnosis.findings), checked=(CHECK, *diagnosis.checked))
