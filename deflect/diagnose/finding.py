"""What a diagnosis says: findings, the same shape for every tool."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Literal, get_args

Severity = Literal["critical", "error", "warning", "notice", "info"]

#: Every severity, worst first; "critical" to "warning" are problems, "notice" and "info" are not.
SEVERITIES: tuple[Severity, ...] = get_args(Severity)
_PROBLEMS = SEVERITIES[: SEVERITIES.index("warning") + 1]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a diagnosis found.

    ``check`` is the stable name of the check, such as "rec.missing". ``summary`` says what is wrong in the customer's
    words, ``evidence`` what was seen, ``fix`` what to do: exact and copyable, such as the record to set or the command
    to run. ``url`` is a page that says more; it may be empty, as may ``evidence`` and ``fix``.

    Examples
    --------
    >>> Finding("rec.missing", "error", "www.example.com has no record.", fix="www CNAME x.example.net.").is_problem
    True

    """

    check: str
    severity: Severity
    summary: str
    evidence: str = ""
    fix: str = ""
    url: str = ""

    @property
    def is_problem(self) -> bool:
        """Say whether it needs mending: a warning or worse."""
        return self.severity in _PROBLEMS


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a tool found out about one subject, worst findings first.

    ``tool`` is "dns", "assets" or "timeouts"; ``subject`` is what was looked at, such as a host name. ``checked`` names
    every check that could be made, in the order of making: "nothing wrong found" is worth what was looked at.
    ``skipped`` names those that could not, each with its reason.

    Examples
    --------
    >>> diagnosis = Diagnosis("dns", "www.example.com", checked=("name.invalid", "rec.missing"))
    >>> diagnosis.is_fine, diagnosis.exit_code
    (True, 0)

    """

    tool: str
    subject: str
    findings: tuple[Finding, ...] = ()
    checked: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        ordered = sorted(self.findings, key=lambda finding: SEVERITIES.index(finding.severity))
        object.__setattr__(self, "findings", tuple(ordered))

    @property
    def is_fine(self) -> bool:
        """Say whether nothing was found that needs mending."""
        return not any(finding.is_problem for finding in self.findings)

    @property
    def exit_code(self) -> int:
        """Return 0 where it is fine, 1 where there are problems; a tool that could not look raises DiagnosisError."""
        return 0 if self.is_fine else 1

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values, for JSON."""
        return {**dataclasses.asdict(self), "is_fine": self.is_fine}
