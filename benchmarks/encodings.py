"""An encoder that remembers on the disk what it said: benchmarks ask it about the same tickets again and again."""

from __future__ import annotations

import atexit
import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from deflect.line.encoder import Encoder, EncoderIdentity

_FOLDER = Path("build/encodings")


class StoredEncoder:
    """Answers from the disk what it was asked before, and stores what is new when the program ends."""

    def __init__(self, asked: Encoder) -> None:
        self.asked = asked
        probe = hashlib.sha256(repr(EncoderIdentity.of(self.asked).probe).encode()).hexdigest()
        self._file = _FOLDER / f"{probe[:16]}.npz"
        self._known: dict[str, npt.NDArray[np.float32]] = {}
        if self._file.is_file():
            with np.load(self._file) as stored:
                self._known = dict(zip(stored["keys"].tolist(), stored["vectors"], strict=True))
        self._n_stored = len(self._known)
        atexit.register(self._store)

    def encode(self, texts: list[str]) -> npt.NDArray[np.float32]:
        """Return the vector of each text, (n_texts, n_dims)."""
        keys = [hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:32] for text in texts]
        fresh = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._known}
        if fresh:
            vectors = np.asarray(self.asked.encode(list(fresh.values())), dtype=np.float32)
            self._known.update(zip(fresh, vectors, strict=True))
        return np.stack([self._known[key] for key in keys])

    def __deepcopy__(self, _memo: object) -> StoredEncoder:
        return self

    def _store(self) -> None:
        if len(self._known) > self._n_stored:
            _FOLDER.mkdir(parents=True, exist_ok=True)
            np.savez(self._file, keys=np.array(list(self._known)), vectors=np.stack(list(self._known.values())))
