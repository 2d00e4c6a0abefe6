from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from vectors.encoder import Encodings, encode_all


def test_answers_are_remembered(tmp_path: Path) -> None:
    """A text is encoded once: the second time its block comes from the cache, in the same order."""
    asked: list[str] = []

    def encode(texts: Sequence[str]) -> Encodings:
        asked.extend(texts)
        return np.array([[len(text)] for text in texts], dtype=np.float16)

    texts = ["x" * (i % 50) + str(i) for i in range(5000)]
    told: list[str] = []
    first, second = (encode_all(texts, encode, tmp_path, told.append) for _ in range(2))
    assert asked == texts
    assert first[:, 0].tolist() == [len(text) for text in texts]
    np.testing.assert_array_equal(first, second)
    assert told[1] == "encoded 5,000 of 5,000"
