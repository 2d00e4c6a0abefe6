"""Learning curves: accuracy with 5, 10 and 30 labelled tickets a category, three draws of each.

DEFLECT_DATASETS=FOLDER python -m benchmarks.few_labels [ENCODER [SET ...]]     ENCODER: a sentence encoder's directory.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from benchmarks.data_sets import DataSet, few, read_set
from benchmarks.encodings import StoredEncoder
from deflect import TicketClassifier, load_encoder

SETS = ("ask_ubuntu", "web_applications", "banking77", "clinc150")
SIZES = (5, 10, 30)
N_DRAWS = 3


def main(encoder_path: str | None, names: Sequence[str]) -> None:
    """Print a row of a Markdown table for each way to learn from so many tickets of a data set."""
    classifiers = {"without word vectors": TicketClassifier(vector_weight=0), "with word vectors": TicketClassifier()}
    if encoder_path is not None:
        classifiers["with an encoder"] = TicketClassifier(encoder=StoredEncoder(load_encoder(encoder_path)))
    print(f"| set | tickets a category | {' | '.join(classifiers)} |")
    print("|---|---|" + "---|" * len(classifiers))
    for name in names or SETS:
        data = read_set(name)
        largest = data.train["label"].value_counts().max()
        for size in SIZES:
            if size > largest and SIZES[SIZES.index(size) - 1] >= largest:
                continue  # All there are, as the row before.
            cells = [_cell(classifier, data, size) for classifier in classifiers.values()]
            print(f"| {name} | {size} | {' | '.join(cells)} |", flush=True)


def _cell(classifier: TicketClassifier, data: DataSet, size: int) -> str:
    """Return the mean accuracy of the draws, and the least and the greatest."""
    scores = []
    for draw in range(N_DRAWS):
        drawn = few(data.train, size, draw)
        classifier.fit(drawn["text"].tolist(), drawn["label"].to_numpy())
        scores.append(100 * classifier.score(data.test["text"].tolist(), data.test["label"].to_numpy()))
    return f"{np.mean(scores):.1f} ({min(scores):.1f}-{max(scores):.1f})"


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None, sys.argv[2:])
