from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from vectors.sentences import SOURCES, corpus, sentences, starter_texts, title, training_texts


def test_sentences_are_cut() -> None:
    """A text is cut where sentences and lines end, and without sentences of a word or two."""
    assert sentences("My site is down. Help!\nIt was fine yesterday  and not today") == [
        "My site is down.",
        "It was fine yesterday",
        "and not today",
    ]


def test_long_sentences_are_cut() -> None:
    """A sentence of 60 words comes in parts of at most 24."""
    assert [len(part.split()) for part in sentences("word " * 60)] == [24, 24, 12]


def test_a_title_is_the_first_line() -> None:
    """Of a post only the first line is taken."""
    assert title("No sound\nSince today there is none.") == ["No sound"]


def test_only_training_rows_are_read(tmp_path: Path) -> None:
    """Rows of the test part and rows without a text are left out."""
    rows = {"text": ["one", "two", None], "split": ["train", "test", "train"]}
    pd.DataFrame(rows).to_csv(tmp_path / "set.csv.gz", index=False)
    assert training_texts(tmp_path, "set.csv.gz") == ["one"]


def test_the_corpus_is_of_all_sources(tmp_path: Path) -> None:
    """Each source and the starter tickets add sentences, of each the most that it may, and none twice."""
    for source in SOURCES:
        (tmp_path / source.file).parent.mkdir(exist_ok=True)
        name = source.file.partition("/")[0]
        rows = {"text": [f"{name} number {i % 6000}" for i in range(7000)], "split": "train"}
        pd.DataFrame(rows).to_csv(tmp_path / source.file, index=False)
    starter = pd.DataFrame({"subject": ["the first subject line"], "body": ["it is broken now"]})
    starter.to_csv(tmp_path / "starter.csv", index=False)
    assert starter_texts(tmp_path / "starter.csv") == ["the first subject line\nit is broken now"]
    found = list(corpus(tmp_path, tmp_path / "starter.csv", np.random.default_rng(0)))
    assert len(found) == len(set(found)) == sum(min(source.most, 6000) for source in SOURCES) + 2
    assert found[-2:] == ["the first subject line", "it is broken now"]
