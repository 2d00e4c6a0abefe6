"""Takes the records of CSV, JSON and Parquet apart, in constant memory, and says in which line each begins."""

from __future__ import annotations

import codecs
import csv
import json
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedReader
from typing import NamedTuple, Protocol, Self

import pyarrow as pa
import pyarrow.parquet as pq

#: Rows that are read from Parquet and JSON arrays at a time.
CHUNK_ROWS = 10_000
#: A longer record is no ticket.
RECORD_BYTES = 10_000_000
_WINDOW = 65_536
#: What stands between the objects of an array.
_GAP = re.compile(r"[ \t\r\n,]*")
#: An escape that may stand for half a character.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
#: Control characters inside of a string are let through: they harm nobody.
_JSON = json.JSONDecoder(strict=False)

CUT = "is where the file is damaged or cut short; what follows is missing"
_NOT_UTF8 = "is not valid UTF-8"
_NOT_JSON = "is not valid JSON"
_TOO_LONG = f"is longer than {RECORD_BYTES // 1_000_000} MB"


@dataclass(frozen=True)
class RowFault:
    """The line where a faulty row begins, and what is wrong with it, without a word of the ticket."""

    line: int
    reason: str


class Row(NamedTuple):
    """One row: the line where it begins (in Parquet its number, from 1), and its cells by column."""

    line: int
    cells: dict[str, object]


class Fields(NamedTuple):
    """One record of a CSV file: the line where it begins, and its cells."""

    line: int
    cells: list[str]


class LineFile(Protocol):
    """What lines are read from: a file, or a window onto one."""

    def readline(self, size: int, /) -> bytes:
        """Return the next line, or its first so many bytes."""
        ...


class _CutShortError(Exception):
    """The file ends before its end."""


class _TooLongError(Exception):
    """A record is too long to be one ticket."""


class Lines:
    """The lines of a file, counted from 1; those of the present record can be taken back.

    ``number`` is that of the last line given out: not 0 in the midst of a file.
    """

    def __init__(self, file: LineFile, number: int = 0) -> None:
        self.is_valid = True
        self.number = number
        self._file = file
        self._record: list[bytes] = []
        self._again: deque[bytes] = deque()
        self._n_bytes = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        raw = self._again.popleft() if self._again else self._read()
        if not raw:
            raise StopIteration
        self.number += 1
        self._record.append(raw)
        self._n_bytes += len(raw)
        if self._n_bytes > RECORD_BYTES:
            raise _TooLongError
        try:
            return raw.decode()
        except UnicodeDecodeError:
            self.is_valid = False
            return raw.decode("utf-8", "surrogateescape")

    def begin(self) -> int:
        """Begin a record; return the number of its first line."""
        self._record.clear()
        self._n_bytes = 0
        self.is_valid = True
        return self.number + 1

    @property
    def is_ahead(self) -> bool:
        """Say whether lines were taken back that are not given out again yet."""
        return bool(self._again)

    def take_back(self) -> None:
        """Make the record's second line the next: an unclosed quote costs one row, not all that it swallowed."""
        self._again.extendleft(reversed(self._record[1:]))
        self.number -= max(len(self._record) - 1, 0)

    def _read(self) -> bytes:
        try:
            line = rest = self._file.readline(RECORD_BYTES + 1)
            while len(rest) > RECORD_BYTES and not rest.endswith(b"\n"):
                rest = self._file.readline(RECORD_BYTES + 1)
        except EOFError as error:
            raise _CutShortError from error
        return line


def csv_fields(lines: Lines, delimiter: str) -> Iterator[Fields | RowFault]:
    """Yield the records of a CSV file; the first is its header. Empty lines are passed over."""
    csv.field_size_limit(max(csv.field_size_limit(), RECORD_BYTES))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except _CutShortError:
            yield RowFault(line, CUT)
            return
        except (csv.Error, _TooLongError) as error:
            lines.take_back()
            yield RowFault(line, _csv_reason(error))
            continue
        if fields:
            yield Fields(line, fields) if lines.is_valid else RowFault(line, _NOT_UTF8)


def _csv_reason(error: Exception) -> str:
    if isinstance(error, _TooLongError):
        return f"{_TOO_LONG}, or opens a quote that is not closed"
    if "new-line" in str(error):
        return "has a carriage return outside of quotes"
    return "has a quote that is not closed, or stands inside of a quoted field and is not doubled"


def csv_rows(columns: tuple[str, ...], records: Iterator[Fields | RowFault]) -> Iterator[Row | RowFault]:
    """Yield rows of as many fields as there are columns, and a fault for every other."""
    for record in records:
        if isinstance(record, RowFault):
            yield record
        elif len(record.cells) != len(columns):
            yield RowFault(record.line, f"has {len(record.cells)} fields, the header has {len(columns)}")
        else:
            yield Row(record.line, dict(zip(columns, record.cells, strict=True)))


def json_lines(lines: Lines) -> Iterator[Row | RowFault]:
    """Yield the objects of a file with one JSON object a line. Empty lines are passed over."""
    while True:
        line = lines.begin()
        try:
            text = next(lines)
        except StopIteration:
            return
        except _CutShortError:
            yield RowFault(line, CUT)
            return
        except _TooLongError:
            yield RowFault(line, _TOO_LONG)
            continue
        if text.strip():
            yield _json_line(line, text)


def _json_line(line: int, text: str) -> Row | RowFault:
    try:
        values = _JSON.decode(text.strip())
    except (ValueError, RecursionError):
        return RowFault(line, _NOT_JSON if _is_unicode(text) else _NOT_UTF8)
    return _json_row(line, text, values)


def _json_row(line: int, text: str, values: object) -> Row | RowFault:
    if not isinstance(values, dict):
        return RowFault(line, "is not a JSON object")
    if not _is_unicode(text) or (_HALF.search(text) and not _is_unicode(json.dumps(values, ensure_ascii=False))):
        return RowFault(line, _NOT_UTF8)
    return Row(line, values)


def _is_unicode(text: str) -> bool:
    """Say whether a text has whole characters only: half ones can neither be stored nor written."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def json_array(file: BufferedReader) -> Iterator[Row | RowFault]:
    """Yield the objects of one JSON array. Behind a broken one there is no safe place to go on, so it is the last."""
    window = _ArrayWindow(file)
    window.begin()
    while (mark := window.mark()) != "]":
        item = window.item() if mark == "{" else None
        if item is None:
            why = CUT if window.is_cut else f"{_NOT_JSON} inside of an array; the rest of the file is left out"
            yield RowFault(window.line, why)
            return
        yield item


class _ArrayWindow:
    """A window that slides over the text of a JSON array, so that one of any length needs little memory."""

    def __init__(self, file: BufferedReader) -> None:
        self.line = 1
        self.is_cut = False
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
        self._text = ""
        self._place = 0

    def begin(self) -> None:
        """Step behind the bracket that opens the array."""
        self.mark()
        self._place += 1

    def mark(self) -> str:
        """Step to the next character that is no white space and no comma; return it, or nothing at the end."""
        while True:
            found = _GAP.match(self._text, self._place)
            self._step(found.end() if found else self._place)
            if self._place < len(self._text):
                return self._text[self._place]
            if not self._grow():
                return ""

    def item(self) -> Row | RowFault | None:
        """Step behind the object that begins here and return it; None where it is broken or cut off."""
        while True:
            try:
                values, end = _JSON.raw_decode(self._text, self._place)
            except (ValueError, RecursionError):
                if len(self._text) - self._place > RECORD_BYTES or not self._grow():
                    return None
                continue
            line, text = self.line, self._text[self._place : end]
            self._step(end)
            return _json_row(line, text, values)

    def _step(self, place: int) -> None:
        self.line += self._text.count("\n", self._place, place)
        self._place = place

    def _grow(self) -> bool:
        """Drop what was read and read as much again as is left, so that retries stay few; False at the end."""
        left = self._text[self._place :]
        parts, n_wanted = [], max(_WINDOW, len(left))
        while n_wanted > 0 and (raw := self._read(n_wanted)):
            parts.append(self._decode(raw))
            n_wanted -= len(raw)
        self._text, self._place = "".join([left, *parts]), 0
        return bool(parts)

    def _read(self, n_bytes: int) -> bytes:
        try:
            return self._file.read1(n_bytes)
        except EOFError:
            self.is_cut = True
            return b""


class ParquetRecords:
    """The rows of a Parquet file; ``number`` is that of the last row given out."""

    def __init__(self, file: pq.ParquetFile) -> None:
        self.number = 0
        self._file = file

    def rows(self) -> Iterator[Row | RowFault]:
        """Yield rows, numbered from 1."""
        try:
            for batch in self._file.iter_batches(CHUNK_ROWS):
                for item in batch_rows(batch, self.number + 1):
                    self.number += 1
                    yield item
        except (OSError, pa.ArrowException):
            yield RowFault(self.number + 1, CUT)


def batch_rows(batch: pa.RecordBatch, first: int) -> Iterator[Row | RowFault]:
    """Yield the rows of a batch, the first with the number given."""
    try:
        rows = batch.to_pylist()
    except UnicodeDecodeError:
        if batch.num_rows == 1:
            yield RowFault(first, _NOT_UTF8)
            return
        for i in range(batch.num_rows):
            yield from batch_rows(batch.slice(i, 1), first + i)
        return
    yield from (Row(line, values) for line, values in enumerate(rows, first))
