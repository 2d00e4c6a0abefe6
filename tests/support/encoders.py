"""Small encoders that are real: characters in, vectors out, by the convention of sentence-transformers."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

#: Words of some tickets, and what each is about: 0 names of hosts, 1 slowness, 2 money.
SUBJECTS = {
    "cname": 0,
    "domain": 0,
    "nameserver": 0,
    "resolve": 0,
    "registrar": 0,
    "slow": 1,
    "timeout": 1,
    "latency": 1,
    "hangs": 1,
    "sluggish": 1,
    "invoice": 2,
    "refund": 2,
    "charged": 2,
    "payment": 2,
    "receipt": 2,
}


@dataclass
class GramEncoder:
    """Adds up a random vector of each three characters; two seeds are two encoders."""

    seed: int = 0
    n_dims: int = 48
    n_asked: int = 0

    def encode(self, texts: list[str], /) -> npt.NDArray[np.float32]:
        """Return a vector for each text, (n_texts, n_dims)."""
        self.n_asked += len(texts)
        table = np.random.default_rng(self.seed).normal(size=(997, self.n_dims))
        rows = [[zlib.crc32(text[i : i + 3].encode()) % 997 for i in range(len(text))] for text in texts]
        return np.array([table[row].sum(axis=0) if row else np.zeros(self.n_dims) for row in rows], dtype=np.float32)


def save_static_encoder(directory: Path) -> None:
    """Write an encoder of model2vec that knows which of ``SUBJECTS`` belong together."""
    from model2vec import StaticModel
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

    words = {"[UNK]": 0, **{word: i + 1 for i, word in enumerate(SUBJECTS)}}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="[UNK]"))  # noqa: S106  # A token of a text.
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    vectors = np.random.default_rng(0).normal(scale=0.1, size=(len(words), 16))
    for place, number in enumerate(SUBJECTS.values()):
        vectors[place + 1, number] += 1
    config = {"model_type": "model2vec"}  # As distill of model2vec writes it.
    StaticModel(vectors.astype(np.float32), tokenizer, config).save_pretrained(directory)
