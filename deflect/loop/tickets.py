"""Reads labelled tickets from a file into a frame, and says what is wrong with which line."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

from deflect.errors import ParameterError, TicketFileError
from deflect.loop.records import Row, RowFault
from deflect.loop.rows import listed, open_rows

__all__ = [
    "RowFault",
    "as_text",
    "cell_text",
    "check_columns",
    "frame_texts",
    "read_tickets",
    "text_columns",
    "ticket_text",
]

#: The column that holds the text where a file has none of those asked for.
TEXT = "text"
_CATEGORY = "category"
_IDS = ("ticket_id", "id")


def read_tickets(
    path: str | os.PathLike[str],
    *,
    text: str | Sequence[str] = ("subject", "body"),
    category: str | None = "category",
    format: str | None = None,
) -> pd.DataFrame:
    r"""Read labelled tickets from CSV, TSV, JSON or Parquet.

    When to use it: to load an archive to train on or to evaluate with. It holds the whole file in memory; to answer
    the tickets of a file of any length, use ``score_file``.

    A row that cannot be read is left out and the rest goes on: ``frame.attrs["faults"]`` says which, as a tuple of
    ``RowFault(line, reason)`` in the order of the file. An empty text and an id that appears again are faults too, but
    those rows stay.

    Parameters
    ----------
    path
        A file named .csv, .tsv, .jsonl, .ndjson, .json (one object a line, or an array of objects) or .parquet; all but
        the last also with .gz behind. Text is UTF-8.
    text
        The column or columns that make up the text: those that exist are joined by a line feed, a missing value counts
        as empty. If the file has none of them, its column ``text`` is taken.
    category
        The column of the category. Rows without one are left out. None reads tickets without categories.
    format
        "csv", "tsv", "jsonl" or "parquet"; None (default) goes by the name.

    Returns
    -------
    All columns of the file as they are, then ``text`` and ``category``, both str, the category without white space
    around it; they replace columns of these names. The index, "line", is the line where the record begins, counted from
    1 with the header; in Parquet the number of the row, from 1.

    Raises
    ------
    TicketFileError
        The file is missing, empty, of another format or encoding, lacks a column, or has no row that can be read.
    ParameterError
        The format is unknown, or ``text`` names no column.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "tickets.csv")
    ...     _ = path.write_text("subject,body,category\nH12,requests are slow,timeout\nhelp,where?\n")
    ...     tickets = read_tickets(path)
    >>> tickets["category"].to_dict()
    {2: 'timeout'}
    >>> tickets.attrs["faults"]
    (RowFault(line=3, reason='has 2 fields, the header has 3'),)

    """
    names = text_columns(text)
    table = _Table(names, category)
    with open_rows(path, format) as rows:
        if rows.columns is not None:
            check_columns(path, rows.columns, names, category)
            table.columns = {name: [] for name in rows.columns}
        for item in rows.items:
            table.add(item)
    if rows.columns is None and table.columns:
        check_columns(path, tuple(table.columns), names, category)
    if not table.lines:
        msg = f"{path} must hold tickets. Got none{_first_of(table.faults)}. Check that it is the right file."
        raise TicketFileError(msg)
    return table.frame()


def _first_of(faults: Sequence[RowFault]) -> str:
    if not faults:
        return ""
    return f", but {len(faults)} faults; the first: line {faults[0].line} {faults[0].reason}"


class _Table:
    """Columns that grow row by row, and the faults met on the way."""

    def __init__(self, text: Sequence[str], category: str | None) -> None:
        self.columns: dict[str, list[object]] = {}
        self.lines: list[int] = []
        self.faults: list[RowFault] = []
        self._text = text
        self._category = category
        self._texts: list[str] = []
        self._categories: list[str] = []
        self._first_lines: dict[str, int] = {}

    def add(self, item: Row | RowFault) -> None:
        if isinstance(item, RowFault):
            self.faults.append(item)
            return
        for name in item.cells:
            if name not in self.columns:
                self.columns[name] = [None] * len(self.lines)
        category = "" if self._category is None else as_text(item.cells.get(self._category)).strip()
        if self._category is not None and not category:
            self.faults.append(RowFault(item.line, "has no category"))
            return
        text = ticket_text(item.cells, self._text)
        self._check(item, text)
        for name, values in self.columns.items():
            values.append(item.cells.get(name))
        self.lines.append(item.line)
        self._texts.append(text)
        self._categories.append(category)

    def frame(self) -> pd.DataFrame:
        columns = {**self.columns, TEXT: self._texts}
        if self._category is not None:
            columns[_CATEGORY] = self._categories
        frame = pd.DataFrame(columns, index=pd.Index(self.lines, name="line"))
        frame.attrs["faults"] = tuple(self.faults)
        return frame

    def _check(self, item: Row, text: str) -> None:
        """Report what is wrong with a row that stays."""
        if not text.strip():
            self.faults.append(RowFault(item.line, "has no text"))
        name = next((name for name in _IDS if name in item.cells), "")
        ticket_id = as_text(item.cells.get(name))
        first = self._first_lines.setdefault(ticket_id, item.line)
        if ticket_id and first != item.line:
            self.faults.append(RowFault(item.line, f"{name} appears again, first on line {first}"))


def text_columns(text: str | Sequence[str]) -> tuple[str, ...]:
    """Return the names of the columns that make up the text.

    Raises
    ------
    ParameterError
        There is none.

    """
    names = (text,) if isinstance(text, str) else tuple(text)
    if not names:
        msg = 'text must name at least one column. Got none. Pass text="body", or leave it out.'
        raise ParameterError(msg)
    return names


def check_columns(source: object, columns: Sequence[str], text: Sequence[str], category: str | None = None) -> None:
    """Check that there is a column of text and, unless None, that of the category.

    Raises
    ------
    TicketFileError
        One is missing.

    """
    missing = []
    if not {*text, TEXT} & set(columns):
        wanted = dict.fromkeys([*text, TEXT])
        missing.append(f"a column of text ({' or '.join(map(repr, wanted))})")
    if category is not None and category not in columns:
        missing.append(f"a column {category!r}")
    if missing:
        msg = f"{source} must have {' and '.join(missing)}. Its columns are: {listed(columns)}. Name those to read."
        raise TicketFileError(msg)


def ticket_text(values: Mapping[str, object], columns: Iterable[str]) -> str:
    """Return a ticket's text: those of the columns that it has, joined by a line feed, else its column ``text``."""
    parts = [as_text(values[name]) for name in columns if name in values]
    return "\n".join(parts) if parts else as_text(values.get(TEXT))


def frame_texts(frame: pd.DataFrame, columns: Iterable[str]) -> list[str]:
    """Return the texts of a frame's tickets, as ``ticket_text`` returns each."""
    there = [name for name in columns if name in frame.columns] or [TEXT]
    parts = (map(as_text, frame[name].tolist()) for name in there)
    return list(map("\n".join, zip(*parts, strict=True)))


def as_text(value: object) -> str:
    """Return a value of any kind as text; None and NaN are empty."""
    if isinstance(value, str):
        return value
    if value is None or value is pd.NA or value is pd.NaT or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def cell_text(value: object) -> str:
    """Return a value as the text of a cell: what is neither a text nor a number as JSON."""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=as_text)
    return as_text(value)
