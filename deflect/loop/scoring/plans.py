"""Looks at the source of a scoring run before it begins: its files, the columns to keep, and what is wrong."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import pyarrow as pa

from deflect.errors import ParameterError, TicketFileError
from deflect.loop.records import Row
from deflect.loop.rows import file_format, listed, open_rows
from deflect.loop.scoring.answers import ANSWER
from deflect.loop.scoring.blocks import TicketFile
from deflect.loop.scoring.sources import check_apart, common_columns, ticket_files
from deflect.loop.scoring.tables import Wanted
from deflect.loop.scoring.targets import Target
from deflect.loop.tickets import check_columns, text_columns

#: JSON names its columns row by row; so many rows must hold one of text.
_LOOKED_AT = 2_000


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be read, what of it is wanted, and how it is to be written."""

    source: Path
    files: list[TicketFile]
    wanted: Wanted
    target: Target

    def shown(self, number: int) -> str:
        """Return what a list of faults calls a file."""
        path = self.files[number].path
        return (
            str(path.relative_to(self.source))
            if path.is_relative_to(self.source) and path != self.source
            else path.name
        )


def make_plan(
    source: str | os.PathLike[str],
    target: Path,
    text: str | Sequence[str],
    columns: Sequence[str] | None,
    given_format: str | None,
) -> Plan:
    """Look at a source, and plan what is to be done with it.

    Raises
    ------
    TicketFileError
        A file is missing, empty, of another format or encoding, or lacks a column.
    ParameterError
        The target is a source, or cannot be written, or a format is unknown.

    """
    kind = file_format(target)
    files = ticket_files(source, given_format)
    check_apart(files, Path(source), (target, faults_path(target)))
    if not target.parent.is_dir():
        msg = f"The target must be a file in a directory that exists. Got {target}. Make the directory first."
        raise ParameterError(msg)
    names, schema = common_columns(files)
    if names is None:
        wanted = _wanted_json(files, text_columns(text), columns, stays_json=kind == "jsonl")
    else:
        wanted = _wanted_table(files[0], names, schema, text_columns(text), columns)
    return Plan(Path(source), files, wanted, Target.named(target, wanted.kept))


def faults_path(target: Path) -> Path:
    """Return where the faults of a target's sources are listed."""
    return target.with_name(target.name + ".faults.csv")


def _wanted_table(
    file: TicketFile,
    names: Sequence[str],
    schema: pa.Schema | None,
    text: tuple[str, ...],
    columns: Sequence[str] | None,
) -> Wanted:
    check_columns(file.path, names, text)
    if missing := [name for name in columns or () if name not in names]:
        msg = (
            f"{file.path} must have the columns to keep. It lacks {listed(missing)}. Its columns are: {listed(names)}."
        )
        raise TicketFileError(msg)
    kept = [name for name in columns or names if name not in ANSWER.names]
    if schema is None:
        return Wanted(text, pa.schema([(name, pa.string()) for name in kept]))
    # What pandas notes there is about all the columns.
    metadata = None if columns else schema.metadata
    return Wanted(text, pa.schema([schema.field(name) for name in kept], metadata=metadata))


def _wanted_json(
    files: Sequence[TicketFile], text: tuple[str, ...], columns: Sequence[str] | None, *, stays_json: bool
) -> Wanted:
    is_all_known = stays_json or columns is not None
    found: dict[str, None] = {}
    for file in files[:1] if is_all_known else files:
        with open_rows(file.path, file.kind) as rows:
            items = islice(rows.items, _LOOKED_AT) if is_all_known else rows.items
            found |= {name: None for item in items if isinstance(item, Row) for name in item.cells}
    if found:
        check_columns(files[0].path, [*found], text)
    if stays_json:
        return Wanted(text, None, None if columns is None else tuple(columns))
    kept = [name for name in columns or found if name not in ANSWER.names]
    return Wanted(text, pa.schema([(name, pa.string()) for name in kept]))
