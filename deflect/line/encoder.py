"""What a sentence encoder adds to the margins, for a model that learned with one: a dense part beside the table.

An encoder is slow, some hundred tickets a second where the table answers some hundred thousand, so a model has one only
where it was given one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import numpy as np
import numpy.typing as npt

from deflect.errors import EncoderError
from deflect.line.encoder_layers import with_layers

if TYPE_CHECKING:
    from deflect.line.scorer import Float32s

#: What every encoder is asked, to know it again: by so many of the numbers that it answers, which hardly differ from
#: machine to machine (half precision: 0.001), and from encoder to encoder by their own size (some 0.05).
_PROBE = "The name servers of my domain do not answer, and the page takes 30 seconds."
_N_PROBED = 32
_TOLERANCE = 0.01


class Encoder(Protocol):
    """Turns texts into vectors, by the convention of sentence-transformers and model2vec."""

    def encode(self, texts: list[str], /) -> npt.ArrayLike:
        """Return a vector for each text, (n_texts, n_dims)."""


@dataclass(frozen=True, eq=False)
class NamedEncoder:
    """An encoder with the name that it was loaded by; ``load_encoder`` makes it."""

    name: str
    model: Encoder

    def encode(self, texts: list[str], /) -> npt.ArrayLike:
        """Return a vector for each text, (n_texts, n_dims)."""
        return with_layers(self.model).encode(texts)

    def __deepcopy__(self, _memo: object) -> Self:
        """Return itself: it never changes, and ``sklearn.base.clone`` would copy hundreds of megabytes."""
        return self


def encode(encoder: Encoder, texts: Sequence[str]) -> Float32s:
    """Return the vector of each text, scaled to length 1, (n_texts, n_dims); one of zeros stays as it is.

    Of a ``SentenceTransformer`` it is joined with two of its layers (``with_layers``).

    Raises
    ------
    EncoderError
        The encoder does not answer with such an array of finite numbers.

    """
    vectors = np.asarray(with_layers(encoder).encode(list(texts)), dtype=np.float32)
    if vectors.ndim != 2 or len(vectors) != len(texts) or not vectors.shape[1]:
        msg = f"An encoder must return an array of shape ({len(texts)}, n_dims) here. Got {vectors.shape}."
        raise EncoderError(msg)
    if not np.isfinite(vectors).all():
        msg = "An encoder must return finite numbers. Got nan or infinity. Look for texts that it cannot encode."
        raise EncoderError(msg)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    lengths[lengths == 0] = 1
    unit: Float32s = vectors / lengths
    return unit


@dataclass(frozen=True)
class EncoderIdentity:
    """Which encoder a model needs: its name and class, for people; its dimensions and part of an answer, to check."""

    name: str
    kind: str
    n_dims: int
    probe: tuple[float, ...]

    @classmethod
    def of(cls, encoder: Encoder) -> Self:
        """Find out who an encoder is."""
        model = encoder.model if isinstance(encoder, NamedEncoder) else encoder
        kind = type(model).__name__
        vector = encode(encoder, [_PROBE])[0]
        probe = tuple(round(number, 4) for number in vector[:_N_PROBED].tolist())
        return cls(encoder.name if isinstance(encoder, NamedEncoder) else kind, kind, len(vector), probe)

    def is_same(self, other: EncoderIdentity) -> bool:
        """Tell whether both answer the same, whatever they are called."""
        return self.n_dims == other.n_dims and np.allclose(self.probe, other.probe, rtol=0, atol=_TOLERANCE)

    def __str__(self) -> str:
        return f"{self.name} ({self.kind}, {self.n_dims} dimensions)"

    def to_dict(self) -> dict[str, object]:
        """Return it as plain values, for a manifest."""
        return asdict(self) | {"probe": list(self.probe)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what ``to_dict`` returned."""
        probe = tuple(float(number) for number in values["probe"])
        return cls(str(values["name"]), str(values["kind"]), int(values["n_dims"]), probe)


def dense_features(vectors: Float32s, directions: Float32s) -> Float32s:
    """Return the features of tickets with these unit vectors, (n, n_dims + 2 * n_directions).

    The vector itself, and cosine and sine of its projections: with random directions their inner products come close
    to a Gaussian kernel (Rahimi and Recht, "Random features for large-scale kernel machines", NIPS 2007), which tells
    close categories apart that no plane does. Each half has length 1.
    """
    angles = vectors @ directions
    waves = np.concatenate((np.cos(angles), np.sin(angles)), axis=1)
    waves *= np.float32(directions.shape[1] ** -0.5)
    return np.concatenate((vectors, waves), axis=1)


@dataclass(frozen=True, eq=False)
class EncoderPart:
    """What a model learned of an encoder's vectors.

    ``directions`` (n_dims, n_directions) are those of ``dense_features``; ``weights`` (n_dims + 2 * n_directions,
    n_categories) what each feature adds to the margins. ``encoder`` is None as long as nobody has given it.
    """

    identity: EncoderIdentity
    directions: Float32s
    weights: Float32s
    encoder: Encoder | None = None

    def __post_init__(self) -> None:
        n_dims, n_directions = self.directions.shape
        if n_dims != self.identity.n_dims or len(self.weights) != n_dims + 2 * n_directions:
            msg = f"The arrays of an encoder's part must fit its {self.identity.n_dims} dimensions. They do not."
            raise ValueError(msg)

    def margins(self, texts: Sequence[str]) -> Float32s:
        """Return what the encoder adds to the margins of tickets, (n_tickets, n_categories)."""
        if self.encoder is None:
            raise EncoderError(self._plea("none"))
        return dense_features(encode(self.encoder, texts), self.directions) @ self.weights

    def with_encoder(self, encoder: Encoder | None) -> EncoderPart:
        """Return the part with its encoder.

        Raises
        ------
        EncoderError
            It is missing, or another one than the model learned with.

        """
        if encoder is None:
            raise EncoderError(self._plea("none"))
        found = EncoderIdentity.of(encoder)
        if not self.identity.is_same(found):
            raise EncoderError(self._plea(f"{found}, which answers otherwise"))
        return replace(self, encoder=encoder)

    def _plea(self, got: str) -> str:
        return (
            f"This model needs the encoder {self.identity}. Got {got}. "
            "Pass it: Deflector.load(directory, encoder=...), or --encoder NAME_OR_PATH."
        )
