"""The card of a bundle."""

from __future__ import annotations

import pytest

from deflect.line.card import model_card
from deflect.line.scorer import Scorer
from deflect.line.thresholds import Threshold, Thresholds
from deflect.loop.classifier import TicketClassifier

KEPT = Threshold("dns", 0.625, 0.9, 0.95, 80, 60, 57, 0.875, 29)
SILENT = Threshold("timeout", None, 0.9, 0.95, 3, 0, 0, 0.0, 29)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    """Return a model of two categories, four words and two pairs."""
    return TicketClassifier().fit(["wrong CNAME", "slow request"], ["dns", "timeout"]).scorer_


@pytest.fixture(scope="module")
def lines(scorer: Scorer) -> list[str]:
    """Return the lines of a card."""
    thresholds = Thresholds("category", ("dns", "timeout"), (KEPT, SILENT))
    return model_card(scorer, thresholds, "f" * 64, {"accuracy": 0.75, "n_tickets": 480.0}).splitlines()


def test_the_model(scorer: Scorer, lines: list[str]) -> None:
    """A card says how large the model is."""
    n_grams = len(scorer.gram_table) - 1
    assert any(f"{scorer.nowhere:,} words and pairs, {n_grams:,} n-grams, 2 categories." in line for line in lines)


def test_the_training_data(lines: list[str]) -> None:
    """A card names the training data by its fingerprint."""
    assert f"Training data (SHA-256): `{'f' * 64}`." in lines


def test_a_promise_with_its_evidence(lines: list[str]) -> None:
    """A promise stands with its threshold, the tickets it was proved on, and its coverage."""
    assert "| dns | precision 0.9 at confidence 0.95 | 0.6250 | 60 | 57 | 0.750 |" in lines


def test_a_silent_category(lines: list[str]) -> None:
    """A silent category stands with the number of tickets that its promise takes."""
    row = next(line for line in lines if line.startswith("| timeout |"))
    assert "silent: precision 0.9 at confidence 0.95 takes at least 29 right ones" in row


def test_metrics(lines: list[str]) -> None:
    """Each metric has a row."""
    assert ("| accuracy | 0.75 |" in lines, "| n_tickets | 480 |" in lines) == (True, True)


def test_tables_are_even(lines: list[str]) -> None:
    """Every row of a table has as many cells as its head."""
    cells = [line.count("|") for line in lines if line.startswith("|")]
    assert cells == [7] * 4 + [3] * 4


def test_one_promise_for_all(scorer: Scorer) -> None:
    """A promise about all categories is called so."""
    promise = Threshold(None, 0.625, 0.9, 0.95, 80, 60, 57, 0.875, 29)
    card = model_card(scorer, Thresholds("overall", ("dns", "timeout"), (promise,)), "", {})
    assert "| all together | precision 0.9" in card
