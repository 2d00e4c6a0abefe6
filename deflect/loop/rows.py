"""Opens a ticket file of any kind and gives its rows; a bad one is reported by its line, and the rest goes on."""

from __future__ import annotations

import codecs
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from deflect.errors import ParameterError, TicketFileError
from deflect.loop.packing import PACKINGS, unpacked
from deflect.loop.records import (
    Fields,
    Lines,
    ParquetRecords,
    Row,
    RowFault,
    csv_fields,
    csv_rows,
    json_array,
    json_lines,
)

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}
DELIMITERS = {"csv": ",", "tsv": "\t"}
#: First bytes of files that are often taken for text.
_MAGIC = {
    b"\xff\xfe": "UTF-16",
    b"\xfe\xff": "UTF-16",
    b"\x1f\x8b": "gzip",
    b"PK\x03\x04": "a zip or Excel file",
    b"PAR1": "Parquet",
}
_NAME_LENGTH = 30
_N_NAMES = 30


@dataclass(frozen=True, eq=False)
class TicketRows:
    """The rows of an open file. ``columns`` is None for JSON, where each row names its own; ``schema`` is Parquet's."""

    columns: tuple[str, ...] | None
    schema: pa.Schema | None
    items: Iterator[Row | RowFault]
    bytes_done: Callable[[], int]
    bytes_total: int


def packing(path: Path) -> str:
    """Return how a file is packed by its name: ".gz", ".zst" or nothing."""
    suffix = path.suffix.lower()
    return suffix if suffix in PACKINGS else ""


def file_format(path: Path, given: str | None = None) -> str:
    """Return "csv", "tsv", "jsonl" or "parquet", as given or else by the name."""
    accepted = tuple(dict.fromkeys(_SUFFIXES.values()))
    suffix = path.with_suffix("").suffix if packing(path) else path.suffix
    found = _SUFFIXES.get(suffix.lower(), "") if given is None else given
    if found not in accepted:
        what = f"the name {path.name!r}" if given is None else repr(given)
        names = ", ".join(_SUFFIXES)
        msg = f"The format must be one of {', '.join(accepted)}. Got {what} instead. Name files {names} or pass format."
        raise ParameterError(msg)
    if found == "parquet" and packing(path):
        msg = f"A Parquet file must not be packed: it is compressed within. Got {path.name!r}. Drop {packing(path)}."
        raise ParameterError(msg)
    return found


@contextmanager
def open_rows(path: str | os.PathLike[str], given_format: str | None = None) -> Iterator[TicketRows]:
    """Open a ticket file, and close it when done.

    Raises
    ------
    TicketFileError
        The file is missing, empty, of another format, or has no header that can be read.
    ParameterError
        The format is unknown.

    """
    place = Path(path)
    kind = file_format(place, given_format)
    with open_bytes(place) as raw:
        size = os.fstat(raw.fileno()).st_size
        yield _parquet_rows(place, raw, size) if kind == "parquet" else _text_rows(place, kind, raw, size)


def open_bytes(place: Path) -> BufferedReader:
    """Open a file to read its bytes."""
    try:
        return place.open("rb")
    except OSError as error:
        msg = f"{place} must be a file that can be read. Got: {error.strerror}. Check the path."
        raise TicketFileError(msg) from error


def _text_rows(place: Path, kind: str, raw: BufferedReader, size: int) -> TicketRows:
    file = open_text(place, raw)
    if kind == "jsonl":
        return TicketRows(None, None, json_array(file) if is_array(file) else json_lines(Lines(file)), raw.tell, size)
    records = csv_fields(Lines(file), DELIMITERS[kind])
    columns = header(place, records)
    return TicketRows(columns, None, csv_rows(columns, records), raw.tell, size)


def _parquet_rows(place: Path, raw: BufferedReader, size: int) -> TicketRows:
    file = open_parquet(place, raw)
    records = ParquetRecords(file)
    n_rows = max(file.metadata.num_rows, 1)
    columns = tuple(file.schema_arrow.names)
    return TicketRows(columns, file.schema_arrow, records.rows(), lambda: size * records.number // n_rows, size)


def is_array(file: BufferedReader) -> bool:
    """Say whether a JSON file holds one array, and not one object a line."""
    return file.peek(1).lstrip().startswith(b"[")


def header(place: Path, records: Iterator[Fields | RowFault]) -> tuple[str, ...]:
    """Return the names of the columns, which are the first of a CSV file's records."""
    first = next(records, None)
    if first is None or isinstance(first, RowFault) or any("\0" in name for name in first.cells):
        why = f"Line {first.line} {first.reason}" if isinstance(first, RowFault) else "Got something else"
        msg = f"{place} must begin with a line of column names, in UTF-8. {why}. Save it again as CSV in UTF-8."
        raise TicketFileError(msg)
    return _distinct(place, first.cells)


def open_text(place: Path, raw: BufferedReader) -> BufferedReader:
    """Return the text's bytes, unpacked, from behind the byte order mark; refuse what is no text."""
    packed = packing(place)
    if packed and raw.peek(1)[: len(PACKINGS[packed])] not in (PACKINGS[packed], b""):
        msg = f"{place} must be packed as its name says. Got something else. Drop {packed} from its name."
        raise TicketFileError(msg)
    file = unpacked(raw, packed) if packed else raw
    try:
        head = file.peek(1)
    except EOFError as error:
        msg = f"{place} must be whole. Got packed data that is damaged or cut short from the start. Make it again."
        raise TicketFileError(msg) from error
    found = next((what for magic, what in _MAGIC.items() if head.startswith(magic)), None)
    if b"\0" in head[:2]:
        found = found or "UTF-16 or a binary file"
    if found or not head:
        msg = f"{place} must be text in UTF-8. Got {found or 'an empty file'}. Save it again, or correct its name."
        raise TicketFileError(msg)
    if head.startswith(codecs.BOM_UTF8):
        file.read(len(codecs.BOM_UTF8))
    return file


def open_parquet(place: Path, raw: BufferedReader) -> pq.ParquetFile:
    """Open a Parquet file."""
    try:
        file = pq.ParquetFile(raw)
    except (OSError, pa.ArrowException) as error:
        msg = f"{place} must be a Parquet file. Got something else, or one that is damaged. Make it again."
        raise TicketFileError(msg) from error
    _distinct(place, file.schema_arrow.names)
    return file


def _distinct(place: Path, names: list[str]) -> tuple[str, ...]:
    again = [name for name, count in Counter(names).items() if count > 1]
    if again:
        msg = f"{place} must have columns of different names. Got twice: {listed(again)}. Rename one of each."
        raise TicketFileError(msg)
    return tuple(names)


def listed(names: Sequence[str]) -> str:
    """Return names in quotes. Long ones are cut: the header of a file without a header is a ticket."""
    shown = [repr(name if len(name) <= _NAME_LENGTH else name[:_NAME_LENGTH] + "...") for name in names[:_N_NAMES]]
    return ", ".join(shown + ["..."] * (len(names) > _N_NAMES)) or "none"
