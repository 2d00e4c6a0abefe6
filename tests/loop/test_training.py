from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from deflect.errors import ParameterError, TrainingDataError
from deflect.line.incident_prior import IncidentPrior
from deflect.line.playbook import Playbook, parse_playbook
from deflect.loop.classifier import TicketClassifier
from deflect.loop.evaluation import evaluate
from deflect.loop.incident_windows import IncidentWindow, fit_incident_prior, mark
from deflect.loop.promises import fit_thresholds
from deflect.loop.training import Plan, Training, train_deflector

CATEGORIES = ("billing", "dns", "timeout")
ENTRY = '[categories.{}]\nowner = "support"\nreviewed_on = 2026-11-01\nlead = "Look at {}."\n'


def archive(n: int = 450) -> pd.DataFrame:
    """Return tickets of three categories, whose words are half their own, with subjects and times."""
    rng = np.random.default_rng(0)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    words = np.array(["".join(rng.choice(letters, 6)) for _ in range(200)])
    numbers = np.arange(n) % 3
    own, shared = 20 * numbers[:, None] + rng.integers(20, size=(n, 4)), rng.integers(60, 200, size=(n, 6))
    texts = [" ".join(row) for row in words[rng.permuted(np.hstack((own, shared)), axis=1)].tolist()]
    return pd.DataFrame(
        {
            "text": texts,
            "category": np.array(CATEGORIES)[numbers],
            "subject": [text[:13] for text in texts],
            "created_at": (pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.permutation(n), unit="D")).astype(str),
        },
        index=pd.RangeIndex(2, n + 2, name="line"),
    )


@pytest.fixture(scope="module")
def playbook() -> Playbook:
    """Return a playbook for the three categories."""
    return parse_playbook("format = 1\n" + "".join(ENTRY.format(name, name) for name in CATEGORIES))


@pytest.fixture(scope="module")
def training(playbook: Playbook) -> Training:
    """Return what training on the archive made, without learning subjects by themselves."""
    return train_deflector(archive(), playbook, Plan(subject=None))


def test_parts_do_not_overlap(training: Training) -> None:
    """Each ticket of the archive is in exactly one of train, calibration and test, 60, 20 and 20 %."""
    split = training.split
    lines = [*split.train.index, *split.calibration.index, *split.test.index]
    assert sorted(lines) == archive().index.tolist()
    assert (len(split.train), len(split.calibration), len(split.test)) == (270, 90, 90)


def test_report_is_of_the_test_part(training: Training) -> None:
    """The report counts the tickets of the test part, for each category."""
    assert training.report.n_tickets == 90
    assert [(row.category, row.n_tickets) for row in training.report.categories] == [(name, 30) for name in CATEGORIES]
    assert training.report.accuracy > 0.9


def test_report_is_of_a_classifier_that_learned_from_train_alone(training: Training) -> None:
    """The report is what a classifier fitted on train has on test, with thresholds fitted on calibration."""
    split = training.split
    classifier = TicketClassifier().fit(split.train["text"], split.train["category"].to_numpy())
    calibration = split.calibration["text"], split.calibration["category"].to_numpy()
    thresholds = fit_thresholds(classifier, *calibration, target_precision=0.9)
    assert evaluate(classifier, thresholds, split.test["text"], split.test["category"].to_numpy()) == training.report


def test_promises_are_fitted_on_the_calibration_part(training: Training) -> None:
    """The deflector's promises count the tickets of the calibration part, and no others."""
    promises = training.deflector.thresholds.promises
    assert [promise.category for promise in promises] == list(CATEGORIES)
    assert sum(promise.n_calibration for promise in promises) == 90


def test_deflector_answers(training: Training) -> None:
    """The deflector suggests for most test tickets, and at least nine of ten suggestions are right."""
    test = training.split.test
    suggestions = training.deflector.suggest_many(test["text"].tolist())
    shown = [
        (suggestion.category, truth)
        for suggestion, truth in zip(suggestions, test["category"], strict=True)
        if suggestion.decision == "suggest"
    ]
    assert len(shown) > 45
    assert sum(category == truth for category, truth in shown) >= 0.9 * len(shown)


def test_training_is_deterministic(training: Training, playbook: Playbook) -> None:
    """The same archive and plan make the same tables, promises and report."""
    again = train_deflector(archive(), playbook, Plan(subject=None))
    np.testing.assert_array_equal(again.deflector.scorer.table, training.deflector.scorer.table)
    assert again.deflector.thresholds == training.deflector.thresholds
    assert again.report == training.report


def test_plan_is_followed(playbook: Playbook) -> None:
    """The plan's classifier, time, fractions and promise are those of the training."""
    plan = Plan(
        classifier=TicketClassifier(gram_weight=0.0),
        time="created_at",
        fractions=(0.5, 0.3, 0.2),
        target_precision=0.8,
        confidence=0.9,
        per="overall",
        subject=None,
    )
    training = train_deflector(archive(), playbook, plan)
    (promise,) = training.deflector.thresholds.promises
    assert (promise.category, promise.target_precision, promise.confidence) == (None, 0.8, 0.9)
    assert promise.n_calibration == len(training.split.calibration) == 135
    assert training.split.train["created_at"].max() < training.split.test["created_at"].min()
    assert not training.deflector.scorer.gram_table.any()
    assert not hasattr(plan.classifier, "scorer_")


def test_subjects_are_learned_by_themselves(training: Training, playbook: Playbook) -> None:
    """A column of subjects makes another model of the same parts; one that is not there makes no difference."""
    learned = train_deflector(archive(), playbook, Plan(subject="subject"))
    absent = train_deflector(archive().drop(columns="subject"), playbook, Plan(subject="subject"))
    assert learned.split.train.index.tolist() == training.split.train.index.tolist()
    assert learned.deflector.fingerprint != training.deflector.fingerprint
    assert absent.deflector.fingerprint == training.deflector.fingerprint


@pytest.mark.parametrize("n_left", [1, 2])
def test_small_category_is_refused(playbook: Playbook, n_left: int) -> None:
    """A category with fewer than three tickets is an error that names it and says what to do."""
    frame = archive()
    is_dns = frame["category"] == "dns"
    frame = frame[~is_dns | (is_dns.cumsum() <= n_left)]
    message = rf"at least 3 tickets: .*\. Got dns \({n_left}\)\. Add tickets, or put these under another category\."
    with pytest.raises(TrainingDataError, match=message):
        train_deflector(frame, playbook, Plan())


def test_progress_is_passed_on(playbook: Playbook) -> None:
    """Progress is told while the classifier reads and learns."""
    stages = set[str]()
    train_deflector(archive(90), playbook, Plan(), progress=lambda stage, _done, _total: stages.add(stage))
    assert stages == {"reading", "learning"}


def windows_over(frame: pd.DataFrame, n: int) -> tuple[IncidentWindow, ...]:
    """Return a window of a minute around each of the first tickets of a frame."""
    times = pd.to_datetime(frame["created_at"], utc=True)[:n]
    minute = pd.Timedelta(minutes=1)
    return tuple(IncidentWindow((t - minute).to_pydatetime(), t.to_pydatetime(), "major", ("dns",)) for t in times)


def test_past_incidents(playbook: Playbook) -> None:
    """Tickets of past incidents are kept out of calibration and test, and their number is told."""
    frame = archive()
    windows = windows_over(frame, 60)
    training = train_deflector(frame, playbook, Plan(subject=None, time="created_at", windows=windows))
    lines = frame.index[:60]
    split = training.split
    assert training.n_marked == 60
    assert not lines.isin([*split.calibration.index, *split.test.index]).any()
    assert training.report.n_tickets == len(split.test)


def test_past_incidents_make_the_prior() -> None:
    """The deflector's prior comes from the tickets of past incidents, and is the default without any."""
    frame = archive().replace({"category": {"billing": "incident"}})
    book = parse_playbook("format = 1\n" + "".join(ENTRY.format(n, n) for n in ("incident", "dns", "timeout")))
    windows = windows_over(frame, 60)
    prior = train_deflector(frame, book, Plan(time="created_at", windows=windows)).deflector.incident_prior
    marks = mark(pd.to_datetime(frame["created_at"], utc=True), windows)
    assert prior == fit_incident_prior(frame["category"].tolist(), marks, windows)
    assert train_deflector(frame, book, Plan()).deflector.incident_prior == IncidentPrior() != prior


def test_past_incidents_need_times(playbook: Playbook) -> None:
    """Past incidents without a column of the time are an error that says what to do."""
    frame = archive()
    with pytest.raises(ParameterError, match="Past incidents need the times of the tickets"):
        train_deflector(frame, playbook, Plan(windows=windows_over(frame, 3)))


class Keys:
    """An encoder that knows nothing but two letters, and counts what it is asked."""

    n_asked = 0

    def encode(self, texts: list[str], /) -> np.ndarray:
        """Return (n_texts, 2)."""
        Keys.n_asked += len(texts)
        return np.array([[text.count("a") + 1, text.count("e")] for text in texts])


def others(n: int) -> list[str]:
    """Return texts of tickets without a category, none of which is in the archive."""
    return [f"{text} {text[::-1]}" for text in archive(n)["text"]]


def test_each_ticket_is_encoded_once(playbook: Playbook) -> None:
    """Training fits twice and measures four times, but asks the encoder about each ticket once; so with a teacher."""
    Keys.n_asked = 0
    taught = train_deflector(archive(), playbook, Plan(subject=None, teacher=Keys(), unlabelled=others(60)))
    assert taught.n_taught == 60
    # The probe is asked at the beginning and for each of the two models.
    assert Keys.n_asked == len(set(archive()["text"]) - set(taught.split.calibration["text"])) + 60 + 2


def test_a_deflector_keeps_the_encoder_and_not_the_memory(playbook: Playbook) -> None:
    """The deflector has the encoder that was given."""
    encoder = Keys()
    plan = Plan(TicketClassifier(encoder=encoder, encoder_weight=1.0), subject=None)
    part = train_deflector(archive(), playbook, plan).deflector.scorer.encoder_part
    assert part is not None
    assert part.encoder is encoder


def test_near_copies_of_held_out_tickets_are_not_learned(training: Training, playbook: Playbook) -> None:
    """Unlabelled tickets that are nearly those of calibration or test are left out: the promise is about new ones."""
    split = training.split
    copies = [text + " " for text in [*split.calibration["text"], *split.test["text"]]]
    plan = Plan(subject=None, teacher=Keys(), unlabelled=copies + others(30))
    assert train_deflector(archive(), playbook, plan).n_taught == 30
    with pytest.raises(ParameterError, match="All are near-duplicates of calibration or test tickets"):
        train_deflector(archive(), playbook, Plan(subject=None, teacher=Keys(), unlabelled=copies))


@pytest.mark.parametrize("half", [{"teacher": Keys()}, {"unlabelled": ["a"]}])
def test_a_teacher_without_tickets(playbook: Playbook, half: dict[str, object]) -> None:
    """A teacher and unlabelled tickets come together."""
    with pytest.raises(ParameterError, match="Got one of both"):
        train_deflector(archive(), playbook, Plan(**half))  # type: ignore[arg-type]
