"""What a teacher brings: the table alone, the teacher, and the table that it taught, on test parts.

DEFLECT_DATASETS=FOLDER python -m benchmarks.distilling ENCODER [SET ...]     default: banking77 firefox_support
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.data_sets import DataSet, few, read_set
from benchmarks.encodings import StoredEncoder
from deflect import TicketClassifier, distil, load_encoder
from deflect.loop.calibration import expected_calibration_error

N_DRAWS = 3
N_LABELLED, N_UNLABELLED, N_TEST = 2_000, 20_000, 5_000

Parts = tuple[pd.DataFrame, list[str], pd.DataFrame]


def banking77(data: DataSet, draw: int) -> Parts:
    """Return 10 labelled tickets a category, the texts of the rest, and the test part."""
    labelled = few(data.train, 10, draw)
    return labelled, data.train.drop(labelled.index)["text"].tolist(), data.test


def firefox_support(data: DataSet, draw: int) -> Parts:
    """Return 2,000 labelled tickets, the texts of 20,000 others, and 5,000 of the test part, always the same.

    Tickets of categories that came up after the training part are left out.
    """
    rng = np.random.default_rng(0)
    pool = data.train.iloc[np.sort(rng.choice(len(data.train), N_LABELLED + N_UNLABELLED, replace=False))]
    test = data.test.iloc[np.sort(rng.choice(len(data.test), N_TEST, replace=False))]
    test = test[test["label"].isin(data.train["label"])]
    order = np.random.default_rng(draw).permutation(len(pool))
    return pool.iloc[order[:N_LABELLED]], pool.iloc[order[N_LABELLED:]]["text"].tolist(), test


SETS: dict[str, Callable[[DataSet, int], Parts]] = {"banking77": banking77, "firefox_support": firefox_support}


def main(encoder: StoredEncoder, names: list[str]) -> None:
    """Print a row of a Markdown table for each draw."""
    print("| set | draw | table alone | teacher | table, taught | calibration errors |\n|---|---|---|---|---|---|")
    for name in names or SETS:
        for draw in range(N_DRAWS):
            labelled, unlabelled, test = SETS[name](read_set(name), draw)
            texts, labels = labelled["text"].tolist(), labelled["label"].to_numpy()
            alone = TicketClassifier().fit(texts, labels)
            teacher = TicketClassifier(encoder=encoder).fit(texts, labels)
            taught = distil(TicketClassifier(), texts, labels, teacher=encoder, unlabelled=unlabelled)
            figures = [_figures(classifier, test) for classifier in (alone, teacher, taught)]
            accuracies = " | ".join(f"{100 * accuracy:.1f}" for accuracy, _ in figures)
            errors = ", ".join(f"{error:.3f}" for _, error in figures)
            print(f"| {name} | {draw} | {accuracies} | {errors} |", flush=True)


def _figures(classifier: TicketClassifier, test: pd.DataFrame) -> tuple[float, float]:
    """Return accuracy and calibration error."""
    probabilities = classifier.predict_proba(test["text"].tolist())
    is_right = classifier.classes_[probabilities.argmax(axis=1)] == test["label"].to_numpy()
    return float(is_right.mean()), expected_calibration_error(probabilities.max(axis=1), is_right)


if __name__ == "__main__":
    main(StoredEncoder(load_encoder(sys.argv[1])), sys.argv[2:])
