"""Has the parts of a scoring run scored by a Dask cluster."""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec

import pandas as pd

from deflect.edge.cluster import Distribute, Part, PartsJob, Shipped, score_parts, unpacked
from deflect.errors import OptionalDependencyError, ParameterError

#: What ``score_parts`` returns, for Dask, which plans before it runs.
_COUNTS = pd.DataFrame({"number": pd.Series(dtype="int64"), "n_rows": pd.Series(dtype="int64")})


def on_dask(scheduler: str | None) -> Distribute:
    """Return what scores parts on the cluster of a scheduler, such as ``tcp://host:8786``.

    Raises
    ------
    OptionalDependencyError
        Dask is not installed.
    ParameterError
        No scheduler is named.

    """
    if find_spec("distributed") is None or find_spec("dask") is None:
        package = "distributed"
        raise OptionalDependencyError(package, "dask")
    if not scheduler:
        msg = "scheduler must be the address of a Dask scheduler. Got none. Pass --scheduler tcp://host:8786."
        raise ParameterError(msg)
    return partial(_distribute, scheduler)


def _distribute(scheduler: str, parts: list[Part], job: PartsJob, shipped: Shipped) -> None:
    import dask.dataframe as dd
    from distributed import Client, WorkerPlugin, as_completed

    class Bundle(WorkerPlugin):  # type: ignore[misc]  # mypy does not look into Dask.
        """Brings the bundle to each worker once, also to one that comes later."""

        def __init__(self) -> None:
            self.name = f"deflect-{shipped.version}"
            self.shipped = shipped

    with Client(scheduler) as client:
        client.register_plugin(Bundle())
        frame = dd.from_map(_one_part, parts, meta=pd.DataFrame(parts).iloc[:0])
        scored = frame.map_partitions(_score, job, f"deflect-{shipped.version}", meta=_COUNTS)
        for future in as_completed(client.compute(scored.to_delayed())):
            future.result()


def _one_part(part: Part) -> pd.DataFrame:
    return pd.DataFrame([part])


def _score(parts: pd.DataFrame, job: PartsJob, plugin: str) -> pd.DataFrame:
    from distributed import get_worker

    records = [{str(name): value for name, value in part.items()} for part in parts.to_dict("records")]
    return pd.DataFrame(score_parts(records, job, unpacked(get_worker().plugins[plugin].shipped)))
