from __future__ import annotations

import numpy as np
import pytest

from deflect.errors import ParameterError
from deflect.line.scorer import Float64s
from deflect.loop.calibration import expected_calibration_error
from deflect.loop.classifier import TicketClassifier
from deflect.loop.distilling import distil, guess

N_NAMES = 60
CATEGORIES = np.array(["billing", "dns", "timeout"])


class Knowing:
    """An encoder that knows which names belong together, and hears some wrongly."""

    def encode(self, texts: list[str], /) -> Float64s:
        """Return (n_texts, 3)."""
        rng = np.random.default_rng(len(texts))
        counts = [[text.count(f"{letter}name") for letter in "abc"] for text in texts]
        return np.array(counts) + rng.normal(scale=0.2, size=(len(texts), 3))


def tickets(n: int, seed: int, noise: float = 0.1) -> tuple[list[str], np.ndarray]:
    """Return tickets with two names of one category each and words of no meaning; some have names of another."""
    rng = np.random.default_rng(seed)
    numbers = rng.integers(3, size=n)
    shown = np.where(rng.random(n) < noise, rng.integers(3, size=n), numbers)
    texts = [
        " ".join(
            [f"{'abc'[k]}name{'abcdefghij'[i // 10]}{i % 10}" for i in rng.integers(N_NAMES, size=2)]
            + [f"word{i}" for i in rng.integers(50, size=4)]
        )
        for k in shown
    ]
    return texts, CATEGORIES[numbers]


LABELLED, LABELS = tickets(45, seed=0)
OTHERS = tickets(900, seed=1)[0]
TESTED, TRUTH = tickets(600, seed=2)
#: Characters would tell the names' categories too, and leave nothing to teach.
TABLE = TicketClassifier(gram_weight=0.0, vector_weight=0.0)


@pytest.fixture(scope="module")
def taught() -> TicketClassifier:
    """Return a table that learned from a teacher."""
    return distil(TABLE, LABELLED, LABELS, teacher=Knowing(), unlabelled=OTHERS)


def test_the_table_learns_from_the_teacher(taught: TicketClassifier) -> None:
    """Names that only unlabelled tickets have are known afterwards."""
    alone = TicketClassifier(gram_weight=0.0, vector_weight=0.0).fit(LABELLED, LABELS)
    assert alone.score(TESTED, TRUTH) < 0.75
    assert taught.score(TESTED, TRUTH) > 0.85


def test_a_taught_table_needs_no_encoder(taught: TicketClassifier) -> None:
    """What comes out is a table like any other; what went in stays unfitted."""
    assert taught.scorer_.encoder_part is None
    assert taught.get_params()["encoder"] is None
    assert not hasattr(TABLE, "scorer_")


def test_a_taught_table_is_not_too_sure(taught: TicketClassifier) -> None:
    """Its probabilities are those of the teacher, and not of how well it knows the tickets that it learned from."""
    probabilities = taught.predict_proba(TESTED)
    is_right = taught.classes_[probabilities.argmax(axis=1)] == TRUTH
    assert expected_calibration_error(probabilities.max(axis=1), is_right) < 0.07


def test_guesses() -> None:
    """A guess is a row for each category that is possible, the most probable always, with its probability."""
    teacher = TicketClassifier(encoder=Knowing()).fit(LABELLED, LABELS)
    guesses, probabilities = guess(teacher, TESTED[:50]), teacher.predict_proba(TESTED[:50])
    for row, (number, text) in enumerate(zip(guesses.tickets, guesses.texts, strict=True)):
        column = CATEGORIES.tolist().index(guesses.categories[row])
        assert (text, guesses.probabilities[row]) == (TESTED[number], probabilities[number, column])
    assert guesses.probabilities.min() >= 0.02
    assert set(guesses.tickets.tolist()) == set(range(50))
    assert len(guesses.tickets) == (probabilities >= 0.02).sum()


def test_rows_of_one_ticket_are_held_out_together() -> None:
    """Groups are held out as a whole: a ticket that stands there twice cannot be tried on what it was learned from."""
    texts, labels = tickets(120, seed=3, noise=0.5)
    twice, groups = [*texts, *texts], np.tile(np.arange(120), 2)
    sure, honest = (
        TicketClassifier(vector_weight=0.0).fit(twice, np.tile(labels, 2), groups=known).scorer_.sharpness
        for known in (None, groups)
    )
    assert honest < 0.8 * sure


def test_groups_that_are_never_held_out() -> None:
    """Tickets of a group below 0 are learned from, but not calibrated on."""
    texts, labels = tickets(200, seed=4, noise=0.0)
    others, wrong = tickets(200, seed=5, noise=1.0)
    groups = np.concatenate((np.arange(200), np.full(200, -1)))
    everything = ([*texts, *others], np.concatenate((labels, wrong)))
    all_out, right_out = (
        TicketClassifier(vector_weight=0.0).fit(*everything, groups=known).scorer_.sharpness for known in (None, groups)
    )
    assert right_out > 1.2 * all_out


def test_a_student_with_an_encoder() -> None:
    """A classifier with an encoder has nothing to learn from a teacher."""
    with pytest.raises(ParameterError, match="must have no encoder"):
        distil(TicketClassifier(encoder=Knowing()), LABELLED, LABELS, teacher=Knowing(), unlabelled=OTHERS)


def test_no_unlabelled_tickets() -> None:
    """Without other tickets there is nothing to teach."""
    with pytest.raises(ParameterError, match="unlabelled must hold tickets"):
        distil(TABLE, LABELLED, LABELS, teacher=Knowing(), unlabelled=[])
