"""Answers the tickets of files, or of a stream of frames: memory does not grow with their number."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

import pyarrow as pa

from deflect.errors import ParameterError
from deflect.line.deflector import Deflector
from deflect.loop.scoring.answering import Decide, Job
from deflect.loop.scoring.answers import ANSWER, Decider, answer_columns
from deflect.loop.scoring.plans import make_plan
from deflect.loop.scoring.runs import Notify, Progress, Run
from deflect.loop.scoring.tables import table_texts, text_column
from deflect.loop.scoring.workers import n_cores
from deflect.loop.tickets import check_columns, frame_texts, text_columns

if TYPE_CHECKING:
    import pandas as pd

Batch = TypeVar("Batch")


@dataclass(frozen=True)
class Summary:
    """What became of the tickets of a file: ``per_category`` counts those with a suggestion, by its category.

    Of the ``n_rows``, an earlier run that was interrupted had done ``n_resumed``; ``seconds`` is this run's time.

    Examples
    --------
    >>> Summary(1000, n_suggested=600, n_abstained=400, n_faults=0, per_category={}, seconds=0.5).rows_per_second
    2000.0

    """

    n_rows: int
    n_suggested: int
    n_abstained: int
    n_faults: int
    per_category: Mapping[str, int]
    seconds: float
    n_resumed: int = 0

    @property
    def rows_per_second(self) -> float:
        """Return the speed; 0 where no time passed."""
        return (self.n_rows - self.n_resumed) / self.seconds if self.seconds > 0 else 0.0


def score_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    model: Decider | str | os.PathLike[str],
    text: str | Sequence[str] = ("subject", "body"),
    columns: Sequence[str] | None = None,
    format: str | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
    notify: Notify | None = None,
) -> Summary:
    r"""Answer the tickets of files, and write them with their answers to another file.

    When to use it: to score an archive of any length; memory does not grow with it. For frames use ``score_batches``.

    Each row keeps its columns, in order and as they are, and gets ``deflect_category``, ``deflect_probability``,
    ``deflect_decision``, ``deflect_reason``, the next best ``deflect_category_2``, ``deflect_probability_2``,
    ``deflect_category_3`` and ``deflect_probability_3``, and ``deflect_model``, the model's version; columns of these
    names from an earlier run are replaced. Rows that cannot be read are left out, and listed with file, line and
    reason, but without text, in ``<target>.faults.csv``, which exists only when there are any.

    The target appears whole or not at all. Until then the rows grow in a folder beside it, ``.<target>.partial``; a run
    that was killed, at whatever moment, goes on from there when it is called again with the same source, model and
    options, and its target is the same to the last byte. A model that was never saved has no version to know it by:
    such a run leaves nothing behind, and starts afresh.

    Parameters
    ----------
    source
        A ticket file, as in ``read_tickets``; or a folder, or a pattern such as ``"2026-*/*.csv.gz"``, of files with
        the same columns, which are read in the order of their names.
    target
        A file named .csv, .tsv, .jsonl, .ndjson, .json (one object a line) or .parquet; all but the last also with .gz
        or .zst behind.
    model
        A Deflector, or the directory of a saved one.
    text
        The column or columns that make up the text, as in ``read_tickets``.
    columns
        The columns to keep; None (default) keeps all.
    format
        Format of the source: "csv", "tsv", "jsonl" or "parquet"; None (default) goes by its name.
    workers
        How many threads answer, each on a core of its own; None (default) takes every core. It is always 1 where the
        model has an encoder, which uses every core by itself, or is no Deflector.
    progress
        Called after each part as ``progress(n_rows_done, n_bytes_done, n_bytes_total)``; None (default) is silent.
    notify
        Called with a sentence when an interrupted run is gone on with, or dropped; None (default) is silent.

    Returns
    -------
    The counts.

    Raises
    ------
    TicketFileError
        A source is missing, empty, of another format or encoding, lacks a column, or has others than the first.
    ParameterError
        The source is the target, the target is a directory or in none, a format is unknown, or workers are none.
    ScoringError
        The disk is full, or another run writes the same target.

    Examples
    --------
    >>> import tempfile
    >>> from deflect import Deflector
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "tickets.csv").write_text("subject,body\nThanks,Great service!\n")
    >>> summary = score_file(folder / "tickets.csv", folder / "answers.jsonl", model=Deflector.load())
    >>> summary.n_rows, summary.n_abstained
    (1, 1)

    """
    begun = time.perf_counter()
    target_path = Path(target)
    if target_path.exists() and not target_path.is_file():  # A device, such as /dev/null, would be replaced.
        msg = f"The target must be a file in a directory that exists. Got {target}, which is no file. Name another."
        raise ParameterError(msg)
    plan = make_plan(source, target_path, text, columns, format)
    decider = Deflector.load(model) if isinstance(model, str | os.PathLike) else model
    job = Job(_decide(decider), plan.wanted, plan.target)
    run = Run(plan, target_path, job, _n_workers(workers, decider), progress, notify)
    # A model that was never saved has no version.
    version = decider.model_version if isinstance(decider, Deflector) else ""
    state, n_resumed = run.run(version, [plan.wanted.text, columns and [*columns], format, target_path.name])
    n_suggested = sum(state.per_category.values())
    return Summary(
        state.n_rows,
        n_suggested,
        state.n_rows - n_suggested,
        state.n_faults,
        dict(sorted(state.per_category.items())),
        time.perf_counter() - begun,
        n_resumed,
    )


def score_batches(
    batches: Iterable[Batch],
    *,
    model: Decider | str | os.PathLike[str],
    text: str | Sequence[str] = ("subject", "body"),
) -> Iterator[Batch]:
    """Answer the tickets of a stream of batches, one batch at a time.

    When to use it: where the tickets come from elsewhere than a file, or the answers go elsewhere; it is also what a
    cluster's ``map_partitions``, ``mapInPandas`` or ``mapInArrow`` can call. For files use ``score_file``.

    Parameters
    ----------
    batches
        Frames of pandas, or record batches or tables of Arrow; each is answered when it is its turn.
    model
        A Deflector, or the directory of a saved one.
    text
        The column or columns that make up the text, as in ``read_tickets``.

    Returns
    -------
    An iterator over the same batches, of the same type, with the columns that ``score_file`` adds. The batches given
    are not changed.

    Raises
    ------
    TicketFileError
        A batch lacks a column of text; raised when it is its turn.
    ParameterError
        ``text`` names no column, or a batch is of another type.

    Examples
    --------
    >>> import pandas as pd
    >>> from deflect import Deflector
    >>> batches = [pd.DataFrame({"subject": ["Thanks"], "body": ["Great service!"]})]
    >>> [list(frame["deflect_decision"]) for frame in score_batches(batches, model=Deflector.load())]
    [['abstain']]

    """
    decider = Deflector.load(model) if isinstance(model, str | os.PathLike) else model
    names = text_columns(text)
    return (_answered(batch, decider, names) for batch in batches)


def _answered(batch: Batch, decider: Decider, names: Sequence[str]) -> Batch:
    """Return a batch with its answers, as the type that it came as."""
    import pandas as pd

    if isinstance(batch, pd.DataFrame):
        return cast("Batch", _answered_frame(batch, decider, names))
    if not isinstance(batch, pa.Table | pa.RecordBatch):
        got = type(batch).__name__
        msg = f"A batch must be a DataFrame of pandas, or a RecordBatch or Table of Arrow. Got {got}. Convert it."
        raise ParameterError(msg)
    table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
    check_columns("A batch of tickets", table.column_names, names)
    answers = answer_columns(decider.decide_many(text_column(table_texts(table, names))))
    kept = table.drop_columns([name for name in table.column_names if name in ANSWER.names])
    schema = pa.schema([*kept.schema, *ANSWER], metadata=kept.schema.metadata)
    whole = pa.Table.from_arrays([*kept.columns, *answers.values()], schema=schema)
    if isinstance(batch, pa.RecordBatch):
        whole = pa.RecordBatch.from_arrays([column.combine_chunks() for column in whole.columns], schema=schema)
    return cast("Batch", whole)


def _answered_frame(frame: pd.DataFrame, decider: Decider, names: Sequence[str]) -> pd.DataFrame:
    check_columns("A frame of tickets", [str(name) for name in frame.columns], names)
    answers = answer_columns(decider.decide_many(frame_texts(frame, names)))
    columns = {name: column.to_numpy(zero_copy_only=False) for name, column in answers.items()}
    answered: pd.DataFrame = frame.drop(columns=ANSWER.names, errors="ignore").assign(**columns)
    return answered


def _n_workers(workers: int | None, decider: Decider) -> int:
    """Return how many threads are to answer."""
    if workers is not None and workers < 1:
        msg = f"workers must be 1 or more. Got {workers}. Leave it out to take every core."
        raise ParameterError(msg)
    if not isinstance(decider, Deflector) or decider.scorer.encoder_part is not None:
        return 1  # Threads may not be for any object, and an encoder uses every core by itself.
    return workers or n_cores()


def _decide(decider: Decider) -> Decide:
    return partial(decider.decide_many, n_threads=1) if isinstance(decider, Deflector) else decider.decide_many
