"""Answers the tickets of a file, or of a stream of frames, in chunks: memory does not grow with their number."""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeAlias

import pyarrow as pa

from deflect.errors import ParameterError
from deflect.line.deflector import Deflector
from deflect.line.suggestion import Alternative, Suggestion
from deflect.loop.records import CHUNK_ROWS, Row, RowFault
from deflect.loop.replacing import replacing
from deflect.loop.rows import TicketRows, file_format, open_rows
from deflect.loop.targets import csv_text, open_target
from deflect.loop.tickets import check_columns, text_columns, ticket_text

if TYPE_CHECKING:
    import pandas as pd

#: A chunk ends early when its texts are this long together.
_CHUNK_CHARACTERS = 10_000_000
#: The columns of the answer, with the type that each has in Parquet.
_ANSWER = pa.schema(
    [
        ("deflect_category", pa.string()),
        ("deflect_probability", pa.float64()),
        ("deflect_decision", pa.string()),
        ("deflect_reason", pa.string()),
        ("deflect_alternatives", pa.string()),
        ("deflect_model", pa.string()),
    ]
)

Progress: TypeAlias = Callable[[int, int, int], None]


class Suggester(Protocol):
    """What answers tickets: a ``Deflector``, or any object with this method."""

    def suggest_many(self, texts: Sequence[str], /) -> Sequence[Suggestion]:
        """Return a suggestion for each text."""
        ...


@dataclass(frozen=True)
class Summary:
    """What became of the tickets of a file: ``per_category`` counts those with a suggestion, by its category.

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

    @property
    def rows_per_second(self) -> float:
        """Return the speed; 0 where no time passed."""
        return self.n_rows / self.seconds if self.seconds > 0 else 0.0


def score_file(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    model: Suggester | str | os.PathLike[str],
    text: str | Sequence[str] = ("subject", "body"),
    format: str | None = None,
    progress: Progress | None = None,
) -> Summary:
    r"""Answer the tickets of a file, and write them with their answers to another.

    When to use it: to score an archive of any length; memory does not grow with it. For frames use ``score_batches``.

    Each row keeps its columns, in order and as they are, and gets ``deflect_category``, ``deflect_probability``,
    ``deflect_decision``, ``deflect_reason``, ``deflect_alternatives`` (the next best as a JSON list of [category,
    probability]) and ``deflect_model``; columns of these names from an earlier run are replaced. The target appears
    whole or not at all: until the last row it is written beside its place, and after an error or an interrupt a target
    of an earlier run is as it was. Rows that cannot be read are left out, and listed with line and reason, but without
    text, in ``<target>.faults.csv``, which exists only when there are any.

    Parameters
    ----------
    source
        A ticket file, as in ``read_tickets``.
    target
        A file named .csv, .tsv, .jsonl, .ndjson, .json (one object a line) or .parquet; all but the last also with .gz
        behind.
    model
        A Deflector, or the directory of a saved one.
    text
        The column or columns that make up the text, as in ``read_tickets``.
    format
        Format of the source: "csv", "tsv", "jsonl" or "parquet"; None (default) goes by its name.
    progress
        Called after each chunk as ``progress(n_rows_done, n_bytes_done, n_bytes_total)``; None (default) is silent.

    Returns
    -------
    The counts.

    Raises
    ------
    TicketFileError
        The source is missing, empty, of another format or encoding, or lacks a column of text.
    ParameterError
        The source is the target, the target is a directory or in none, or a format is unknown.

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
    source_path, target_path = Path(source), Path(target)
    faults_path = target_path.with_name(target_path.name + ".faults.csv")
    _check_target(source_path, target_path, faults_path)
    run = _Run(_loaded(model), text_columns(text), progress)
    columns = _columns(source_path, format, target_path)
    with (
        open_rows(source_path, format) as rows,
        replacing(target_path) as file,
        replacing(faults_path, drop_empty=True) as faults,
    ):
        if rows.columns is not None:
            check_columns(source_path, rows.columns, run.text)
        with open_target(file, target_path, _schema(rows.schema, columns)) as write:
            for chunk in run.chunks(rows.items, faults):
                if rows.columns is None and not run.n_rows:
                    check_columns(source_path, [*{name: None for row in chunk for name in row.cells}], run.text)
                write(run.answered(chunk))
                run.report(rows)
    return run.summary(time.perf_counter() - begun)


def score_batches(
    batches: Iterable[pd.DataFrame],
    *,
    model: Suggester | str | os.PathLike[str],
    text: str | Sequence[str] = ("subject", "body"),
) -> Iterator[pd.DataFrame]:
    """Answer the tickets of a stream of frames, one frame at a time.

    When to use it: where the tickets come from elsewhere than a file, or the answers go elsewhere; it is also what a
    cluster's ``mapInPandas`` calls. For files use ``score_file``.

    Parameters
    ----------
    batches
        Frames of tickets; each is answered when it is its turn.
    model
        A Deflector, or the directory of a saved one.
    text
        The column or columns that make up the text, as in ``read_tickets``.

    Returns
    -------
    An iterator over the same frames with the columns that ``score_file`` adds. The frames given are not changed.

    Raises
    ------
    TicketFileError
        A frame lacks a column of text; raised when it is its turn.
    ParameterError
        ``text`` names no column.

    Examples
    --------
    >>> import pandas as pd
    >>> from deflect import Deflector
    >>> batches = [pd.DataFrame({"subject": ["Thanks"], "body": ["Great service!"]})]
    >>> [list(frame["deflect_decision"]) for frame in score_batches(batches, model=Deflector.load())]
    [['abstain']]

    """
    suggester, names = _loaded(model), text_columns(text)
    return (_answered_frame(frame, suggester, names) for frame in batches)


def _answered_frame(frame: pd.DataFrame, suggester: Suggester, names: Sequence[str]) -> pd.DataFrame:
    check_columns("A frame of tickets", [str(name) for name in frame.columns], names)
    kept = frame.drop(columns=_ANSWER.names, errors="ignore")
    parts = kept[[name for name in dict.fromkeys([*names, "text"]) if name in kept.columns]]
    texts = [ticket_text(values, names) for values in parts.to_dict("records")]
    answers = _answers(suggester, texts)
    answered: pd.DataFrame = kept.assign(**{name: [answer[name] for answer in answers] for name in _ANSWER.names})
    return answered


class _Run:
    """One pass over a file, and what it has counted so far."""

    def __init__(self, suggester: Suggester, text: Sequence[str], progress: Progress | None) -> None:
        self.text = text
        self.n_rows = 0
        self._n_faults = 0
        self._suggester = suggester
        self._progress = progress
        self._per_category: Counter[str] = Counter()

    def chunks(self, items: Iterable[Row | RowFault], faults: BinaryIO) -> Iterator[list[Row]]:
        """Yield rows in chunks, and write down the faults between them."""
        chunk: list[Row] = []
        n_characters = 0
        for item in items:
            if isinstance(item, RowFault):
                head = () if self._n_faults else (("line", "reason"),)
                faults.write(csv_text([*head, (item.line, item.reason)]).encode())
                self._n_faults += 1
                continue
            chunk.append(item)
            n_characters += len(ticket_text(item.cells, self.text))
            if len(chunk) >= CHUNK_ROWS or n_characters >= _CHUNK_CHARACTERS:
                yield chunk
                chunk, n_characters = [], 0
        if chunk:
            yield chunk

    def answered(self, chunk: Sequence[Row]) -> list[dict[str, object]]:
        """Return the values of rows, followed by their answers."""
        answers = _answers(self._suggester, [ticket_text(row.cells, self.text) for row in chunk])
        self.n_rows += len(chunk)
        self._per_category.update(
            str(answer["deflect_category"]) for answer in answers if answer["deflect_decision"] == "suggest"
        )
        return [_without_answer(row.cells) | answer for row, answer in zip(chunk, answers, strict=True)]

    def report(self, rows: TicketRows) -> None:
        """Tell the caller how far it is."""
        if self._progress is not None:
            self._progress(self.n_rows, rows.bytes_done(), rows.bytes_total)

    def summary(self, seconds: float) -> Summary:
        """Return the counts."""
        n_suggested = self._per_category.total()
        per_category = dict(sorted(self._per_category.items()))
        return Summary(self.n_rows, n_suggested, self.n_rows - n_suggested, self._n_faults, per_category, seconds)


def _answers(suggester: Suggester, texts: Sequence[str]) -> list[dict[str, object]]:
    return [
        {
            "deflect_category": suggestion.category,
            "deflect_probability": float(suggestion.probability),
            "deflect_decision": suggestion.decision,
            "deflect_reason": suggestion.reason,
            "deflect_alternatives": _as_json(suggestion.alternatives),
            "deflect_model": suggestion.model_version,
        }
        for suggestion in suggester.suggest_many(texts)
    ]


def _as_json(alternatives: Sequence[Alternative]) -> str:
    pairs = [[alternative.category, float(alternative.probability)] for alternative in alternatives]
    return json.dumps(pairs, ensure_ascii=False)


def _without_answer(values: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in values.items() if name not in _ANSWER.names}


def _loaded(model: Suggester | str | os.PathLike[str]) -> Suggester:
    return Deflector.load(model) if isinstance(model, str | os.PathLike) else model


def _check_target(source: Path, target: Path, faults: Path) -> None:
    """Check before the work that the target can be written."""
    file_format(target)
    if any(path.exists() and source.exists() and path.samefile(source) for path in (target, faults)):
        msg = f"The target must be another file than the source. Got {target} for {source}. Name another target."
        raise ParameterError(msg)
    if target.is_dir() or not target.parent.is_dir():
        msg = f"The target must be a file in a directory that exists. Got {target}. Make the directory, or name a file."
        raise ParameterError(msg)


def _columns(source: Path, given_format: str | None, target: Path) -> tuple[str, ...]:
    """Return the columns of a file; those of JSON in a pass of their own, if the target must name them first."""
    with open_rows(source, given_format) as rows:
        if rows.columns is not None:
            return rows.columns
        if file_format(target) == "jsonl":
            return ()
        return tuple({name: None for item in rows.items if isinstance(item, Row) for name in item.cells})


def _schema(source: pa.Schema | None, columns: Iterable[str]) -> pa.Schema:
    """Return the schema of the target: Parquet keeps its types, all else is text."""
    fields = [pa.field(name, pa.string()) for name in columns] if source is None else list(source)
    kept = [field for field in fields if field.name not in _ANSWER.names]
    return pa.schema([*kept, *_ANSWER], metadata=None if source is None else source.metadata)
