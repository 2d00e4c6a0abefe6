"""scikit-learn: the usual linear pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import joblib
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from benchmarks.side_by_side.contenders import Contender

_MODEL = "model.joblib"


class ScikitLearn(Contender):
    """TF-IDF of words and word pairs, and a linear support vector machine."""

    package = "scikit-learn"
    setting = "`TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)` and `LinearSVC()`, saved with joblib"
    first_answer = f'import sys, joblib; joblib.load(sys.argv[1] + "/{_MODEL}").predict([sys.argv[2]])'

    def fit(self, texts: list[str], labels: list[str]) -> None:
        """Learn."""
        features = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
        self.pipeline = make_pipeline(features, LinearSVC()).fit(texts, labels)

    def predict(self, texts: Sequence[str]) -> Sequence[str]:
        """Return the label of each text."""
        answers: list[str] = self.pipeline.predict(texts).tolist()
        return answers

    def save(self, folder: Path) -> None:
        """Write the pipeline."""
        joblib.dump(self.pipeline, folder / _MODEL)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read it."""
        loaded = cls()
        loaded.pipeline = joblib.load(folder / _MODEL)
        return loaded


CONTENDER = ScikitLearn
