"""The starter tickets are what data/README.md says."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from pathlib import Path

import pandas as pd
import pytest

from deflect import read_tickets
from deflect.loop.near_duplicates import near_duplicate_groups

CATEGORIES = {
    "account-access",
    "asset-caching",
    "billing",
    "boot-crash",
    "build-failure",
    "database",
    "dns",
    "incident",
    "memory",
    "other",
    "timeout",
    "tls-certificate",
}


@pytest.fixture(scope="module")
def tickets(root: Path) -> pd.DataFrame:
    """Return the starter tickets."""
    return read_tickets(root / "data" / "starter_tickets.csv")


def grams(text: str) -> set[str]:
    """Return the character 5-grams of a text, without case and runs of spaces."""
    plain = " ".join(text.lower().split())
    return {plain[i : i + 5] for i in range(max(1, len(plain) - 4))}


def test_no_faults(tickets: pd.DataFrame) -> None:
    """Every row can be read."""
    assert tickets.attrs["faults"] == ()


def test_columns(tickets: pd.DataFrame) -> None:
    """The columns are the documented ones; text is what reading adds."""
    columns = ["ticket_id", "created_at", "requester", "subject", "body", "category", "text"]
    assert list(tickets.columns) == columns


def test_counts(tickets: pd.DataFrame) -> None:
    """There are 2,400 tickets or more, 500 or more of them other, and 150 or more of each category."""
    counts = Counter(tickets["category"])
    assert set(counts) == CATEGORIES
    assert len(tickets) >= 2400
    assert counts["other"] >= 500
    assert min(counts.values()) >= 150


def test_ids_are_unique(tickets: pd.DataFrame) -> None:
    """No ticket_id is used twice."""
    assert tickets["ticket_id"].is_unique


def test_lengths(tickets: pd.DataFrame) -> None:
    """Nearly all tickets have 3 to 250 words, and both short and long ones are there."""
    n_words = tickets["text"].str.split().str.len()
    assert n_words.between(3, 250).mean() > 0.99
    assert (n_words <= 12).mean() > 0.04
    assert (n_words > 90).mean() > 0.05


def test_near_duplicates(tickets: pd.DataFrame) -> None:
    """Fewer than 2 % of the tickets have a near-duplicate (Jaccard of character 5-grams above 0.5)."""
    texts = tickets["text"].tolist()
    groups: dict[int, list[int]] = {}
    # Candidates by MinHash at a lower similarity; the real similarity decides.
    for ticket, group in enumerate(near_duplicate_groups(texts, similarity=0.3)):
        groups.setdefault(int(group), []).append(ticket)
    near = set()
    for members in groups.values():
        for left, right in combinations(members, 2):
            a, b = grams(texts[left]), grams(texts[right])
            if len(a & b) > 0.5 * len(a | b):
                near |= {left, right}
    assert len(near) / len(texts) < 0.02
