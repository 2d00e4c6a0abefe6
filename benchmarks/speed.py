"""Speed of deflect beside fastText and scikit-learn: the same texts, one run, ratios.

python benchmarks/speed.py [CSV.GZ ...]     each with the columns text, label and split; default: the starter tickets
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import fasttext
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from deflect import TicketClassifier, read_tickets

N_TEXTS = 40_000
Predict = Callable[[list[str]], object]


def seconds(call: Callable[[], object], rounds: int = 3) -> float:
    """Return the best of a few timings."""
    spent = []
    for _ in range(rounds):
        start = time.perf_counter()
        call()
        spent.append(time.perf_counter() - start)
    return min(spent)


def fasttext_model(texts: list[str], labels: list[str]) -> Predict:
    """Train fastText on words and pairs."""

    def cleaned(text: str) -> str:
        return " ".join(re.findall(r"\w+", text.lower()))

    numbers = {label: i for i, label in enumerate(sorted(set(labels)))}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "train.txt")
        lines = [f"__label__{numbers[label]} {cleaned(text)}\n" for text, label in zip(texts, labels, strict=True)]
        path.write_text("".join(lines), "utf-8")
        model = fasttext.train_supervised(str(path), verbose=0, thread=2, wordNgrams=2, dim=100, epoch=25, lr=0.5)
    return lambda batch: model.f.multilinePredict([cleaned(text) + "\n" for text in batch], 1, 0.0, "strict")


def sklearn_model(texts: list[str], labels: list[str]) -> Predict:
    """Train the usual linear pipeline."""
    features = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    return make_pipeline(features, LinearSVC()).fit(texts, labels).predict


def deflect_model(texts: list[str], labels: list[str]) -> Predict:
    """Train deflect."""
    return TicketClassifier().fit(texts, labels).predict


def measure(name: str, train: pd.DataFrame, test: pd.DataFrame) -> None:
    """Print how many tickets a second each contender answers, and how long it takes to train."""
    texts, labels = train["text"].tolist(), train["label"].astype(str).tolist()
    batch = (test["text"].tolist() * (1 + N_TEXTS // len(test)))[:N_TEXTS]
    rows = {}
    for contender in (deflect_model, fasttext_model, sklearn_model):
        start = time.perf_counter()
        predict = contender(texts, labels)
        rows[contender.__name__.removesuffix("_model")] = (
            time.perf_counter() - start,
            seconds(lambda p=predict: p(batch)),
        )
    own_fit, own = rows["deflect"]
    print(f"{name}: {len(texts)} training tickets, {len(set(labels))} categories")
    for contender, (fit, spent) in rows.items():
        rate = f"{len(batch) / spent:>9,.0f} tickets/s"
        print(f"  {contender:<9} {rate}  deflect is x{spent / own:.1f}   fit {fit:6.1f} s  x{fit / own_fit:.1f}")


def main(paths: list[str]) -> None:
    """Measure on each file."""
    for path in paths:
        frame = pd.read_csv(path).dropna(subset=["text", "label"])
        measure(Path(path).name, frame[frame["split"] == "train"], frame[frame["split"] == "test"])
    if not paths:
        tickets = read_tickets("data/starter_tickets.csv").rename(columns={"category": "label"})
        measure("starter tickets", tickets, tickets)


if __name__ == "__main__":
    main(sys.argv[1:])
