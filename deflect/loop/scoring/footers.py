"""Joins the row groups of many Parquet files into one file without unpacking them: only the footer knows offsets.

A footer is a FileMetaData struct in Thrift's compact protocol (parquet.thrift in the Parquet format's repository).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

MAGIC = b"PAR1"
_MAX_I16 = 0x7FFF
#: Behind the footer stand its length, in four bytes, and the magic.
_TAIL_BYTES = 8

# Thrift's compact types.
_TRUE, _FALSE, _BYTE, _I16, _I32, _I64, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12

# The fields of parquet.thrift that this module reads or changes.
_FILE_N_ROWS, _FILE_GROUPS = 3, 4
_GROUP_COLUMNS, _GROUP_OFFSET, _GROUP_ORDINAL = 1, 5, 7
_COLUMN_META = 3
#: Where offsets into the file stand: in a ColumnChunk (file, offset index, column index) ...
_COLUMN_OFFSETS = (2, 4, 6)
#: ... and in its ColumnMetaData (data pages, index pages, dictionary page, bloom filter).
_META_OFFSETS = (9, 10, 11, 14)

Value: TypeAlias = "int | bytes | Struct | Elements"


@dataclass
class Field:
    """A field of a struct: its Thrift type, and its value; a boolean's value is in its type."""

    kind: int
    value: Value


@dataclass
class Elements:
    """A list: the Thrift type of its elements, and these."""

    kind: int
    values: list[Value]


class Struct(dict[int, Field]):
    """The fields of a struct by their number, in order."""


class Reader:
    """Reads values of the compact protocol, one behind the other."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self._place = 0
        self._readers: dict[int, Callable[[], Value]] = {
            _TRUE: lambda: 0,
            _FALSE: lambda: 0,
            _BYTE: self._byte,
            _I16: lambda: _unzigzag(self._varint()),
            _I32: lambda: _unzigzag(self._varint()),
            _I64: lambda: _unzigzag(self._varint()),
            _DOUBLE: lambda: self._bytes(8),
            _BINARY: lambda: self._bytes(self._varint()),
            _LIST: self._elements,
            _SET: self._elements,
            _STRUCT: self.struct,
        }

    def struct(self) -> Struct:
        """Read a struct up to its stop."""
        fields, number = Struct(), 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else _unzigzag(self._varint())
            fields[number] = Field(head & 15, self._readers[head & 15]())
        return fields

    def _elements(self) -> Elements:
        head = self._byte()
        kind, n_elements = head & 15, head >> 4
        n_elements = self._varint() if n_elements == 15 else n_elements
        # A boolean in a list is a byte of its own.
        read = _BYTE if kind in {_TRUE, _FALSE} else kind
        return Elements(kind, [self._readers[read]() for _ in range(n_elements)])

    def _byte(self) -> int:
        self._place += 1
        return self._raw[self._place - 1]

    def _bytes(self, n_bytes: int) -> bytes:
        self._place += n_bytes
        return self._raw[self._place - n_bytes : self._place]

    def _varint(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 0x80:
            value |= (byte & 0x7F) << shift
            shift += 7
        return value | byte << shift


def packed(fields: Struct) -> bytes:
    """Return a struct in the compact protocol."""
    return _packed_fields(fields) + b"\0"


def _packed_fields(fields: Struct, last: int = 0) -> bytes:
    out = bytearray()
    for number, field in sorted(fields.items()):
        step = number - last
        out += bytes([step << 4 | field.kind]) if 0 < step < 16 else bytes([field.kind]) + _varint(_zigzag(number))
        out += _packed_value(field.kind, field.value)
        last = number
    return bytes(out)


def _packed_value(kind: int, value: Value) -> bytes:
    if isinstance(value, Struct):
        return packed(value)
    if isinstance(value, Elements):
        read = _BYTE if value.kind in {_TRUE, _FALSE} else value.kind
        return _list_head(value.kind, len(value.values)) + b"".join(_packed_value(read, one) for one in value.values)
    if isinstance(value, bytes):
        return value if kind == _DOUBLE else _varint(len(value)) + value
    if kind in {_TRUE, _FALSE}:
        return b""
    return bytes([value]) if kind == _BYTE else _varint(_zigzag(value))


def _list_head(kind: int, n_elements: int) -> bytes:
    return bytes([n_elements << 4 | kind]) if n_elements < 15 else bytes([0xF0 | kind]) + _varint(n_elements)


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _zigzag(value: int) -> int:
    return value << 1 if value >= 0 else (-value << 1) - 1


def _unzigzag(value: int) -> int:
    return value >> 1 if not value & 1 else -((value + 1) >> 1)


def split_parquet(raw: bytes) -> tuple[bytes, bytes]:
    """Cut a Parquet file into its row groups, without the magic before them, and its footer."""
    n_bytes = int.from_bytes(raw[-_TAIL_BYTES : -len(MAGIC)], "little")
    end = len(raw) - _TAIL_BYTES - n_bytes
    return raw[len(MAGIC) : end], raw[end:-_TAIL_BYTES]


def moved_groups(footer: bytes, offset: int, n_groups: int) -> list[bytes]:
    """Return the descriptions of a file's row groups for their new place: behind ``offset`` bytes and ``n_groups``."""
    groups = Reader(footer).struct()[_FILE_GROUPS].value
    moved = []
    for number, group in enumerate(_structs(groups), n_groups):
        _move(group, (_GROUP_OFFSET,), offset)
        for column in _structs(group[_GROUP_COLUMNS].value):
            _move(column, _COLUMN_OFFSETS, offset)
            meta = column[_COLUMN_META].value
            if isinstance(meta, Struct):
                _move(meta, _META_OFFSETS, offset)
        group.pop(_GROUP_ORDINAL, None)
        if number <= _MAX_I16:
            group[_GROUP_ORDINAL] = Field(_I16, number)
        moved.append(packed(group))
    return moved


def _structs(values: Value) -> list[Struct]:
    found = values.values if isinstance(values, Elements) else []
    return [value for value in found if isinstance(value, Struct)]


def _move(fields: Struct, numbers: Sequence[int], offset: int) -> None:
    for number in numbers:
        field = fields.get(number)
        # Some writers put 0 where nothing is said.
        if field is not None and isinstance(field.value, int) and field.value > 0:
            field.value += offset


def joined_footer(footer: bytes, groups: bytes, n_groups: int, n_rows: int) -> bytes:
    """Return the end of a file of these packed row groups, in all else as the file of the given footer."""
    fields = Reader(footer).struct()
    fields[_FILE_N_ROWS] = Field(_I64, n_rows)
    before = Struct((number, field) for number, field in fields.items() if number < _FILE_GROUPS)
    behind = Struct((number, field) for number, field in fields.items() if number > _FILE_GROUPS)
    head = bytes([1 << 4 | _LIST]) + _list_head(_STRUCT, n_groups)
    whole = _packed_fields(before) + head + groups + _packed_fields(behind, _FILE_GROUPS) + b"\0"
    return whole + len(whole).to_bytes(4, "little") + MAGIC
