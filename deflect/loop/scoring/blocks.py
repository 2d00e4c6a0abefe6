"""Cuts ticket files into blocks of whole records, which can be read side by side and resumed between any two."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from deflect.loop.records import (
    CHUNK_ROWS,
    CUT,
    RECORD_BYTES,
    Lines,
    Row,
    RowFault,
    csv_fields,
    csv_rows,
    json_array,
    json_lines,
)
from deflect.loop.rows import DELIMITERS, header, is_array, open_bytes, open_parquet, open_text
from deflect.loop.scoring.windows import Window

#: A block of text is about so long: long enough for a row group of Parquet, short enough for memory and progress.
BLOCK_BYTES = 8 << 20
#: Behind a fault so many records are read one by one, and the next block is so short; then blocks grow again.
_CAREFUL_ROWS = 256
_CAREFUL_BYTES = 1 << 16

_LINE_FEED, _RETURN, _QUOTE = b'\n\r"'


@dataclass(frozen=True, slots=True)
class Place:
    """A place between two blocks: all that it takes to go on from there.

    ``file`` counts files; ``offset`` bytes of unpacked text, rows of Parquet or objects of a JSON array; ``line`` the
    lines before it. ``n_block_bytes`` is how long the next block is, 0 for a full one, ``n_bytes`` what was read of all
    files, packed.
    """

    file: int = 0
    offset: int = 0
    line: int = 0
    n_block_bytes: int = 0
    n_bytes: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Some records of a file: plain CSV or JSON lines as bytes, rows that are read already, or a batch of Parquet.

    ``line`` counts the lines, or rows of Parquet, before it; ``columns`` is None for JSON.
    """

    file: int
    kind: str
    columns: tuple[str, ...] | None
    line: int
    content: bytes | tuple[Row | RowFault, ...] | pa.RecordBatch


Bytes: TypeAlias = npt.NDArray[np.uint8]
Step: TypeAlias = tuple[Block, Place]


@dataclass(frozen=True, slots=True)
class TicketFile:
    """A file of tickets, and its format."""

    path: Path
    kind: str


def blocks(files: list[TicketFile], begin: Place, end: Place | None = None) -> Iterator[Step]:
    """Yield the blocks of files between two places, each with the place behind it; None ends with the last file."""
    place = begin
    n_bytes = sum(file.path.stat().st_size for file in files[: begin.file])
    for number in range(begin.file, len(files)):
        if end is not None and (number, 0) >= (end.file, end.offset):
            return
        for block, behind in _file_blocks(files[number], place):
            yield block, replace(behind, n_bytes=n_bytes + behind.n_bytes)
            if end is not None and (behind.file, behind.offset) >= (end.file, end.offset):
                return
        n_bytes += files[number].path.stat().st_size
        place = Place(number + 1)


def columns_of(file: TicketFile) -> tuple[tuple[str, ...] | None, pa.Schema | None]:
    """Return the columns of a file, None for JSON, and the schema of Parquet."""
    with open_bytes(file.path) as raw:
        if file.kind == "parquet":
            schema = open_parquet(file.path, raw).schema_arrow
            return tuple(schema.names), schema
        text = open_text(file.path, raw)
        if file.kind == "jsonl":
            return None, None
        return header(file.path, csv_fields(Lines(text), DELIMITERS[file.kind])), None


def _file_blocks(file: TicketFile, begin: Place) -> Iterator[Step]:
    with open_bytes(file.path) as raw:
        if file.kind == "parquet":
            yield from _parquet_blocks(file, raw, begin)
            return
        text = open_text(file.path, raw)
        if file.kind == "jsonl" and is_array(text):
            items = islice(json_array(text), begin.offset, None)
            yield from _array_blocks(file, raw, items, begin)
            return
        first_byte = raw.tell()
        window = Window(text)
        columns = None
        if file.kind != "jsonl":
            lines = Lines(window)
            columns = header(file.path, csv_fields(lines, DELIMITERS[file.kind]))
            begin = begin if begin.offset else replace(begin, offset=window.offset, line=lines.number)
        if text is raw:
            raw.seek(first_byte + begin.offset)
            window = Window(raw, begin.offset)
        window.skip(begin.offset - window.offset)
        yield from _TextBlocks(file.kind, columns, window, begin).steps(raw)


def _array_blocks(
    file: TicketFile, raw: BufferedReader, items: Iterator[Row | RowFault], place: Place
) -> Iterator[Step]:
    while rows := tuple(islice(items, CHUNK_ROWS)):
        place = replace(place, offset=place.offset + len(rows), n_bytes=raw.tell())
        yield Block(place.file, file.kind, None, 0, rows), place


def _parquet_blocks(file: TicketFile, raw: BufferedReader, place: Place) -> Iterator[Step]:
    parquet = open_parquet(file.path, raw)
    columns, size = tuple(parquet.schema_arrow.names), os.fstat(raw.fileno()).st_size
    n_rows, end = max(parquet.metadata.num_rows, 1), 0
    try:
        for group in range(parquet.num_row_groups):
            begin, end = end, end + parquet.metadata.row_group(group).num_rows
            if end <= place.offset:
                continue
            for batch in parquet.iter_batches(CHUNK_ROWS, row_groups=[group], use_threads=False):
                begin += batch.num_rows
                if begin <= place.offset:
                    continue
                block = Block(place.file, file.kind, columns, begin - batch.num_rows, batch)
                place = replace(place, offset=begin, n_bytes=size * begin // n_rows)
                yield block, place
    except (OSError, pa.ArrowException):
        fault = RowFault(place.offset + 1, CUT)
        yield Block(place.file, file.kind, columns, place.offset, (fault,)), replace(place, offset=n_rows, n_bytes=size)


class _TextBlocks:
    """Cuts a text: where its records are plain into blocks of bytes, and where not, row by row."""

    def __init__(self, kind: str, columns: tuple[str, ...] | None, window: Window, begin: Place) -> None:
        self._kind = kind
        self._columns = columns
        self._window = window
        self._place = begin
        self._is_done = False

    def steps(self, raw: BufferedReader) -> Iterator[Step]:
        """Yield blocks, each with the place behind it."""
        while not self._is_done and (len(self._window.peek(1)) or self._window.is_cut):
            n_bytes = self._plain_bytes()
            yield self._plain(n_bytes, raw) if n_bytes else self._careful(raw)

    def _plain_bytes(self) -> int:
        """Return how many bytes of plain records come next: about a block, or none."""
        n_looked = self._place.n_block_bytes or BLOCK_BYTES
        while True:
            head = self._window.peek(n_looked)
            n_plain = self._cut(bytes(head), is_last=len(head) < n_looked and not self._window.is_cut)
            if n_plain or len(head) < n_looked or n_looked > RECORD_BYTES:
                return n_plain
            n_looked *= 4

    def _cut(self, head: bytes, *, is_last: bool) -> int:
        marks = None if self._columns is None else Marks(head, DELIMITERS[self._kind].encode())
        cut = 0
        # A record that is too long for a ticket is not plain, so ends must follow one another closely.
        while cut < len(head):
            limit = min(cut + RECORD_BYTES, len(head))
            if is_last and limit == len(head) and (marks is None or marks.is_whole):
                return limit
            end = marks.last_end(head, cut, limit) if marks else head.rfind(b"\n", cut, limit) + 1
            if end <= cut:
                break
            cut = end
        return cut

    def _plain(self, n_bytes: int, raw: BufferedReader) -> Step:
        content = self._window.take(n_bytes)
        block = Block(self._place.file, self._kind, self._columns, self._place.line, content)
        n_next = 2 * self._place.n_block_bytes
        self._move(raw, self._place.line + content.count(b"\n"), n_next if n_next < BLOCK_BYTES else 0)
        return block, self._place

    def _careful(self, raw: BufferedReader) -> Step:
        lines = Lines(self._window, self._place.line)
        begin, rows = self._window.offset, []
        for row in self._records(lines):
            rows.append(row)
            is_enough = len(rows) >= _CAREFUL_ROWS or self._window.offset - begin >= RECORD_BYTES
            # What follows a cut is a last fault, which must be met here: it is no bytes to stop before.
            if is_enough and not lines.is_ahead and not self._window.is_cut:
                break
        else:
            self._is_done = True
        block = Block(self._place.file, self._kind, self._columns, self._place.line, tuple(rows))
        self._move(raw, lines.number, _CAREFUL_BYTES)
        return block, self._place

    def _records(self, lines: Lines) -> Iterator[Row | RowFault]:
        if self._columns is None:
            return json_lines(lines)
        return csv_rows(self._columns, csv_fields(lines, DELIMITERS[self._kind]))

    def _move(self, raw: BufferedReader, line: int, n_block_bytes: int) -> None:
        if self._is_done:
            self._place = Place(self._place.file + 1, n_bytes=raw.tell())
        else:
            self._place = Place(self._place.file, self._window.offset, line, n_block_bytes, raw.tell())


class Marks:
    """The quotes of a CSV text that begins with a record: as long as they are plain, they tell what is quoted.

    Plain means: a quote opens at the edge of a field and closes at one, those within are doubled, and a carriage return
    outside of quotes stands before a line feed. Then Python's and Arrow's readers agree on every field.
    """

    def __init__(self, raw: bytes, delimiter: bytes) -> None:
        text = np.frombuffer(raw, np.uint8)
        self._has_returns = b"\r" in raw
        self._quotes = np.flatnonzero(text == _QUOTE)
        #: Up to here the text is plain.
        self._limit = min(self._first_odd_quote(text, delimiter), self._first_odd_return(text))
        #: Say whether the text is plain, and its end the end of a record.
        self.is_whole = self._limit == len(text) and len(self._quotes) % 2 == 0

    def last_end(self, raw: bytes, begin: int, end: int) -> int:
        """Return where the last whole plain record of a stretch ends; 0 if there is none."""
        limit = min(end, self._limit)
        while (place := raw.rfind(b"\n", begin, limit)) >= 0:
            n_quotes = int(np.searchsorted(self._quotes, place))
            if n_quotes % 2 == 0:
                return place + 1
            limit = int(self._quotes[n_quotes - 1])
        return 0

    def _first_odd_quote(self, text: Bytes, delimiter: bytes) -> int:
        is_edge = np.zeros(256, dtype=bool)
        is_edge[[*delimiter, _LINE_FEED, _RETURN, _QUOTE]] = True
        opens, closes = self._quotes[0::2], self._quotes[1::2]
        # Where a return stands alone, the other check finds it; at the text's own edges nothing is odd.
        is_open_odd = ~is_edge[text[np.maximum(opens - 1, 0)]] & (opens > 0)
        is_close_odd = ~is_edge[text[np.minimum(closes + 1, len(text) - 1)]]
        return min(_first(opens[is_open_odd], len(text)), _first(closes[is_close_odd], len(text)))

    def _first_odd_return(self, text: Bytes) -> int:
        if not self._has_returns:
            return len(text)
        returns = np.flatnonzero(text[:-1] == _RETURN)
        lone = returns[text[returns + 1] != _LINE_FEED]
        return _first(lone[np.searchsorted(self._quotes, lone) % 2 == 0], len(text))


def _first(places: npt.NDArray[np.int64], default: int) -> int:
    return int(places[0]) if len(places) else default
