"""Accuracy of deflect and of others on public data sets: a row of a Markdown table for each method.

DEFLECT_DATASETS=FOLDER python -m benchmarks.accuracy [--encoder DIRECTORY] [METHOD ...]     default: all methods.

Speed, of one process that answers all at once, and size are those of banking77; AUROC is that of clinc150's tickets of
no category, by the highest probability.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import cache, partial
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GridSearchCV, ShuffleSplit

from benchmarks.data_sets import DataSet, read_set
from benchmarks.encodings import StoredEncoder
from benchmarks.side_by_side.contenders import contender
from benchmarks.side_by_side.contenders.ours import Ours
from benchmarks.side_by_side.contenders.scikit_learn import ScikitLearn
from deflect import load_encoder
from deflect.line.encoder import Encoder, encode

SETS = ("banking77", "clinc150", "trec", "corefx_issues", "support_tickets")
_TABLES = ("deflect", "scikit-learn", "fastText", "spaCy")
#: So many texts are answered to measure the speed, with an encoder so many.
_N_ANSWERED, _N_ENCODED = 40_000, 500


class LogisticOnEncoder(ScikitLearn):
    """scikit-learn's logistic regression on the encoder's vectors; C by the accuracy on a fifth that is held out."""

    def __init__(self, encoder: Encoder) -> None:
        self.encoder = encoder

    def fit(self, texts: list[str], labels: list[str]) -> None:
        """Learn."""
        fifth = ShuffleSplit(1, test_size=0.2, random_state=0)
        search = GridSearchCV(LogisticRegression(max_iter=1000), {"C": [3, 10, 30]}, cv=fifth)
        self.pipeline = search.fit(encode(self.encoder, texts), labels)

    def predict(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the label of each text."""
        answers: list[str] = self.pipeline.predict(encode(self.encoder, texts)).tolist()
        return answers


def main() -> None:
    """Print the rows."""
    parser = argparse.ArgumentParser(description="Accuracy of deflect and of others.")
    parser.add_argument("methods", nargs="*", help=f"some of {', '.join(_TABLES)}, deflect-encoder, encoder-logistic")
    parser.add_argument("--encoder", help="directory of a sentence encoder, for the last two")
    options = parser.parse_args()
    # Each is loaded when it is its turn: whoever asks for some need not install the others.
    methods: dict[str, Callable[[], Ours | ScikitLearn]] = {name: partial(_table, name) for name in _TABLES}
    if options.encoder:
        methods["deflect-encoder"] = lambda: Ours(_layered_encoder(options.encoder))
        methods["encoder-logistic"] = lambda: LogisticOnEncoder(_sentence_encoder(options.encoder))
    print(f"| | {' | '.join(SETS)} | AUROC | tickets a second | MB |\n|---|" + "---|" * (len(SETS) + 3))
    for name in options.methods or methods:
        print(f"| {name} | {' | '.join(_row(methods[name]))} |", flush=True)


@cache
def _layered_encoder(folder: str) -> StoredEncoder:
    """Return an encoder with the layers that ``load_encoder`` joins."""
    return StoredEncoder(load_encoder(folder))


@cache
def _sentence_encoder(folder: str) -> StoredEncoder:
    """Return an encoder as it is, without these layers."""
    from sentence_transformers import SentenceTransformer

    return StoredEncoder(SentenceTransformer(folder, local_files_only=True))


def _table(name: str) -> Ours | ScikitLearn:
    return contender(name)()


def _row(make: Callable[[], Ours | ScikitLearn]) -> list[str]:
    """Return a method's accuracy on each set, then what else there is to say of it."""
    cells, more = [], {"AUROC": "", "speed": "", "size": ""}
    for name in SETS:
        data, method = read_set(name), make()
        method.fit(data.train["text"].tolist(), data.train["label"].tolist())
        answers = np.asarray(method.predict(data.test["text"].tolist()))
        cells.append(f"{100 * (answers == data.test['label'].to_numpy()).mean():.1f}")
        if name == "banking77":
            more |= {"speed": f"{_speed(method, data):,.0f}", "size": f"{_size(method) / 1e6:.1f}"}
        if data.outside and isinstance(method, Ours | LogisticOnEncoder):
            more["AUROC"] = f"{_auroc(method, data):.3f}"
    return [*cells, *more.values()]


def _speed(method: Ours | ScikitLearn, data: DataSet) -> float:
    """Return tickets a second, the better of two tries; with an encoder they are those of the encoder."""
    encoder = getattr(method, "encoder", None)
    answer = method.predict if encoder is None else encoder.asked.encode
    texts = list(islice(cycle(data.test["text"]), _N_ANSWERED if encoder is None else _N_ENCODED))
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        answer(texts)
        seconds.append(time.perf_counter() - start)
    return len(texts) / min(seconds)


def _size(method: Ours | ScikitLearn) -> int:
    """Return the bytes of the saved model, without the encoder."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "model")
        path.mkdir()
        method.save(path)
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _auroc(method: Ours | LogisticOnEncoder, data: DataSet) -> float:
    sure = [_sureness(method, texts).max(axis=1) for texts in (data.test["text"].tolist(), data.outside)]
    is_inside = np.repeat([1, 0], [len(part) for part in sure])
    return float(roc_auc_score(is_inside, np.concatenate(sure)))


def _sureness(method: Ours | LogisticOnEncoder, texts: list[str]) -> npt.NDArray[np.float64]:
    if isinstance(method, Ours):
        return method.deflector.scorer.probabilities(texts)
    probabilities: npt.NDArray[np.float64] = method.pipeline.predict_proba(encode(method.encoder, texts))
    return probabilities


if __name__ == "__main__":
    main()
