"""Which categories an incident touches, and how words are compared."""

from __future__ import annotations

import pytest

from deflect.incidents.touched import CATEGORY_WORDS, touched_categories
from deflect.incidents.words import stems
from deflect.line.playbook import load_playbook


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Elevated H12 request timeouts", ("timeout",)),
        ("Certificates are not issued for new domains", ("dns", "tls-certificate")),
        ("Postgres failover", ("database",)),
        ("Git pushes and deploys fail", ("build-failure",)),
        ("Something is wrong", ()),
    ],
)
def test_touched(title: str, expected: tuple[str, ...]) -> None:
    """A category is touched by its words in any inflection."""
    assert touched_categories([title]) == expected


def test_every_starter_category_has_its_words() -> None:
    """The table has a row for each category of the starter playbook."""
    assert set(load_playbook("data/playbook.toml").entries) | {"other"} == set(CATEGORY_WORDS)


def test_stems_of_other_scripts() -> None:
    """Accents and case make no difference, and unspaced scripts are compared letter by letter."""
    assert stems("Zertifikatsprüfung ÜBERTRAGUNG") == {"zertif", "ubertr"}
    assert stems("域名") == {"域", "名"}
