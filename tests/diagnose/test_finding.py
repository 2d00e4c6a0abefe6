"""The shape of what a diagnosis says."""

from __future__ import annotations

import json

import pytest

from deflect.diagnose import Diagnosis, Finding


def test_findings_are_sorted_by_severity() -> None:
    """The worst finding comes first, whatever the order of the checks."""
    found = [Finding("a", "notice", "A."), Finding("b", "critical", "B."), Finding("c", "warning", "C.")]
    assert [finding.check for finding in Diagnosis("dns", "example.com", tuple(found)).findings] == ["b", "c", "a"]


@pytest.mark.parametrize(
    ("severity", "code"), [("critical", 1), ("error", 1), ("warning", 1), ("notice", 0), ("info", 0)]
)
def test_exit_code_tells_whether_something_needs_mending(severity: str, code: int) -> None:
    """A warning or worse is a problem; a notice is not."""
    assert Diagnosis("dns", "example.com", (Finding("a", severity, "A."),)).exit_code == code


def test_json_keeps_every_field() -> None:
    """A program reads from JSON whatever a person reads."""
    diagnosis = Diagnosis("dns", "b\u00fccher.example", (Finding("a", "error", "A.", "seen", "fix", "url"),), ("a",))
    assert json.loads(json.dumps(diagnosis.to_dict())) == {
        "tool": "dns",
        "subject": "b\u00fccher.example",
        "findings": [
            {"check": "a", "severity": "error", "summary": "A.", "evidence": "seen", "fix": "fix", "url": "url"}
        ],
        "checked": ["a"],
        "skipped": [],
        "is_fine": False,
    }
