"""Takes texts as they come, with gaps, and knows them again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from deflect.errors import TrainingDataError


def as_texts(X: Iterable[Any]) -> list[str]:
    """Return texts as a list; None and NaN become empty texts.

    Raises
    ------
    TrainingDataError
        X is one string, or holds something that is no text.

    """
    if isinstance(X, str | bytes):
        msg = "X must be a sequence of texts. Got one text. Put it into a list: [text]."
        raise TrainingDataError(msg)
    texts = X if isinstance(X, list) else list(X)
    if set(map(type, texts)) <= {str, np.str_}:
        return texts
    return [_as_text(item, i) for i, item in enumerate(texts)]


def _as_text(item: object, place: int) -> str:
    if isinstance(item, str):
        return item
    if is_missing(item):
        return ""
    msg = f"X must hold texts. Got {type(item).__name__} at place {place}. Pass the column that holds the text."
    raise TrainingDataError(msg)


def is_missing(item: object) -> bool:
    """Say whether an item is None, NaN or one of pandas' own kinds of nothing."""
    is_nan = isinstance(item, float) and math.isnan(item)
    return item is None or is_nan or type(item).__name__ in ("NAType", "NaTType")


def fingerprint(texts: Sequence[str], labels: npt.NDArray[Any]) -> str:
    """Return the SHA-256 of tickets and their categories, in order."""
    digest = hashlib.sha256()
    for text, label in zip(texts, labels, strict=True):
        for value in (text, str(label)):
            raw = value.encode("utf-8", "replace")
            digest.update(len(raw).to_bytes(8, "big") + raw)
    return digest.hexdigest()
