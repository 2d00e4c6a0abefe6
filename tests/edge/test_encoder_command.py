"""Commands with ``--encoder``: train, answer, score and evaluate with an encoder that lies on the disk."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from encoders import SUBJECTS, save_static_encoder
from typer.testing import CliRunner, Result

from deflect.edge.cli import app

CATEGORIES = ("dns", "timeout", "billing")


def run(*arguments: object) -> Result:
    """Run ``deflect`` with a wide screen."""
    return CliRunner().invoke(app, [str(argument) for argument in arguments], env={"COLUMNS": "250"})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an encoder, tickets, a playbook, and a bundle that was trained with the encoder."""
    folder = tmp_path_factory.mktemp("work")
    save_static_encoder(folder / "words")
    rng = np.random.default_rng(0)
    subjects = list(SUBJECTS)
    # The last word of each category is in no training ticket: only the encoder knows it.
    rows = []
    for i in range(300):
        number = i % 3
        known = [word for word in subjects if SUBJECTS[word] == number][:4]
        noise = [f"n{n}" for n in rng.integers(40, size=5)]
        rows.append((" ".join(rng.permutation([*noise, *rng.choice(known, 2)])), CATEGORIES[number]))
    pd.DataFrame(rows, columns=["body", "category"]).to_csv(folder / "tickets.csv", index=False)
    entry = '[categories.{}]\nowner = "support"\nreviewed_on = 2026-11-01\nlead = "Look."\n'
    (folder / "playbook.toml").write_text("format = 1\n" + "".join(entry.format(name) for name in CATEGORIES))
    trained = run(
        *("train", folder / "tickets.csv", "--playbook", folder / "playbook.toml", "--output", folder / "bundle"),
        *("--encoder", folder / "words", "--vector-weight", "0", "--per", "overall"),
    )
    assert trained.exit_code == 0, trained.output
    return folder


def test_a_word_that_only_the_encoder_knows(folder: Path) -> None:
    """A ticket of a word that no training ticket has is answered by the encoder."""
    answer = run("suggest", "--model", folder / "bundle", "--encoder", folder / "words", "--json", "sluggish n1 n2 n3")
    assert json.loads(answer.stdout)["category"] == "timeout"


def test_suggest_without_the_encoder(folder: Path) -> None:
    """Without the encoder the command says which it needs and how to name it; exit code 2."""
    answer = run("suggest", "--model", folder / "bundle", "it is slow")
    assert answer.exit_code == 2
    assert "needs the encoder words (StaticModel, 16 dimensions)" in answer.stderr
    assert "--encoder NAME_OR_PATH" in answer.stderr


def test_an_encoder_that_is_not_there(folder: Path) -> None:
    """A name that is no directory and was not downloaded is refused; exit code 2."""
    answer = run("suggest", "--model", folder / "bundle", "--encoder", "no-such/encoder", "it is slow")
    assert answer.exit_code == 2
    assert "Got 'no-such/encoder'" in answer.stderr


def test_an_encoder_for_a_model_without_one(folder: Path) -> None:
    """The starter bundle needs no encoder, and says so."""
    answer = run("suggest", "--encoder", folder / "words", "it is slow")
    assert answer.exit_code == 2
    assert "needs no encoder" in answer.stderr


def test_score(folder: Path) -> None:
    """A file is scored by one worker, however many were asked for, as the tickets are one by one."""
    target = folder / "scored.jsonl"
    options = ("--model", folder / "bundle", "--encoder", folder / "words", "--workers", 2)
    answer = run("score", folder / "tickets.csv", target, *options)
    assert answer.exit_code == 0, answer.output
    first = json.loads(target.read_text().splitlines()[0])
    alone = run("suggest", "--model", folder / "bundle", "--encoder", folder / "words", "--json", first["body"])
    assert first["deflect_probability"] == pytest.approx(json.loads(alone.stdout)["probability"], abs=1e-5)


def test_score_on_a_cluster(folder: Path) -> None:
    """An encoder is not sent to a cluster; exit code 2."""
    options = ("--model", folder / "bundle", "--encoder", folder / "words", "--engine", "dask")
    answer = run("score", folder / "tickets.csv", folder / "parts", *options)
    assert answer.exit_code == 2
    assert "the engine must be local. Got dask" in answer.stderr


def test_evaluate(folder: Path) -> None:
    """A bundle with an encoder is measured as any other."""
    answer = run(
        "evaluate", folder / "tickets.csv", "--model", folder / "bundle", "--encoder", folder / "words", "--json"
    )
    assert answer.exit_code == 0, answer.output
    assert json.loads(answer.stdout)["metrics"]["accuracy"] > 0.95


def test_playbook_check_needs_no_encoder(folder: Path) -> None:
    """A playbook is checked against the categories of a model without its encoder."""
    answer = run("playbook", "check", folder / "playbook.toml", "--model", folder / "bundle", "--max-age-days", 100000)
    assert answer.exit_code == 0, answer.output


def test_teacher(folder: Path) -> None:
    """A teacher makes the table know what only unlabelled tickets have; the bundle needs no encoder."""
    rng = np.random.default_rng(1)
    rows = [" ".join(["sluggish", "hangs", *(f"n{n}" for n in rng.integers(40, size=4))]) for _ in range(60)]
    pd.DataFrame({"body": rows}).to_csv(folder / "others.csv", index=False)
    command = (
        *("train", folder / "tickets.csv", "--playbook", folder / "playbook.toml", "--per", "overall"),
        *("--output", folder / "taught", "--vector-weight", "0"),
    )
    trained = run(*command, "--teacher", folder / "words", "--unlabelled", folder / "others.csv")
    assert trained.exit_code == 0, trained.output
    assert "learned from 60 tickets without a category" in trained.stderr
    answer = run("suggest", "--model", folder / "taught", "--json", "sluggish n1 n2 n3")
    assert json.loads(answer.stdout)["category"] == "timeout"


@pytest.mark.parametrize("option", ["--teacher", "--unlabelled"])
def test_half_of_a_teacher(folder: Path, option: str) -> None:
    """A teacher needs tickets, and they need a teacher; exit code 2."""
    value = folder / ("words" if option == "--teacher" else "tickets.csv")
    target = folder / "half"
    answer = run(
        *("train", folder / "tickets.csv", "--playbook", folder / "playbook.toml", "--output", target, option, value)
    )
    assert answer.exit_code == 2
    assert "Got one of both" in answer.stderr
    assert not target.exists()
