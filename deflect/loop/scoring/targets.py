"""Renders answered tickets as parts of a CSV, JSON lines or Parquet file: parts side by side are the file."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from json.encoder import encode_basestring
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from deflect.loop.rows import DELIMITERS, file_format, packing
from deflect.loop.scoring.answers import ANSWER
from deflect.loop.scoring.footers import MAGIC, split_parquet
from deflect.loop.tickets import as_text, cell_text

_GZIP_LEVEL = 6
#: Of the usual ones it packs texts best, and is as fast as the others: 38, 50 and 52 MB with zstd, snappy and LZ4.
_PARQUET_COMPRESSION = "zstd"


@dataclass(frozen=True, slots=True)
class Rendered:
    """Some rows as they stand in a target; of Parquet the row groups, and the footer that describes them."""

    body: bytes
    footer: bytes = b""


@dataclass(frozen=True, slots=True)
class Target:
    """The format of a target, and the columns that it keeps; None keeps JSON objects as they are."""

    kind: str
    packed: str
    kept: pa.Schema | None

    @classmethod
    def named(cls, path: Path, kept: pa.Schema | None) -> Target:
        """Return the target of a name."""
        return cls(file_format(path), packing(path), kept)

    def head(self) -> Rendered:
        """Return what stands before the first row; of Parquet the footer of a file without rows."""
        if self.kind == "jsonl" or self.kept is None:
            return Rendered(b"")
        schema = self._schema(self.kept)
        if self.kind == "parquet":
            return Rendered(MAGIC, _parquet(schema.empty_table()).footer)
        return Rendered(self._packed(csv_text([schema.names], DELIMITERS[self.kind])))

    def render(self, kept: pa.Table | Sequence[Mapping[str, object]], answers: Mapping[str, pa.Array]) -> Rendered:
        """Return rows, each with its answer behind."""
        if not isinstance(kept, pa.Table):
            return Rendered(self._packed(_json_objects(kept, answers)))
        table = pa.Table.from_arrays([*kept.columns, *answers.values()], schema=self._schema(kept.schema))
        if self.kind == "parquet":
            return _parquet(table) if len(table) else Rendered(b"")
        text = _json_lines(table) if self.kind == "jsonl" else _csv_lines(table, DELIMITERS[self.kind])
        return Rendered(self._packed(text))

    def _schema(self, kept: pa.Schema) -> pa.Schema:
        return pa.schema([*kept, *ANSWER], metadata=kept.metadata)

    def _packed(self, text: str) -> bytes:
        """Return a text as bytes; packed ones may stand one behind the other, and say neither name nor time."""
        raw = text.encode()
        if self.packed == ".gz":
            return gzip.compress(raw, _GZIP_LEVEL, mtime=0) if raw else b""
        return pa.compress(raw, codec="zstd", asbytes=True) if self.packed and raw else raw


def csv_text(rows: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    """Return rows as lines of CSV, which end as in RFC 4180."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter).writerows(rows)
    return buffer.getvalue()


def _parquet(table: pa.Table) -> Rendered:
    sink = pa.BufferOutputStream()
    # A dictionary pays for columns that say the same again and again; Arrow gives up on it where they do not.
    pq.write_table(table, sink, compression=_PARQUET_COMPRESSION, row_group_size=max(len(table), 1))
    return Rendered(*split_parquet(sink.getvalue().to_pybytes()))


def _csv_lines(table: pa.Table, delimiter: str) -> str:
    columns = [
        column.to_pylist() if _is_text(column) else list(map(cell_text, column.to_pylist())) for column in table.columns
    ]
    return csv_text(zip(*columns, strict=True), delimiter)


def _json_lines(table: pa.Table) -> str:
    keys = [json.dumps(name, ensure_ascii=False).replace("%", "%%") for name in table.column_names]
    line = "{" + ", ".join(f"{key}: %s" for key in keys) + "}\n"
    columns = [map(_json_text if _is_text(column) else _json, column.to_pylist()) for column in table.columns]
    return "".join(map(line.__mod__, zip(*columns, strict=True)))


def _json_objects(rows: Sequence[Mapping[str, object]], answers: Mapping[str, pa.Array]) -> str:
    values = zip(*(column.to_pylist() for column in answers.values()), strict=True)
    answered = (
        {name: cell for name, cell in row.items() if name not in answers} | dict(zip(answers, answer, strict=True))
        for row, answer in zip(rows, values, strict=True)
    )
    return "".join(_json(row) + "\n" for row in answered)


def _is_text(column: pa.ChunkedArray) -> bool:
    return bool(pa.types.is_string(column.type))


def _json_text(value: str | None) -> str:
    return "null" if value is None else encode_basestring(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=as_text)
