"""Turns what is decided about tickets into columns of a table: the answer's names and types, in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import pyarrow as pa

from deflect.line.decision import N_NAMED, REASONS, Decisions

#: The columns of the answer, with the type that each has in Parquet.
ANSWER = pa.schema(
    [
        ("deflect_category", pa.string()),
        ("deflect_probability", pa.float64()),
        ("deflect_decision", pa.string()),
        ("deflect_reason", pa.string()),
        ("deflect_category_2", pa.string()),
        ("deflect_probability_2", pa.float64()),
        ("deflect_category_3", pa.string()),
        ("deflect_probability_3", pa.float64()),
        ("deflect_model", pa.string()),
    ]
)


class Decider(Protocol):
    """What answers tickets: a ``Deflector``, or any object with this method."""

    def decide_many(self, texts: Sequence[str], /) -> Decisions:
        """Decide about each text."""
        ...


def answer_columns(decisions: Decisions) -> Mapping[str, pa.Array]:
    """Return the columns of the answer; of fewer than three categories, the rest is null."""
    n_rows = len(decisions.reasons)
    columns = {
        "deflect_decision": _named(decisions.is_suggested, ("abstain", "suggest")),
        "deflect_reason": _named(decisions.reasons, REASONS),
        "deflect_model": _named(np.zeros(n_rows), (decisions.model_version,)),
    }
    for i in range(N_NAMED):
        suffix = f"_{i + 1}" if i else ""
        is_there = i < decisions.order.shape[1]
        columns[f"deflect_category{suffix}"] = (
            _named(decisions.order[:, i], decisions.categories) if is_there else pa.nulls(n_rows, pa.string())
        )
        columns[f"deflect_probability{suffix}"] = (
            pa.array(decisions.probabilities[:, i]) if is_there else pa.nulls(n_rows, pa.float64())
        )
    return {name: columns[name] for name in ANSWER.names}


def _named(numbers: np.ndarray[tuple[int], np.dtype[np.generic]], names: Sequence[str]) -> pa.Array:
    return pa.DictionaryArray.from_arrays(pa.array(numbers.astype(np.int32)), pa.array(names, pa.string())).cast(
        pa.string()
    )
