"""Which of several entities fills a parameter."""

from __future__ import annotations

import pytest

from deflect.entities.extractor import Extractor
from deflect.entities.filling import fill

EXTRACTOR = Extractor([{"label": "anything", "pattern": [{"TEXT": {"REGEX": r"^[\s\S]{300,}$"}}]}])


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        ("a.example and then our domain b.example", "b.example"),
        ("a.example, c.example: domain b.example, domain c.example", "c.example"),
        ("www.a.example or a.example", "www.a.example"),
        ("a.example or b.example", None),
    ],
)
def test_order(text: str, domain: str | None) -> None:
    """A sure host comes first, then the more frequent, then the earlier; two that are not sure are none."""
    assert fill(["domain"], text, EXTRACTOR).get("domain") == domain


@pytest.mark.parametrize("name", ["domain", "host", "hostname"])
def test_other_names(name: str) -> None:
    """A parameter may be called host or hostname as well."""
    assert fill([name], "our site a.example is down", EXTRACTOR) == {name: "a.example"}


def test_only_what_is_asked() -> None:
    """Only the parameters of the tool are filled, and none with a name that nobody knows."""
    assert fill(["code", "colour"], "H12 on www.example.com", EXTRACTOR) == {"code": "H12"}
    assert fill([], "H12 on www.example.com", EXTRACTOR) == {}


def test_long_values() -> None:
    """What is longer than any name is not filled in."""
    assert fill(["anything"], "x" * 300, EXTRACTOR) == {}


def test_control_characters() -> None:
    """What has control characters is not filled in, whatever a user's pattern finds."""
    extractor = Extractor([{"label": "rest", "pattern": [{"LOWER": "x"}, {"OP": "{1,3}"}]}])
    assert fill(["rest"], "x \x1b y", extractor) == {}
