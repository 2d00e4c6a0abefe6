"""Renders answered tickets as parts of a CSV, JSON lines or Parquet file: parts side by side are the file."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from deflect.loop.rows import DELIMITERS, file_format, packing
from deflect.loop.scoring.answers import ANSWER
from deflect.loop.scoring.footers import MAGIC, split_parquet
from deflect.loop.scoring.lines import Texts, csv_lines, csv_text, json_answers, json_lines

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
        return Rendered(self._packed(csv_text([schema.names], DELIMITERS[self.kind]).encode()))

    def render(self, kept: pa.Table | Texts, answers: Mapping[str, pa.Array]) -> Rendered:
        """Return rows, of JSON what ``opened_objects`` returns, each with its answer behind."""
        if not isinstance(kept, pa.Table):
            return Rendered(self._packed(json_answers(kept, answers)))
        if self.kind == "parquet":
            table = pa.Table.from_arrays([*kept.columns, *answers.values()], schema=self._schema(kept.schema))
            return _parquet(table) if len(table) else Rendered(b"")
        if self.kind == "jsonl":
            return Rendered(self._packed(json_lines(kept, answers)))
        return Rendered(self._packed(csv_lines(kept, answers, DELIMITERS[self.kind])))

    def _schema(self, kept: pa.Schema) -> pa.Schema:
        return pa.schema([*kept, *ANSWER], metadata=kept.metadata)

    def _packed(self, raw: bytes) -> bytes:
        """Return bytes as the target has them; packed ones may stand one behind the other, and say no name or time."""
        if self.packed == ".gz":
            return gzip.compress(raw, _GZIP_LEVEL, mtime=0) if raw else b""
        return pa.compress(raw, codec="zstd", asbytes=True) if self.packed and raw else raw


def _parquet(table: pa.Table) -> Rendered:
    sink = pa.BufferOutputStream()
    # A dictionary pays for columns that say the same again and again; Arrow gives up on it where they do not.
    pq.write_table(table, sink, compression=_PARQUET_COMPRESSION, row_group_size=max(len(table), 1))
    return Rendered(*split_parquet(sink.getvalue().to_pybytes()))
