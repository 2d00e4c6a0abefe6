"""``deflect score``: here or on a cluster; says what it does, and how to go on after an interrupt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict, Unpack

import typer

from deflect.edge import screen
from deflect.edge.models import load_deflector
from deflect.errors import ParameterError
from deflect.line.bundle import starter_bundle
from deflect.loop.batch import Summary, score_file

_CONTROL_C = 130


class Options(TypedDict):
    """What both the local engine and clusters take."""

    model: Path | None
    text: Sequence[str]
    columns: Sequence[str] | None


def score(
    source: str, target: Path, engine: str, means: Mapping[str, str | int | None], **options: Unpack[Options]
) -> Summary:
    """Score on an engine; after Ctrl-C say how to go on, and end."""
    try:
        if engine == "local":
            return _score_here(source, target, means, options)
        return _score_on_cluster(source, target, engine, means, options)
    except KeyboardInterrupt:
        screen.say("stopped; the target is as it was. The same command goes on from the last checkpoint.")
        raise typer.Exit(_CONTROL_C) from None


def _score_here(source: str, target: Path, means: Mapping[str, str | int | None], options: Options) -> Summary:
    workers, encoder = means["workers"], means["encoder"]
    directory = options["model"] or starter_bundle()
    with screen.rows() as progress:
        return score_file(
            source,
            target,
            model=load_deflector(directory, encoder=str(encoder)) if encoder else directory,
            text=options["text"],
            columns=options["columns"],
            workers=workers if isinstance(workers, int) else None,
            progress=progress,
            notify=screen.say,
        )


def _score_on_cluster(
    source: str, target: Path, engine: str, means: Mapping[str, str | int | None], options: Options
) -> Summary:
    if means["encoder"]:
        msg = f"With an encoder the engine must be local. Got {engine}. Train without one, or with --teacher."
        raise ParameterError(msg)
    from deflect.edge.cluster import score_on_cluster
    from deflect.edge.dask_engine import on_dask
    from deflect.edge.spark_engine import on_spark

    distribute = (
        on_dask(str(means["scheduler"] or "")) if engine == "dask" else on_spark(str(means["master"] or "") or None)
    )
    return score_on_cluster(source, target, distribute, notify=screen.say, **options)


def show(summary: Summary, target: Path) -> None:
    """Say what became of the rows."""
    screen.say(
        f"{summary.n_rows:,} rows, {summary.n_suggested:,} suggested, {summary.n_abstained:,} abstained, "
        f"{summary.n_faults:,} bad rows; {summary.rows_per_second:,.0f} rows a second"
    )
    for name, count in summary.per_category.items():
        screen.say(f"  {name}: {count:,}")
    if summary.n_faults:
        screen.say(f"bad rows: {target}.faults.csv")
