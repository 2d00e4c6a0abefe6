"""Reads a block of records into a table: whole with Arrow where it is plain, row by row around what is not."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pa_csv

from deflect.line.text_column import TICKET_END, TextColumn
from deflect.loop.records import Lines, Row, RowFault, batch_rows, csv_fields, csv_rows, json_lines
from deflect.loop.rows import DELIMITERS
from deflect.loop.scoring.answers import ANSWER
from deflect.loop.scoring.blocks import Block, Marks
from deflect.loop.scoring.lines import Texts, laid_out, opened_objects
from deflect.loop.scoring.objects import PlainObjects, plain_objects
from deflect.loop.tickets import TEXT, as_text, cell_text, ticket_text

#: A block with a fault is halved until it is so short; then its rows are read one by one.
_EXACT_BYTES = 1 << 14


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a block is wanted: the columns of text, and those to keep.

    Where ``kept`` is None, JSON objects stay objects, and keep the keys named in ``keys``; None keeps all.
    """

    text: tuple[str, ...]
    kept: pa.Schema | None
    keys: tuple[str, ...] | None = None

    @property
    def schema(self) -> pa.Schema:
        """Return the schema of the columns to keep, none for JSON objects."""
        return pa.schema([]) if self.kept is None else self.kept


@dataclass(frozen=True, eq=False)
class Tickets:
    """The tickets of a block: their texts, what is kept of them, and the faults between.

    Kept are rows of a table, or of JSON that stays JSON what ``lines.opened_objects`` returns.
    """

    texts: Texts
    kept: pa.Table | Texts
    faults: tuple[RowFault, ...] = ()


def read_block(block: Block, wanted: Wanted) -> Tickets:
    """Read the tickets of a block."""
    pieces = [*_pieces(block, wanted)]
    if len(pieces) == 1:
        return pieces[0]
    return Tickets(
        joined([piece.texts for piece in pieces]),
        joined([piece.kept for piece in pieces]),
        tuple(fault for piece in pieces for fault in piece.faults),
    )


def joined(parts: Sequence[pa.Table | Texts]) -> pa.Table | Texts:
    """Return parts of a table or of a column one behind the other."""
    if isinstance(parts[0], pa.Table):
        return pa.concat_tables(parts)
    return pa.chunked_array([chunk for part in parts for chunk in part.chunks], parts[0].type)


def text_column(texts: Texts) -> TextColumn:
    """Return texts as the scorer reads them, without an object of Python for each."""
    nothing, end = pa.scalar("", pa.large_string()), pa.scalar(TICKET_END.decode(), pa.large_string())
    return TextColumn(*laid_out(pc.binary_join_element_wise(texts, nothing, end)))


def table_texts(table: pa.Table, names: Sequence[str]) -> Texts:
    """Return the texts of a table's tickets, as ``ticket_text`` returns each."""
    there = [name for name in names if name in table.column_names] or [TEXT]
    parts = [_strings(table[name]) for name in there]
    line_feed = pa.scalar("\n", pa.large_string())
    return pc.binary_join_element_wise(*parts, line_feed, null_handling="replace", null_replacement="")


def _pieces(block: Block, wanted: Wanted) -> Iterator[Tickets]:
    """Yield a block's tickets, of a faulty block in pieces: what is plain in one, what is not row by row."""
    if (objects := _plain_objects(block, wanted)) is not None:
        yield Tickets(table_texts(objects.texts, wanted.text), objects.opened)
        return
    if (table := _plain_table(block, wanted)) is not None:
        yield Tickets(table_texts(table, wanted.text), table.select(wanted.schema.names).cast(wanted.schema))
        return
    halves = _halves(block)
    if halves:
        for half in halves:
            yield from _pieces(half, wanted)
    else:
        yield _of_rows(_rows(block), wanted)


def _halves(block: Block) -> tuple[Block, ...]:
    """Return a block of CSV in two, cut where a record ends near its middle; nothing where that is not worth it."""
    raw = block.content
    if block.columns is None or not isinstance(raw, bytes) or len(raw) < _EXACT_BYTES:
        return ()
    cut = Marks(raw, DELIMITERS[block.kind].encode()).last_end(raw, 0, len(raw) // 2)
    rest = replace(block, content=raw[cut:], line=block.line + raw.count(b"\n", 0, cut))
    return (replace(block, content=raw[:cut]), rest) if cut else ()


def _plain_objects(block: Block, wanted: Wanted) -> PlainObjects | None:
    """Return the objects of a block of JSON lines where each stays as it is; None where one does not."""
    stays = block.columns is None and wanted.kept is None and wanted.keys is None
    return plain_objects(block.content, wanted.text) if stays and isinstance(block.content, bytes) else None


def _plain_table(block: Block, wanted: Wanted) -> pa.Table | None:
    """Return the table of a block in which every row is good; None where one is not, or the block is JSON."""
    try:
        if isinstance(block.content, pa.RecordBatch):
            block.content.validate(full=True)  # Arrow itself lets through what is not UTF-8.
            return pa.Table.from_batches([block.content])
        if isinstance(block.content, bytes) and block.columns is not None:
            return _csv_table(block.content, DELIMITERS[block.kind], block.columns, wanted)
    except pa.ArrowInvalid:
        return None
    return None


def _csv_table(content: bytes, delimiter: str, columns: Sequence[str], wanted: Wanted) -> pa.Table | None:
    if content.startswith(codecs.BOM_UTF8):  # Arrow would take it for the mark of a file.
        return None
    named = {*wanted.schema.names, *wanted.text, TEXT}
    return pa_csv.read_csv(
        pa.py_buffer(content),
        read_options=pa_csv.ReadOptions(column_names=columns, block_size=len(content) + 1, use_threads=False),
        parse_options=pa_csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
        convert_options=pa_csv.ConvertOptions(
            column_types=dict.fromkeys(columns, pa.string()),
            include_columns=[name for name in columns if name in named],
            strings_can_be_null=False,
        ),
    )


def _rows(block: Block) -> Iterable[Row | RowFault]:
    if isinstance(block.content, tuple):
        return block.content
    if isinstance(block.content, pa.RecordBatch):
        return batch_rows(block.content, block.line + 1)
    lines = Lines(io.BytesIO(block.content), block.line)
    if block.columns is None:
        return json_lines(lines)
    return csv_rows(block.columns, csv_fields(lines, DELIMITERS[block.kind]))


def _of_rows(items: Iterable[Row | RowFault], wanted: Wanted) -> Tickets:
    cells: list[dict[str, object]] = []
    faults = []
    for item in items:
        if isinstance(item, RowFault):
            faults.append(item)
        else:
            cells.append(item.cells)
    texts = pa.chunked_array([[ticket_text(row, wanted.text) for row in cells]], pa.large_string())
    if wanted.kept is not None:
        return Tickets(texts, _table(cells, wanted.kept), tuple(faults))
    if wanted.keys is not None:
        cells = [{name: row[name] for name in wanted.keys if name in row} for row in cells]
    answerless = ({name: value for name, value in row.items() if name not in ANSWER.names} for row in cells)
    return Tickets(texts, opened_objects(answerless), tuple(faults))


def _table(rows: Sequence[dict[str, object]], schema: pa.Schema) -> pa.Table:
    columns = []
    for field in schema:
        values = [row.get(field.name) for row in rows]
        if pa.types.is_string(field.type):
            values = [None if value is None else cell_text(value) for value in values]
        columns.append(pa.array(values, field.type))
    return pa.Table.from_arrays(columns, schema=schema)


def _strings(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column.cast(pa.large_string())  # Large, because two columns together may be longer than each may be.
    return pa.chunked_array([[as_text(value) for value in column.to_pylist()]], pa.large_string())
