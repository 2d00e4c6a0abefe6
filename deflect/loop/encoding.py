"""What training asks an encoder, and what it makes of the answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from deflect.line.encoder import Encoder, EncoderIdentity, EncoderPart, NamedEncoder, dense_features, encode
from deflect.line.scorer import Float32s
from deflect.loop.vocabulary import Progress, quiet

#: Half as many gained less, twice as many no more (docs/accuracy.md).
_N_DIRECTIONS = 512
#: So many tickets are encoded between two reports of progress.
_BLOCK = 2048


@dataclass(frozen=True, eq=False)
class RememberingEncoder(NamedEncoder):
    """An encoder that is asked once about each text: it is by far the slowest step, and training has many."""

    vectors: dict[str, Float32s] = field(default_factory=dict)

    def encode(self, texts: list[str], /) -> Float32s:
        """Return a vector for each text, (n_texts, n_dims)."""
        fresh = [text for text in dict.fromkeys(texts) if text not in self.vectors]
        if fresh:
            self.vectors.update(zip(fresh, encode(self.model, fresh), strict=True))
        return np.stack([self.vectors[text] for text in texts])


def remembering(encoder: Encoder) -> RememberingEncoder:
    """Return an encoder that asks another one once about each text, and goes by its name."""
    identity = EncoderIdentity.of(encoder)
    return RememberingEncoder(identity.name, encoder.model if isinstance(encoder, NamedEncoder) else encoder)


@dataclass(frozen=True, eq=False)
class EncodedTickets:
    """Training tickets as an encoder sees them: their ``dense_features``, (n_tickets, n_features)."""

    encoder: Encoder
    directions: Float32s
    features: Float32s

    def part(self, weights: Float32s) -> EncoderPart:
        """Return what a model learned of them, from its ``weights`` (n_features, n_categories)."""
        return EncoderPart(EncoderIdentity.of(self.encoder), self.directions, weights, self.encoder)


def encode_tickets(encoder: Encoder, texts: Sequence[str], progress: Progress = quiet) -> EncodedTickets:
    """Ask an encoder about tickets."""
    blocks = []
    for start in range(0, len(texts), _BLOCK):
        blocks.append(encode(encoder, texts[start : start + _BLOCK]))
        progress("encoding", min(start + _BLOCK, len(texts)), len(texts))
    vectors = np.concatenate(blocks)
    directions = random_directions(vectors.shape[1])
    return EncodedTickets(encoder, directions, dense_features(vectors, directions))


def random_directions(n_dims: int) -> Float32s:
    """Return directions of ``dense_features`` for the kernel exp(-distance^2), (n_dims, n_directions).

    They are the same for all models, and rounded as they are in a bundle.
    """
    drawn = np.random.default_rng(0).standard_normal((n_dims, _N_DIRECTIONS)) * np.sqrt(2)
    rounded: Float32s = drawn.astype(np.float16).astype(np.float32)
    return rounded
