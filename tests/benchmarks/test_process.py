from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.side_by_side.process import in_own_process
from benchmarks.side_by_side.tasks import generated_task, read_labelled, write_labelled


@pytest.mark.parametrize("name", ["deflect", "scikit-learn"])
def test_learns_and_answers(tmp_path: Path, name: str) -> None:
    """A contender learns in one process and answers in others, and every figure is that of something that happened."""
    task = generated_task(tmp_path, 500, 2)
    learned = in_own_process("training", name, task.train, task.model(name))
    answered = in_own_process("answering", name, task.model(name), task.test)
    assert answered["accuracy"] > 0.8
    assert learned["model_bytes"] == sum(file.stat().st_size for file in task.model(name).iterdir())
    assert 20e6 < answered["answering_bytes"] < 2e9
    assert answered["tickets_per_second"] > 0
    in_own_process("archive", name, task.model(name), task.test, tmp_path / "answers.csv")


def test_files(tmp_path: Path) -> None:
    """Texts come back from a task's file as they were, with commas, quotes and lines."""
    texts = ['a, "b"', "two\nlines", ""]
    assert write_labelled(tmp_path / "train.csv", [(texts, ["x", "y", "x"])]) == 3
    assert read_labelled(tmp_path / "train.csv") == (texts, ["x", "y", "x"])
