"""Word vectors: what a sentence encoder knows about words, kept in a file of a few megabytes.

They carry what was learned from the words of the training tickets to words that training never saw. ``vectors/`` in the
repository makes the file, docs/accuracy.md says how.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from deflect.errors import WordVectorError
from deflect.line.hashing import Ints, SlotTable, UInt64s
from deflect.line.scorer import Float32s
from deflect.loop.spelling import gram_matrix, word_hashes

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

#: Raised by one whenever an older deflect could not read the new files rightly, or a newer one the old.
FORMAT = 1
MANIFEST = "manifest.json"
WORDS = "words.txt"
VECTORS = "vectors.npy"
SCALES = "scales.npy"


@dataclass(frozen=True, eq=False)
class WordVectors:
    """Vectors of words, the most frequent first.

    ``vectors`` (n_words, n_dims) are whole numbers; the vector of word i is ``vectors[i] * scales``. ``hashes`` are
    those that the line gives the words.
    """

    words: tuple[bytes, ...]
    hashes: UInt64s
    vectors: npt.NDArray[np.int8]
    scales: Float32s

    @classmethod
    def rounded(cls, words: tuple[bytes, ...], vectors: Float32s) -> WordVectors:
        """Round vectors to whole numbers, each dimension by a scale of its own."""
        scales = (np.abs(vectors).max(axis=0, initial=1e-6) / 127).astype(np.float32)
        return cls(words, word_hashes(words), np.round(vectors / scales).astype(np.int8), scales)

    def rows(self, places: Ints) -> Float32s:
        """Return the vectors of the words at ``places``, (n, n_dims)."""
        return self.vectors[places] * self.scales

    @cached_property
    def _slots(self) -> SlotTable:
        return SlotTable.build(self.hashes)

    @cached_property
    def grams(self) -> tuple[UInt64s, csr_matrix]:
        """Return the hashes of the words' n-grams, and a unit row for each word, (n_words, n_grams)."""
        return gram_matrix(self.words)

    def places(self, hashes: UInt64s) -> Ints:
        """Return the place of each hash among the words; the place behind the last word where it has none."""
        return self._slots.find(hashes, len(self.words))


def no_word_vectors() -> WordVectors:
    """Return vectors of no words."""
    return WordVectors.rounded((), np.zeros((0, 0), dtype=np.float32))


def shipped_word_vectors() -> Path:
    """Return where the word vectors of this package lie: inside an installed package, beside it in a clone."""
    package = Path(__file__).resolve().parents[1]
    places = [package / "models" / "words", package.parent / "models" / "words"]
    return next((place for place in places if (place / MANIFEST).is_file()), places[0])


@lru_cache(maxsize=1)
def load_word_vectors(directory: Path | None = None) -> WordVectors:
    """Check the files of word vectors against their manifest, then read them; without a directory the shipped ones."""
    path = shipped_word_vectors() if directory is None else directory
    try:
        manifest = json.loads((path / MANIFEST).read_bytes())
        if manifest["format"] != FORMAT:
            msg = f"{path} must have format {FORMAT}. Got {manifest['format']!r}. Make them again with this version."
            raise WordVectorError(msg)
        files = {name: (path / name).read_bytes() for name in (WORDS, VECTORS, SCALES)}
        for name, raw in files.items():
            if hashlib.sha256(raw).hexdigest() != manifest["files"][name]:
                msg = f"{path / name} must have the SHA-256 of {MANIFEST}. It was changed. Install deflect again."
                raise WordVectorError(msg)
        vectors, scales = (np.load(path / name, allow_pickle=False) for name in (VECTORS, SCALES))
    except (OSError, ValueError, KeyError, TypeError) as error:
        msg = f"{path} must hold word vectors. {type(error).__name__}: {error}. Install deflect again."
        raise WordVectorError(msg) from None
    words = tuple(files[WORDS].split(b"\n")[:-1])
    return WordVectors(words, word_hashes(words), vectors, scales)


def save_word_vectors(directory: str | os.PathLike[str], vectors: WordVectors, about: dict[str, object]) -> None:
    """Write word vectors and a manifest, which says what ``about`` says of them."""
    path = Path(directory)
    path.mkdir(parents=True, exist_ok=True)
    (path / WORDS).write_bytes(b"".join(word + b"\n" for word in vectors.words))
    np.save(path / VECTORS, vectors.vectors, allow_pickle=False)
    np.save(path / SCALES, vectors.scales, allow_pickle=False)
    digests = {name: hashlib.sha256((path / name).read_bytes()).hexdigest() for name in (WORDS, VECTORS, SCALES)}
    manifest = {"format": FORMAT, "words": len(vectors.words), "dims": len(vectors.scales), **about, "files": digests}
    (path / MANIFEST).write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8", newline="\n")
