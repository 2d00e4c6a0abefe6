from __future__ import annotations

import copy

import numpy as np
import numpy.typing as npt
import pytest
from encoders import GramEncoder

from deflect.errors import EncoderError
from deflect.line.encoder import EncoderIdentity, NamedEncoder, dense_features, encode
from deflect.line.scorer import Scorer
from deflect.loop.classifier import TicketClassifier
from deflect.loop.encoding import random_directions

TEXTS = ["the CNAME of our domain is wrong", "name servers do not answer", "request took 30 s", "it is slow, H12"]
LABELS = ["dns", "dns", "timeout", "timeout"]


class Answering:
    """An encoder that always answers the same, whatever it is asked."""

    def __init__(self, answer: npt.ArrayLike) -> None:
        self.answer = answer

    def encode(self, _texts: list[str], /) -> npt.ArrayLike:
        """Return the answer."""
        return self.answer


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    """Return a model that learned with an encoder, and has it."""
    return TicketClassifier(encoder=GramEncoder(), encoder_weight=1.0).fit(TEXTS, LABELS).scorer_


def test_vectors_have_length_one() -> None:
    """Vectors are scaled to length 1; the vector of a text that has none stays zero."""
    lengths = np.linalg.norm(encode(GramEncoder(), [*TEXTS, ""]), axis=1)
    np.testing.assert_allclose(lengths, [1, 1, 1, 1, 0], atol=1e-6)


@pytest.mark.parametrize("answer", [[1.0, 2.0], [[1.0], [2.0]], np.zeros((1, 0)), 3.0])
def test_answers_of_another_shape(answer: npt.ArrayLike) -> None:
    """One ticket is answered with one row; anything else is refused, with the shape that came."""
    with pytest.raises(EncoderError, match=r"must return an array of shape \(1, n_dims\) here. Got \("):
        encode(Answering(answer), ["a"])


def test_answers_that_are_no_numbers() -> None:
    """Vectors with nan would make every probability nan."""
    with pytest.raises(EncoderError, match="must return finite numbers"):
        encode(Answering([[1.0, float("nan")]]), ["a"])


def test_waves_come_close_to_a_gaussian_kernel() -> None:
    """Half of the features have the inner products of the vectors, half come close to exp(-distance^2)."""
    vectors = encode(GramEncoder(), TEXTS)
    features = dense_features(vectors, random_directions(48))
    distances = ((vectors[:, None] - vectors[None]) ** 2).sum(axis=2)
    np.testing.assert_allclose(features @ features.T, vectors @ vectors.T + np.exp(-distances), atol=0.1)


def test_margins_are_the_sum_of_both_parts(scorer: Scorer) -> None:
    """A margin is what the table says plus the dense features times their weights."""
    part = scorer.encoder_part
    assert part is not None
    table = Scorer(*(getattr(scorer, name) for name in list(Scorer.__dataclass_fields__)[:-1])).margins(TEXTS)
    dense = dense_features(encode(GramEncoder(), TEXTS), part.directions) @ part.weights
    np.testing.assert_allclose(scorer.margins(TEXTS), table + dense, atol=1e-6)
    assert np.abs(dense).max() > 0.01


def test_no_tickets(scorer: Scorer) -> None:
    """Without tickets the encoder is not asked, and there are no margins."""
    assert scorer.margins([]).shape == (0, 2)


def test_an_encoder_is_known_again() -> None:
    """An encoder is the same if it answers the same, to half precision; its name does not matter."""

    class Rounding(GramEncoder):
        def encode(self, texts: list[str], /) -> npt.NDArray[np.float32]:
            return 3 * super().encode(texts).astype(np.float16).astype(np.float32)

    known = EncoderIdentity.of(GramEncoder())
    assert known.is_same(EncoderIdentity.of(NamedEncoder("renamed", Rounding())))
    assert not known.is_same(EncoderIdentity.of(GramEncoder(seed=1)))
    assert not known.is_same(EncoderIdentity.of(GramEncoder(n_dims=64)))


def test_the_name_of_an_encoder() -> None:
    """An encoder is called by the name it was loaded by, or else by its class."""
    assert str(EncoderIdentity.of(NamedEncoder("mini", GramEncoder()))) == "mini (GramEncoder, 48 dimensions)"
    assert EncoderIdentity.of(GramEncoder()).name == "GramEncoder"


def test_identity_comes_back() -> None:
    """An identity that was written to a manifest is the same afterwards."""
    identity = EncoderIdentity.of(GramEncoder())
    assert EncoderIdentity.from_dict(identity.to_dict()) == identity


def test_the_wrong_encoder(scorer: Scorer) -> None:
    """Another encoder is refused, and the message names both."""
    with pytest.raises(EncoderError, match=r"needs the encoder GramEncoder \(GramEncoder, 48 dimensions\). Got other "):
        scorer.with_encoder(NamedEncoder("other", GramEncoder(seed=1)))


def test_a_missing_encoder(scorer: Scorer) -> None:
    """Without an encoder the message says how to pass it."""
    with pytest.raises(EncoderError, match=r"needs the encoder GramEncoder .* Got none. Pass it: .*--encoder"):
        scorer.with_encoder(None)


def test_an_encoder_that_is_not_needed() -> None:
    """A model without an encoder refuses one, since somebody believes that it is used."""
    plain = TicketClassifier().fit(TEXTS, LABELS).scorer_
    assert plain.with_encoder(None) is plain
    with pytest.raises(EncoderError, match=r"needs no encoder\. Got one, GramEncoder"):
        plain.with_encoder(GramEncoder())


def test_a_named_encoder_is_not_copied() -> None:
    """Copying, as clone does with parameters, leaves the model's weights where they are."""
    encoder = NamedEncoder("mini", GramEncoder())
    assert copy.deepcopy(encoder) is encoder
