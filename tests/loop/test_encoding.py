from __future__ import annotations

import copy

import numpy as np
import pytest
from encoders import GramEncoder
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from deflect.errors import ParameterError
from deflect.line.encoder import EncoderIdentity, NamedEncoder, encode
from deflect.loop.classifier import TicketClassifier
from deflect.loop.encoding import encode_tickets, random_directions, remembering

RNG = np.random.default_rng(0)
#: Each ticket has words of its own, and a number whose ending tells the category to who reads characters in context.
ENDINGS = np.arange(400) % 2
TEXTS = [f"{number} {'even' if number == 3 else 'x'}q{'ab'[ending]}z{number}" for number, ending in enumerate(ENDINGS)]


class Knowing:
    """An encoder whose first number is the category, as a good encoder's nearly is."""

    def encode(self, texts: list[str], /) -> np.ndarray:
        """Return (n_texts, 4)."""
        known = np.array([[1.0 if "qa" in text else -1.0, 0, 0, 0] for text in texts])
        return known + 0.3 * GramEncoder(n_dims=4).encode(texts) / 30


def test_each_text_is_asked_once() -> None:
    """A text that was asked before, in this call or an earlier one, is remembered."""
    encoder = GramEncoder()
    memory = remembering(encoder)
    before = encoder.n_asked
    first = memory.encode(["a b c", "d e f", "a b c"])
    again = memory.encode(["d e f", "g h i"])
    assert encoder.n_asked - before == 3
    np.testing.assert_array_equal(first[1], again[0])
    np.testing.assert_allclose(first, encode(encoder, ["a b c", "d e f", "a b c"]))


def test_memory_goes_by_the_encoders_name() -> None:
    """What remembers is known as the encoder behind it, and clone shares its memory."""
    memory = remembering(NamedEncoder("mini", GramEncoder()))
    assert EncoderIdentity.of(memory) == EncoderIdentity.of(NamedEncoder("mini", GramEncoder()))
    assert copy.deepcopy(memory) is memory


def test_progress_of_encoding() -> None:
    """Encoding says how far it is, since it may take hours."""
    told: list[tuple[str, int, int]] = []
    encode_tickets(GramEncoder(), ["a"] * 5000, lambda *what: told.append(what))
    assert told == [("encoding", 2048, 5000), ("encoding", 4096, 5000), ("encoding", 5000, 5000)]


def test_directions_are_always_the_same() -> None:
    """Directions are drawn from a seed of their own, and survive half precision."""
    directions = random_directions(8)
    np.testing.assert_array_equal(directions, random_directions(8))
    np.testing.assert_array_equal(directions, directions.astype(np.float16))
    assert directions.std() == pytest.approx(np.sqrt(2), rel=0.02)


def test_an_encoder_that_knows_more_helps() -> None:
    """What the words do not tell, the encoder does."""
    half = len(TEXTS) // 2
    plain, helped = (
        TicketClassifier(gram_weight=0.0, vector_weight=0.0, encoder=encoder).fit(TEXTS[:half], ENDINGS[:half])
        for encoder in (None, Knowing())
    )
    assert plain.score(TEXTS[half:], ENDINGS[half:]) < 0.7
    assert helped.score(TEXTS[half:], ENDINGS[half:]) == 1
    assert (plain.encoder_weight_, helped.encoder_weight_) in {(0.0, 1.2), (0.0, 0.6)}


def test_a_given_weight_is_kept() -> None:
    """A weight that was given is not tried against others; 0 leaves the encoder without a say."""
    fitted = TicketClassifier(encoder=Knowing(), encoder_weight=0.0).fit(TEXTS, ENDINGS)
    assert fitted.encoder_weight_ == 0
    plain = TicketClassifier(vector_weight=0.5, tol=3e-5).fit(TEXTS, ENDINGS)  # As closely as with an encoder.
    np.testing.assert_allclose(fitted.decision_function(TEXTS), plain.decision_function(TEXTS), atol=0.02)


def test_clone_and_cross_validation() -> None:
    """A classifier with an encoder is cloned and cross-validated as any other."""
    classifier = TicketClassifier(encoder=NamedEncoder("knowing", Knowing()), encoder_weight=1.0)
    assert clone(classifier).encoder is classifier.encoder
    assert cross_val_score(classifier, TEXTS, ENDINGS, cv=2).tolist() == [1, 1]


def test_an_encoder_that_is_none() -> None:
    """A name is no encoder; the message says what makes one of it."""
    with pytest.raises(ParameterError, match=r"object with a method encode, or None. Got str instead. Load one: load_"):
        TicketClassifier(encoder="all-MiniLM-L6-v2").fit(TEXTS, ENDINGS)  # type: ignore[arg-type]


@pytest.mark.parametrize("weight", [-1.0, float("inf"), "much"])
def test_weights_that_cannot_be(weight: object) -> None:
    """A weight is a finite number, 0 or more."""
    with pytest.raises(ParameterError, match="encoder_weight of TicketClassifier must be a finite number, 0 or more"):
        TicketClassifier(encoder=Knowing(), encoder_weight=weight).fit(TEXTS, ENDINGS)  # type: ignore[arg-type]
