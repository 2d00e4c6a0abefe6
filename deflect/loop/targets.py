"""Writes rows to CSV, JSON lines or Parquet, into a file that appears whole or not at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO, TypeAlias

import pyarrow as pa
import pyarrow.parquet as pq

from deflect.loop.rows import DELIMITERS, file_format, is_gzip
from deflect.loop.tickets import as_text

Values: TypeAlias = Mapping[str, object]
Write: TypeAlias = Callable[[Sequence[Values]], None]


@contextmanager
def open_target(file: BinaryIO, target: Path, schema: pa.Schema) -> Iterator[Write]:
    """Give a function that writes rows to an open file, in the format of the target's name."""
    kind = file_format(target)
    if kind == "parquet":
        with pq.ParquetWriter(file, schema) as writer:
            yield lambda rows: writer.write_table(_table(rows, schema))
        return
    with _packed(file) if is_gzip(target) else nullcontext(file) as out:
        if kind == "jsonl":
            yield lambda rows: _put(out, "".join(map(_json_line, rows)))
            return
        delimiter, columns = DELIMITERS[kind], tuple(schema.names)
        _put(out, csv_text([columns], delimiter))
        yield lambda rows: _put(out, csv_text(([row.get(name) for name in columns] for row in rows), delimiter))


def _packed(file: BinaryIO) -> gzip.GzipFile:
    """Return a gzip file without name and time, so that the same rows make the same bytes."""
    return gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0)


def csv_text(rows: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    """Return rows as lines of CSV, which end as in RFC 4180."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerows([_cell(value) for value in row] for row in rows)
    return buffer.getvalue()


def _cell(value: object) -> str:
    """Return a value as text: what is neither a text nor a number as JSON."""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=as_text)
    return as_text(value)


def _json_line(row: Values) -> str:
    return json.dumps(row, ensure_ascii=False, default=as_text) + "\n"


def _table(rows: Sequence[Values], schema: pa.Schema) -> pa.Table:
    columns = []
    for field in schema:
        values = [row.get(field.name) for row in rows]
        if pa.types.is_string(field.type):
            values = [None if value is None else _cell(value) for value in values]
        columns.append(pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _put(file: BinaryIO | gzip.GzipFile, text: str) -> None:
    file.write(text.encode())
