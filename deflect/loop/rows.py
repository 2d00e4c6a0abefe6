"""Opens a ticket file of any kind and gives its rows; a bad one is reported by its line, and the rest goes on."""

from __future__ import annotations

import codecs
import gzip
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
from deflect.loop.records import (
    GZIP_ERRORS,
    Lines,
    ParquetRecords,
    Row,
    RowFault,
    TextFile,
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


def is_gzip(path: Path) -> bool:
    """Say whether a file is in gzip by its name."""
    return path.suffix.lower() == ".gz"


def file_format(path: Path, given: str | None = None) -> str:
    """Return "csv", "tsv", "jsonl" or "parquet", as given or else by the name."""
    accepted = tuple(dict.fromkeys(_SUFFIXES.values()))
    suffix = path.with_suffix("").suffix if is_gzip(path) else path.suffix
    found = _SUFFIXES.get(suffix.lower(), "") if given is None else given
    if found not in accepted:
        what = f"the name {path.name!r}" if given is None else repr(given)
        names = ", ".join(_SUFFIXES)
        msg = f"The format must be one of {', '.join(accepted)}. Got {what} instead. Name files {names} or pass format."
        raise ParameterError(msg)
    if found == "parquet" and is_gzip(path):
        msg = f"A Parquet file must not be in gzip: it is compressed within. Got {path.name!r}. Unpack it."
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
    try:
        raw = place.open("rb")
    except OSError as error:
        msg = f"{place} must be a file that can be read. Got: {error.strerror}. Check the path."
        raise TicketFileError(msg) from error
    with raw:
        size = os.fstat(raw.fileno()).st_size
        yield _open_parquet(place, raw, size) if kind == "parquet" else _open_text(place, kind, raw, size)


def _open_text(place: Path, kind: str, raw: BufferedReader, size: int) -> TicketRows:
    file = _unpacked(place, raw)
    if kind == "jsonl":
        is_array = file.peek(1).lstrip().startswith(b"[")
        return TicketRows(None, None, json_array(file) if is_array else json_lines(Lines(file)), raw.tell, size)
    records = csv_fields(Lines(file), DELIMITERS[kind])
    header = next(records, None)
    if header is None or isinstance(header, RowFault) or any("\0" in name for name in header.cells):
        why = f"Line {header.line} {header.reason}" if isinstance(header, RowFault) else "Got something else"
        msg = f"{place} must begin with a line of column names, in UTF-8. {why}. Save it again as CSV in UTF-8."
        raise TicketFileError(msg)
    columns = _distinct(place, header.cells)
    return TicketRows(columns, None, csv_rows(columns, records), raw.tell, size)


def _unpacked(place: Path, raw: BufferedReader) -> TextFile:
    """Return the text's bytes, unpacked, from behind the byte order mark; refuse what is no text."""
    if is_gzip(place) and raw.peek(1)[:2] not in (b"\x1f\x8b", b""):
        msg = f"{place} must be in gzip, as its name says. Got something else. Drop .gz from its name."
        raise TicketFileError(msg)
    file = gzip.GzipFile(fileobj=raw) if is_gzip(place) else raw
    try:
        head = file.peek(1)
    except GZIP_ERRORS as error:
        msg = f"{place} must be whole. Got gzip data that is damaged or cut short from the start. Make it again."
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


def _open_parquet(place: Path, raw: BufferedReader, size: int) -> TicketRows:
    try:
        file = pq.ParquetFile(raw)
    except (OSError, pa.ArrowException) as error:
        msg = f"{place} must be a Parquet file. Got something else, or one that is damaged. Make it again."
        raise TicketFileError(msg) from error
    columns = _distinct(place, file.schema_arrow.names)
    records = ParquetRecords(file)
    n_rows = max(file.metadata.num_rows, 1)
    return TicketRows(columns, file.schema_arrow, records.rows(), lambda: size * records.number // n_rows, size)


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
