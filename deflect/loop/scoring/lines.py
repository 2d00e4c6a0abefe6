"""Renders answered tickets as lines of CSV or JSON, whole columns at a time: Arrow keeps no interpreter lock."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from json.encoder import encode_basestring
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from deflect.loop.tickets import as_text, cell_text

#: Columns of text in Arrow, which may be longer together than 32 bits can say.
Texts: TypeAlias = pa.ChunkedArray
_TEXT = pa.large_string()
_CSV_END = "\r\n"  # As in RFC 4180.
_JSON_END = "}\n"
#: What JSON escapes often; the order matters, since a backslash is part of what the others become.
_ESCAPES = (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"))
_ESCAPED = r'["\\\x00-\x1f]'
_RARELY_ESCAPED = r"[\x00-\x08\x0b\x0c\x0e-\x1f]"


def csv_text(rows: Iterable[Sequence[object]], delimiter: str = ",") -> str:
    """Return rows as lines of CSV."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer, delimiter=delimiter, lineterminator=_CSV_END).writerows(rows)
    return buffer.getvalue()


def csv_lines(kept: pa.Table, answers: Mapping[str, pa.Array], delimiter: str) -> bytes:
    """Return rows as ``csv_text`` does, each with its answer behind."""
    columns = [_texts(column) if _is_text(column) else _of_python(column, cell_text) for column in kept.columns]
    columns += map(_texts, answers.values())
    cells = [_quoted(column, f'[{delimiter}"\r\n]') for column in columns]
    return _lines([*cells[:-1], _joined(cells[-1], _scalar(_CSV_END))], delimiter)


def json_lines(kept: pa.Table, answers: Mapping[str, pa.Array]) -> bytes:
    """Return rows as JSON objects, one a line, each with its answer behind."""
    values = [_quoted_json(column) if _is_text(column) else _of_python(column, json_text) for column in kept.columns]
    members = _members([*zip(kept.column_names, values, strict=True), *_answered(answers)])
    return _lines(["{", *members, _JSON_END], "")


def json_answers(opened: Texts, answers: Mapping[str, pa.Array]) -> bytes:
    """Return JSON objects, given up to where their next member stands, each with its answer behind."""
    return _lines([opened, *_members(_answered(answers)), _JSON_END], "")


def opened_objects(rows: Iterable[Mapping[str, object]]) -> Texts:
    """Return objects as JSON, up to where their next member stands."""
    return pa.chunked_array([[json_text(row)[:-1] + (", " if row else "") for row in rows]], _TEXT)


def json_text(value: object) -> str:
    """Return a value as JSON."""
    return json.dumps(value, ensure_ascii=False, default=as_text)


def laid_out(column: Texts) -> tuple[memoryview, npt.NDArray[np.int64]]:
    """Return texts as one stretch of UTF-8, and the edges between them."""
    whole = column.combine_chunks()
    _, edges, utf8 = whole.buffers()
    if not len(whole):
        return memoryview(b""), np.zeros(1, np.int64)
    return memoryview(utf8), np.frombuffer(edges, np.int64)[whole.offset :][: len(whole) + 1]


def _lines(columns: Sequence[Texts | str], between: str) -> bytes:
    """Return rows as bytes; a cell without value is empty."""
    parts = [_scalar(column) if isinstance(column, str) else column for column in columns]
    rows = pc.binary_join_element_wise(*parts, _scalar(between), null_handling="replace", null_replacement="")
    utf8, edges = laid_out(rows)
    return bytes(utf8[edges[0] : edges[-1]])


def _answered(answers: Mapping[str, pa.Array]) -> list[tuple[str, Texts]]:
    return [(name, _quoted_json(column) if _is_text(column) else _texts(column)) for name, column in answers.items()]


def _members(values: Iterable[tuple[str, Texts]]) -> list[Texts | str]:
    """Return what stands behind the bracket that opens an object: names and values in turn."""
    parts: list[Texts | str] = []
    for name, column in values:
        parts += [f"{', ' if parts else ''}{json_text(name)}: ", pc.fill_null(column, _scalar("null"))]
    return parts


def _quoted_json(column: pa.ChunkedArray | pa.Array) -> Texts:
    return _joined(_scalar('"'), _escaped(_texts(column)), _scalar('"'))


def _escaped(column: Texts) -> Texts:
    if not _has(column, _ESCAPED):
        return column
    if _has(column, _RARELY_ESCAPED):
        return _of_python(column, lambda text: encode_basestring(str(text))[1:-1])
    for raw, escaped in _ESCAPES:
        column = pc.replace_substring(column, raw, escaped)
    return column


def _quoted(column: Texts, odd: str) -> Texts:
    """Return cells as CSV has them: within quotes where they hold what would end them."""
    if not _has(column, odd):
        return column
    quoted = _joined(_scalar('"'), pc.replace_substring(column, '"', '""'), _scalar('"'))
    return pc.if_else(pc.match_substring_regex(column, odd), quoted, column)


def _has(column: Texts, pattern: str) -> bool:
    """Say whether a pattern is found in any text."""
    return bool(pc.any(pc.match_substring_regex(column, pattern)).as_py())


def _joined(*parts: Texts | pa.Scalar) -> Texts:
    return pc.binary_join_element_wise(*parts, _scalar(""))


def _of_python(column: pa.ChunkedArray, text_of: Callable[[object], str]) -> Texts:
    """Return what Python makes of each value, where there is one."""
    values = [None if value is None else text_of(value) for value in column.to_pylist()]
    return pa.chunked_array([pa.array(values, _TEXT)])


def _is_text(column: pa.ChunkedArray | pa.Array) -> bool:
    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _texts(column: pa.ChunkedArray | pa.Array) -> Texts:
    return (column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])).cast(_TEXT)


def _scalar(text: str) -> pa.Scalar:
    return pa.scalar(text, _TEXT)
