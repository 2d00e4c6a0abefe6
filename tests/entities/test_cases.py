"""Precision and recall on texts written for it: half of them are traps in which nothing, or not all, is to be filled.

``cases.jsonl`` has a text a line, and what must be filled into a form that asks for ``PARAMETERS``. Three of the traps
are beyond the rules, and are there so that nobody takes the figures for certainty.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

import pytest

from deflect.entities.extractor import Extractor
from deflect.entities.filling import fill

PARAMETERS = ("domain", "app", "code", "path", "status", "duration")

Filled = Mapping[str, str]


@pytest.fixture(scope="module")
def cases() -> list[tuple[Filled, Filled]]:
    """Return for each text what must be filled, and what is."""
    extractor = Extractor()
    lines = Path(__file__).with_name("cases.jsonl").read_text("utf-8").splitlines()
    return [(case["fill"], fill(PARAMETERS, case["text"], extractor)) for case in map(json.loads, lines)]


def rates(cases: list[tuple[Filled, Filled]], parameter: str) -> tuple[float, float]:
    """Return precision and recall of a parameter; "" is all."""
    counts: Counter[str] = Counter()
    for wanted, got in cases:
        right = {item for item in wanted.items() & got.items() if item[0].startswith(parameter)}
        counts["right"] += len(right)
        counts["wanted"] += sum(name.startswith(parameter) for name in wanted)
        counts["got"] += sum(name.startswith(parameter) for name in got)
    return counts["right"] / counts["got"], counts["right"] / counts["wanted"]


def test_there_are_enough_cases(cases: list[tuple[Filled, Filled]]) -> None:
    """There are more than 250 texts, and in more than a third of them nothing is to be filled."""
    assert len(cases) > 250
    assert sum(not wanted for wanted, _ in cases) > len(cases) / 3


def test_all(cases: list[tuple[Filled, Filled]]) -> None:
    """Of all that is filled 98 % are right, and 99 % of what is to be filled are."""
    precision, recall = rates(cases, "")
    assert precision > 0.98
    assert recall > 0.99


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_one_parameter(cases: list[tuple[Filled, Filled]], parameter: str) -> None:
    """No parameter is filled with a precision under 95 %."""
    precision, recall = rates(cases, parameter)
    assert precision >= 0.95
    assert recall >= 0.95
