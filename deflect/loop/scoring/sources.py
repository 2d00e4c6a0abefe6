"""Finds the ticket files behind a path, a folder or a pattern, and tells whether they are still the same."""

from __future__ import annotations

import glob
import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from deflect.errors import ParameterError, TicketFileError
from deflect.loop.rows import file_format, listed
from deflect.loop.scoring.blocks import TicketFile, columns_of

if TYPE_CHECKING:
    import pyarrow as pa

#: A file's fingerprint is made of so many bytes at its begin and at its end.
_FINGERPRINT_BYTES = 1 << 16


def ticket_files(source: str | os.PathLike[str], given_format: str | None = None) -> list[TicketFile]:
    """Return the files of a source in the order of their names.

    In a folder and the folders in it, files whose names begin with a dot or an underscore are passed over, and so are
    those that are no ticket files by their names, unless the format is given.

    Raises
    ------
    TicketFileError
        There is none.
    ParameterError
        The format is unknown.

    """
    path = Path(source)
    if path.is_dir():
        found = [one for one in sorted(path.rglob("*")) if one.is_file() and not _is_hidden(one.relative_to(path))]
        paths = [one for one in found if given_format is not None or _has_format(one)]
    elif not path.exists() and glob.has_magic(str(source)):
        paths = [Path(name) for name in sorted(glob.glob(str(source), recursive=True)) if Path(name).is_file()]  # noqa: PTH207  # Path.glob takes no absolute pattern.
    else:
        paths = [path]
    if not paths:
        msg = f"{source} must have at least one ticket file. Got none. Check the path, or pass format."
        raise TicketFileError(msg)
    return [TicketFile(one, file_format(one, given_format)) for one in paths]


def fingerprints(files: list[TicketFile]) -> list[list[object]]:
    """Return what tells whether files are the same as before: path, size, time of change, and a hash of their ends."""
    return [_fingerprint(file.path) for file in files]


def common_columns(files: list[TicketFile]) -> tuple[tuple[str, ...] | None, pa.Schema | None]:
    """Return the columns that all files have, None for JSON, and the schema of Parquet.

    Raises
    ------
    TicketFileError
        Files differ in their columns or, Parquet, in their types, or only some are JSON or Parquet.

    """
    columns, schema = columns_of(files[0])
    for file in files[1:]:
        others, other_schema = columns_of(file)
        is_same = (columns is None) == (others is None) and set(columns or ()) == set(others or ())
        if not is_same or (schema is None) != (other_schema is None):
            wanted = f"{file.path} must have the columns of {files[0].path}, {listed(columns or ())}"
            msg = f"{wanted}. Got {listed(others or ())}. Score it on its own."
            raise TicketFileError(msg)
        if schema is not None and not _same_types(schema, other_schema):
            msg = f"{file.path} must have the types of {files[0].path}. Got others. Score it on its own."
            raise TicketFileError(msg)
    return columns, schema


def check_apart(files: list[TicketFile], source: Path, targets: tuple[Path, ...]) -> None:
    """Check that no target is a source, nor lies in a folder of sources.

    Raises
    ------
    ParameterError
        One is.

    """
    for target in targets:
        is_source = target.exists() and any(target.samefile(file.path) for file in files if file.path.exists())
        if is_source or (source.is_dir() and target.resolve().is_relative_to(source.resolve())):
            msg = f"The target must be another file than the source. Got {target} for {source}. Name another target."
            raise ParameterError(msg)


def _is_hidden(path: Path) -> bool:
    return any(part.startswith((".", "_")) for part in path.parts)


def _has_format(path: Path) -> bool:
    try:
        file_format(path)
    except ParameterError:
        return False
    return True


def _same_types(schema: pa.Schema, other: pa.Schema | None) -> bool:
    return other is not None and all(other.field(field.name).type == field.type for field in schema)


def _fingerprint(path: Path) -> list[object]:
    with path.open("rb") as file:
        status = os.fstat(file.fileno())
        digest = hashlib.sha256(file.read(_FINGERPRINT_BYTES))
        file.seek(max(status.st_size - _FINGERPRINT_BYTES, 0))
        digest.update(file.read(_FINGERPRINT_BYTES))
    return [str(path.resolve()), status.st_size, status.st_mtime_ns, digest.hexdigest()]
