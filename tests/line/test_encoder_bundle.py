"""Bundles of models that learned with an encoder: what they need, and what they say when they do not get it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from encoders import GramEncoder

from deflect.errors import BundleError, EncoderError
from deflect.line.bundle import ENCODER_LAYOUT, FORMAT, FORMAT_WITH_ENCODER, LAYOUT, MANIFEST, read_bundle, write_bundle
from deflect.line.deflector import Deflector
from deflect.line.encoder import NamedEncoder
from deflect.line.playbook import parse_playbook
from deflect.line.thresholds import Threshold, Thresholds
from deflect.loop.classifier import TicketClassifier

TEXTS = ["the CNAME of our domain is wrong", "name servers do not answer", "request took 30 s", "it is slow, H12"]
LABELS = ["dns", "dns", "timeout", "timeout"]
PLAYBOOK = "format = 1\n" + "".join(
    f'[categories.{name}]\nowner = "support"\nreviewed_on = 2026-11-01\nlead = "Look at {name}."\n'
    for name in ("dns", "timeout")
)
TICKETS = [*TEXTS, "zzzqx Domäne", "域名 H12 H12"]


def deflector(encoder: NamedEncoder | None) -> Deflector:
    """Return a deflector whose every suggestion is shown."""
    classifier = TicketClassifier(encoder=encoder).fit(TEXTS, LABELS)
    promises = tuple(Threshold(name, 0.0, 0.9, 0.95, 80, 60, 57, 0.875, 29) for name in ("dns", "timeout"))
    return Deflector(classifier, Thresholds("category", ("dns", "timeout"), promises), parse_playbook(PLAYBOOK))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Return the bundle of a model with an encoder."""
    deflector(NamedEncoder("grams", GramEncoder())).save(tmp_path / "bundle")
    return tmp_path / "bundle"


def test_answers_come_back(saved: Path) -> None:
    """With its encoder a loaded model answers as before, to the last bit of half a float."""
    loaded = Deflector.load(saved, encoder=GramEncoder())
    expected = deflector(NamedEncoder("grams", GramEncoder())).scorer.probabilities(TICKETS)
    np.testing.assert_allclose(loaded.scorer.probabilities(TICKETS), expected, rtol=1e-6)
    assert loaded.suggest(TEXTS[0]).category == "dns"


def test_one_and_many_agree(saved: Path) -> None:
    """One ticket and many are answered alike."""
    loaded = Deflector.load(saved, encoder=GramEncoder())
    many = loaded.suggest_many(TICKETS)
    for text, answer in zip(TICKETS, many, strict=True):
        one = loaded.suggest(text)
        assert (one.category, one.reason) == (answer.category, answer.reason)
        assert one.probability == pytest.approx(answer.probability, abs=1e-5)


def test_what_the_manifest_says(saved: Path) -> None:
    """The manifest names the encoder, its class and dimensions, and has part of an answer to know it by."""
    manifest = json.loads((saved / MANIFEST).read_bytes())
    assert manifest["format"] == FORMAT_WITH_ENCODER
    assert {**manifest["encoder"], "probe": len(manifest["encoder"]["probe"])} == {
        "name": "grams",
        "kind": "GramEncoder",
        "n_dims": 48,
        "probe": 32,
    }
    assert "needs the encoder grams (GramEncoder, 48 dimensions)" in (saved / "card.md").read_text("utf-8")


def test_a_bundle_without_an_encoder(tmp_path: Path) -> None:
    """A model without an encoder is written as it was before there were any."""
    deflector(None).save(tmp_path / "plain")
    manifest = json.loads((tmp_path / "plain" / MANIFEST).read_bytes())
    assert manifest["format"] == FORMAT
    assert "encoder" not in manifest
    assert sorted(manifest["files"]) == sorted([*LAYOUT, "playbook.toml", "card.md"])
    assert "encoder" not in (tmp_path / "plain" / "card.md").read_text("utf-8")


def test_loading_without_the_encoder(saved: Path) -> None:
    """Loading without the encoder names it, and says how to pass it."""
    with pytest.raises(EncoderError, match=r"needs the encoder grams \(GramEncoder, 48 dimensions\)\. Got none"):
        Deflector.load(saved)


def test_loading_with_another_encoder(saved: Path) -> None:
    """Loading with an encoder that answers otherwise names both, even if they are called the same."""
    with pytest.raises(EncoderError, match=r"needs the encoder grams .* Got grams \(.*\), which answers otherwise"):
        Deflector.load(saved, encoder=NamedEncoder("grams", GramEncoder(seed=1)))


def test_reading_needs_no_encoder(saved: Path) -> None:
    """Categories can be read without the encoder; answering cannot."""
    scorer = read_bundle(saved).scorer
    assert scorer.categories == ("dns", "timeout")
    with pytest.raises(EncoderError, match="Got none"):
        scorer.margins(TEXTS)


def test_saving_a_loaded_bundle(saved: Path, tmp_path: Path) -> None:
    """A bundle that was loaded and saved again is the same bytes, also over itself."""
    before = {path.name: path.read_bytes() for path in saved.iterdir()}
    Deflector.load(saved, encoder=GramEncoder()).save(tmp_path / "again")
    write_bundle(saved, read_bundle(saved))
    for folder in (tmp_path / "again", saved):
        assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_plain_bundle_over_one_with_an_encoder(saved: Path) -> None:
    """Saving a model without an encoder over one with it leaves no file of the encoder's."""
    deflector(None).save(saved)
    assert not {path.name for path in saved.iterdir()} & {*ENCODER_LAYOUT}
    assert Deflector.load(saved).suggest(TEXTS[0]).category == "dns"


@pytest.mark.parametrize("name", ENCODER_LAYOUT)
def test_a_damaged_array(saved: Path, name: str) -> None:
    """A changed byte in what the encoder adds is found, and the file is named."""
    raw = bytearray((saved / name).read_bytes())
    raw[-2] ^= 1
    (saved / name).write_bytes(raw)
    with pytest.raises(BundleError, match=rf"{name} must have the SHA-256"):
        Deflector.load(saved, encoder=GramEncoder())


def test_an_encoder_that_fails(saved: Path) -> None:
    """A form gets the reason "error" where the encoder fails; the text of the failure goes nowhere."""
    loaded = Deflector.load(saved, encoder=GramEncoder())
    part = loaded.scorer.encoder_part
    assert part is not None
    part.encoder.n_dims = 3  # type: ignore[union-attr]  # The encoder was changed under the model.
    assert loaded.suggest(TEXTS[0]).reason == "error"
