"""Has the parts of a scoring run scored by Spark."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec

import pyarrow as pa

from deflect.edge.cluster import Distribute, Part, PartsJob, Shipped, score_parts, unpacked
from deflect.errors import OptionalDependencyError

_PART = "number long, begin string, end string"
_COUNTS = "number long, n_rows long"


def on_spark(master: str | None) -> Distribute:
    """Return what scores parts on Spark; None takes the master that Spark itself is set to.

    Raises
    ------
    OptionalDependencyError
        Spark is not installed.

    """
    if find_spec("pyspark") is None:
        package = "pyspark"
        raise OptionalDependencyError(package, "spark")
    return partial(_distribute, master)


def _distribute(master: str | None, parts: list[Part], job: PartsJob, shipped: Shipped) -> None:
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName("deflect score")
    if master is not None:
        builder = builder.master(master)
        if master.startswith("local"):  # The workers are on this machine, so they can have this very Python.
            os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    session = builder.getOrCreate()
    try:
        bundle = session.sparkContext.broadcast(shipped)

        def score(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                yield pa.RecordBatch.from_pylist(score_parts(batch.to_pylist(), job, unpacked(bundle.value)))

        # One part a slice: a frame would be cut by its number of rows, which says nothing about the work.
        rows = session.sparkContext.parallelize([tuple(part.values()) for part in parts], len(parts))
        session.createDataFrame(rows, _PART).mapInArrow(score, _COUNTS).collect()
    finally:
        session.stop()
