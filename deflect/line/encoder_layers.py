"""Lets an encoder of sentence-transformers tell more of a sentence than its own vector of it.

Its last layer is trained to say what two sentences have in common; the two layers before still hold more of what
each of them asks. With the means of their words beside the sentence's vector, clinc150's validation part has 0.4 points
more right, and folds of banking77 0.1 (docs/accuracy.md), at no cost: the encoder goes through all layers anyway.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from torch import Tensor

#: How many of the layers before the last are joined, and what the sentence's own vector counts beside each.
_N_LAYERS = 2
_OWN_WEIGHT = 1.5


def with_layers(model: SentenceTransformer) -> SentenceTransformer:
    """Return the model with one more step: its answer, and behind it the mean of each of two layers, of length 1.

    A model that does not begin with a transformer, or has no such layers, is returned as it is.
    """
    transformer = getattr(model[0], "auto_model", None)
    n_layers = getattr(getattr(transformer, "config", None), "num_hidden_layers", 0)
    if transformer is None or n_layers <= _N_LAYERS:
        return model
    from torch import cat, nn

    class Layers(nn.Module):  # type: ignore[misc]  # PyTorch is not installed for linting.
        def forward(self, features: dict[str, Tensor]) -> dict[str, Tensor]:
            mask = features["attention_mask"].unsqueeze(-1)
            own = features["sentence_embedding"]
            layers = features["all_layer_embeddings"][-1 - _N_LAYERS : -1]
            means = [(layer * mask).sum(dim=1) for layer in layers]
            parts = [_OWN_WEIGHT * nn.functional.normalize(own), *map(nn.functional.normalize, means)]
            features["sentence_embedding"] = cat(parts, dim=1)
            return features

    transformer.config.output_hidden_states = True
    model.append(Layers())
    return model
