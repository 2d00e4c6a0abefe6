"""Other languages than English, on ``multilingual_tickets.csv``: ten languages, five categories, 14 tickets each.

Nine or ten of a category are learned from, the others answered, in three cuts: 70 answers a language, which leaves a
standard error of 4 to 5 points. Guessing gives 0.2. Word vectors, which are English, are left out but where they are
the subject.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pandas as pd
import pytest

from benchmarks.languages import accuracies, answers, answers_alone, read_multilingual
from deflect import TicketClassifier

WITHOUT_VECTORS = TicketClassifier(vector_weight=0)
UNSPACED = ["Chinese", "Japanese", "Thai"]
OTHER_SCRIPTS = ["Russian", "Arabic", "Hindi", *UNSPACED]


@pytest.fixture(scope="module")
def tickets() -> pd.DataFrame:
    """Return the tickets."""
    return read_multilingual()


@pytest.fixture(scope="module")
def alone(tickets: pd.DataFrame) -> pd.Series[str]:
    """Return the answers of ten classifiers, each of one language."""
    return answers_alone(tickets, WITHOUT_VECTORS)


@pytest.fixture(scope="module")
def together(tickets: pd.DataFrame) -> pd.Series[str]:
    """Return the answers of one classifier of all languages."""
    return answers(tickets, WITHOUT_VECTORS)


def of(tickets: pd.DataFrame, *languages: str) -> pd.DataFrame:
    """Return the tickets of some languages."""
    return tickets[tickets["language"].isin(languages)]


def grams(text: str) -> set[str]:
    """Return the character 5-grams of a text, without case and runs of spaces."""
    plain = " ".join(text.lower().split())
    return {plain[i : i + 5] for i in range(max(1, len(plain) - 4))}


def shouted(text: str) -> str:
    """Return a text in capitals, without accents."""
    return "".join(mark for mark in unicodedata.normalize("NFD", text.upper()) if not unicodedata.combining(mark))


def without_marks(text: str) -> str:
    """Return a text without Arabic vowel signs, hamzas above and below, and punctuation."""
    plain = re.sub("[\u060c\u061b\u061f.!]", " ", text)
    return unicodedata.normalize("NFC", re.sub("[\u064b-\u0655]", "", unicodedata.normalize("NFD", plain)))


def test_tickets_are_even(tickets: pd.DataFrame) -> None:
    """Each of ten languages has 14 tickets of each of five categories, and no text stands there twice."""
    counts = tickets.groupby(["language", "category"])["text"].nunique()
    assert (len(counts), set(counts)) == (50, {14})


def test_no_near_duplicates(tickets: pd.DataFrame) -> None:
    """No two tickets share half of their character 5-grams (0.36 at most)."""
    sets = [grams(text) for text in tickets["text"]]
    assert max(len(left & right) / len(left | right) for left, right in combinations(sets, 2)) < 0.5


def test_latin_words_are_few(tickets: pd.DataFrame) -> None:
    """In other scripts at least half of the tickets of each category have no Latin letter."""
    tickets = of(tickets, *OTHER_SCRIPTS)
    has_none = ~tickets["text"].str.contains("[A-Za-z]")
    assert has_none.groupby([tickets["language"], tickets["category"]]).mean().min() >= 0.5


@pytest.mark.slow
def test_languages_keep_up_with_english(tickets: pd.DataFrame, alone: pd.Series[str]) -> None:
    """Learned alone, the ten languages are on a par: English 0.829, the others 0.743 to 0.900, their mean 0.833."""
    right = accuracies(tickets, alone)
    others = right.drop("English")
    assert right["English"] > 0.75
    assert others.min() > 0.67
    assert others.mean() > right["English"] - 0.03


@pytest.mark.slow
def test_one_model_learns_all_languages(tickets: pd.DataFrame, alone: pd.Series[str], together: pd.Series[str]) -> None:
    """One model of all languages is no worse: 0.884 right beside 0.833, and no language loses over 0.015."""
    gains = accuracies(tickets, together) - accuracies(tickets, alone)
    assert gains.mean() > 0.03
    assert gains.min() > -0.06


@pytest.mark.slow
def test_one_model_does_not_live_on_latin_words(
    tickets: pd.DataFrame, alone: pd.Series[str], together: pd.Series[str]
) -> None:
    """In tickets of other scripts without a Latin letter, one model has 0.872 right, those of one language 0.883."""
    plain = of(tickets, *OTHER_SCRIPTS)
    plain = plain[~plain["text"].str.contains("[A-Za-z]")]
    apart, joint = ((found[plain.index] == plain["category"]).mean() for found in (alone, together))
    assert apart > 0.83
    assert joint > apart - 0.04


@pytest.mark.slow
def test_unspaced_scripts_do_not_need_grams(tickets: pd.DataFrame, alone: pd.Series[str]) -> None:
    """Where each character is a word, its n-grams tell nothing more: 0.886 without them, 0.876 with them."""
    tickets = of(tickets, *UNSPACED)
    without = accuracies(tickets, answers_alone(tickets, TicketClassifier(vector_weight=0, gram_weight=0)))
    assert without.min() > 0.79  # 0.871.
    assert without.mean() == pytest.approx(accuracies(tickets, alone[tickets.index]).mean(), abs=0.03)


@pytest.mark.slow
def test_thai_needs_pairs(tickets: pd.DataFrame, alone: pd.Series[str]) -> None:
    """A Thai character alone tells little, a pair of neighbours much: 0.857 right with pairs, 0.629 without."""
    tickets = of(tickets, "Thai")
    without = answers_alone(tickets, TicketClassifier(vector_weight=0, min_pair_df=1_000))
    assert (alone[tickets.index] == tickets["category"]).mean() > (without == tickets["category"]).mean() + 0.12


@pytest.mark.slow
def test_word_vectors_are_english(tickets: pd.DataFrame, alone: pd.Series[str]) -> None:
    """Word vectors lift English from 0.829 to 1, and neither help nor harm Hindi: 0.786 with, 0.800 without them."""
    tickets = of(tickets, "English", "Hindi")
    gains = accuracies(tickets, answers_alone(tickets, TicketClassifier())) - accuracies(tickets, alone[tickets.index])
    assert gains["English"] > 0.12
    assert abs(gains["Hindi"]) < 0.05


@pytest.mark.parametrize(
    ("language", "change"),
    [("German", shouted), ("French", shouted), ("Spanish", shouted), ("Russian", shouted), ("Arabic", without_marks)],
)
def test_other_spellings_have_the_same_answers(
    tickets: pd.DataFrame, language: str, change: Callable[[str], str]
) -> None:
    """Capitals without accents, and Arabic without vowel signs and punctuation, are answered as what they stand for."""
    tickets = of(tickets, language)
    train, test = tickets[tickets["cut"] != 0], tickets[tickets["cut"] == 0]
    classifier = TicketClassifier(vector_weight=0).fit(train["text"].tolist(), train["category"].to_numpy())
    changed = test["text"].map(change)
    assert (changed != test["text"]).mean() > 0.8
    np.testing.assert_array_equal(classifier.predict(changed.tolist()), classifier.predict(test["text"].tolist()))
    # The capital of the German ß is SS, another spelling: only there are margins others.
    same = ~test["text"].str.contains("ß")
    left, right = (classifier.decision_function(texts[same].tolist()) for texts in (changed, test["text"]))
    np.testing.assert_array_equal(left, right)
