from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deflect.errors import WordVectorError
from deflect.line.hashing import PrefixHash
from deflect.line.scorer import Float32s
from deflect.line.text import find_words
from deflect.loop.word_vectors import (
    WordVectors,
    load_word_vectors,
    no_word_vectors,
    save_word_vectors,
    shipped_word_vectors,
)

WORDS = (b"dns", b"timeout", b"\xe8\xaf\xb7")
VALUES = np.array([[1.0, -20.0], [0.5, 3.0], [0.0, 0.0]], dtype=np.float32)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return a directory of word vectors."""
    save_word_vectors(tmp_path, WordVectors.rounded(WORDS, VALUES), {"licence": "Apache-2.0"})
    return tmp_path


@given(arrays(np.float32, (4, 3), elements=st.floats(-100, 100, width=32)))
def test_rounding_loses_little(values: Float32s) -> None:
    """No number is further from its rounded one than half a step, of which its dimension's greatest has 127."""
    vectors = WordVectors.rounded((b"a", b"b", b"c", b"d"), values)
    step = np.abs(values).max(axis=0) / 127
    assert (np.abs(vectors.rows(np.arange(4)) - values) <= 0.51 * step + 1e-6).all()


def test_words_are_found_by_the_hash_of_the_line() -> None:
    """Words in a ticket have their places, other words the place behind the last."""
    vectors = WordVectors.rounded(WORDS, VALUES)
    words = find_words(["Timeout! cpu, DNS, 请"])
    places = vectors.places(PrefixHash(words.buffer)(words.starts, words.ends))
    assert places.tolist() == [1, 3, 0, 2]


def test_no_words_have_no_dimensions() -> None:
    """Vectors of no words know no word, and have no dimension."""
    vectors = no_word_vectors()
    assert vectors.places(np.array([7, 8], dtype=np.uint64)).tolist() == [0, 0]
    assert vectors.rows(np.arange(0)).shape == (0, 0)


def test_saved_and_loaded_are_the_same(saved: Path) -> None:
    """Words, hashes and numbers survive the way to disk and back, and the manifest says what was said of them."""
    vectors, loaded = WordVectors.rounded(WORDS, VALUES), load_word_vectors(saved)
    assert loaded.words == vectors.words
    for name in ("hashes", "vectors", "scales"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(vectors, name))
    manifest = json.loads((saved / "manifest.json").read_text("utf-8"))
    assert (manifest["words"], manifest["dims"], manifest["licence"]) == (3, 2, "Apache-2.0")


@pytest.mark.parametrize("name", ["words.txt", "vectors.npy", "scales.npy"])
def test_changed_files_are_refused(saved: Path, name: str) -> None:
    """A file of which one byte was changed is named."""
    raw = bytearray((saved / name).read_bytes())
    raw[-2] ^= 1
    (saved / name).write_bytes(raw)
    with pytest.raises(WordVectorError, match=f"{name} must have the SHA-256 of manifest.json"):
        load_word_vectors(saved)


@pytest.mark.parametrize("name", ["manifest.json", "words.txt", "vectors.npy", "scales.npy"])
def test_missing_files_are_named(saved: Path, name: str) -> None:
    """A file that is not there is named."""
    (saved / name).unlink()
    with pytest.raises(WordVectorError, match=f"must hold word vectors.*{name}"):
        load_word_vectors(saved)


@pytest.mark.parametrize("manifest", ["[]", "{", '{"format": 1}', "null"])
def test_other_manifests_are_refused(saved: Path, manifest: str) -> None:
    """A manifest that is none is an error of deflect, whatever is wrong with it."""
    (saved / "manifest.json").write_text(manifest, "utf-8")
    with pytest.raises(WordVectorError, match="must hold word vectors"):
        load_word_vectors(saved)


def test_other_formats_are_refused(saved: Path) -> None:
    """Vectors of another format are refused, and the error says which format they have."""
    manifest = json.loads((saved / "manifest.json").read_text("utf-8"))
    (saved / "manifest.json").write_text(json.dumps(manifest | {"format": 2}), "utf-8")
    with pytest.raises(WordVectorError, match=r"must have format 1\. Got 2"):
        load_word_vectors(saved)


def test_shipped_vectors_are_small() -> None:
    """The vectors in the package have at most 12 MB, a licence, and words of hosting platforms."""
    assert sum(path.stat().st_size for path in shipped_word_vectors().iterdir()) <= 12_000_000
    words = set(load_word_vectors().words)
    assert 30_000 <= len(words) <= 60_000
    assert words >= {b"dns", b"cname", b"nginx", b"h12", b"502", b"dyno", b"invoice"}


def test_shipped_vectors_have_no_keys() -> None:
    """A shipped word is plain: letters, or up to four digits, or one of the few of hosting that mix both."""
    words = [word.decode() for word in load_word_vectors().words]
    mixed = [word for word in words if not word.isalpha() and not (word.isdigit() and len(word) <= 4)]
    assert len(mixed) < 30
    assert max(map(len, words)) <= 24


def test_shipped_vectors_know_what_is_alike() -> None:
    """Words of like meaning point the same way, more than words of other things do."""
    vectors = load_word_vectors()
    by_word = {word: vectors.rows(np.array([i]))[0] for i, word in enumerate(vectors.words[:20_000])}

    def likeness(left: bytes, right: bytes) -> float:
        product = by_word[left] @ by_word[right]
        return float(product / np.linalg.norm(by_word[left]) / np.linalg.norm(by_word[right]))

    for word, near, far in ((b"refund", b"reimbursement", b"certificate"), (b"crash", b"crashes", b"invoice")):
        assert likeness(word, near) > 0.5 > likeness(word, far)
