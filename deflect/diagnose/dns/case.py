"""What a check decides on: the observation, the platform's profile, and what the platform said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from deflect.diagnose.dns.observation import Observation
from deflect.diagnose.dns.profile import Profile
from deflect.diagnose.dns.view import Chain, View
from deflect.diagnose.finding import Finding

#: So many values are shown as evidence; the rest is counted.
_SHOWN_VALUES = 5


@dataclass(frozen=True, slots=True)
class Skipped:
    """A check that could not be made, and why."""

    check: str
    reason: str


Verdict = Finding | Skipped
Verdicts = Iterator[Verdict]


@dataclass(frozen=True)
class Case:
    """Holds all that a check may look at; ``target`` is the exact DNS target of the platform's API, if known."""

    observation: Observation
    profile: Profile
    target: str = ""
    acm_status: str = ""

    @property
    def host(self) -> str:
        """Return the host name."""
        return self.observation.host.name

    @property
    def zone(self) -> str:
        """Return the zone that the host lies in."""
        return self.observation.delegation.zone

    @cached_property
    def view(self) -> View:
        """Read the observation."""
        return View(self.observation)

    @cached_property
    def chain(self) -> Chain:
        """Follow the host's CNAMEs."""
        return self.view.chain(self.host)

    @property
    def is_apex(self) -> bool:
        """Say whether the host is the top of its zone, where no CNAME may stand."""
        return self.host in {self.zone, self.observation.host.registrable}

    @property
    def wanted_target(self) -> str:
        """Return the target to write into a fix."""
        return self.target or self.profile.target_example

    @property
    def wanted_record(self) -> str:
        """Return the record that should be there."""
        if self.is_apex and self.profile.apex_records:
            return "\n".join(f"{self.host}.  {record}" for record in self.profile.apex_records)
        return f"{self.host}.  {'ALIAS (or ANAME)' if self.is_apex else 'CNAME'}  {self.wanted_target}."

    @property
    def fix(self) -> str:
        """Say which record to set, and where its target is to be found if it is not known."""
        hint = "" if self.target or not self.profile.find_target else f"\n({self.profile.find_target})"
        return f"Set: {self.wanted_record}{hint}"


def listed(values: tuple[str, ...] | list[str]) -> str:
    """Write values one after the other, cut where there are many."""
    shown = ", ".join(values[:_SHOWN_VALUES])
    return f"{shown} and {len(values) - _SHOWN_VALUES:,} more" if len(values) > _SHOWN_VALUES else shown
