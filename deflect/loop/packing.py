"""Unpacks gzip and zstd; whatever is damaged or cut short gives what is whole of it, then raises EOFError."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from io import BufferedReader, RawIOBase
from typing import cast

import pyarrow as pa

#: What unpacks gzip: ISA-L in a third of zlib's time, but not for every machine.
zlib = import_module("isal.isal_zlib" if find_spec("isal") else "zlib")

#: How a file can be packed, by the end of its name, with the bytes that it then begins with.
PACKINGS = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
_BUFFER_BYTES = 1 << 20
#: So much packed gzip is given to zlib at a time; of a damaged file, so much before the damage may be lost.
_GZIP_BYTES = 1 << 16
_GZIP_HEADER = 31


def unpacked(raw: BufferedReader, packing: str) -> BufferedReader:
    """Return a packed file as what it holds."""
    stream = _Gzip(raw) if packing == ".gz" else _Zstd(raw)
    return cast("BufferedReader", BufferedReader(stream, _BUFFER_BYTES))


class _Gzip(RawIOBase):
    """Unpacks gzip: members one behind the other, with zeros between them or not."""

    def __init__(self, raw: BufferedReader) -> None:
        self._raw = raw
        self._packed = b""
        self._held = memoryview(b"")
        self._member = zlib.decompressobj(_GZIP_HEADER)
        self._is_inside = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # The type has a name from 3.12 on.
        while not self._held and self._read():
            self._unpack()
        part, self._held = self._held[: len(buffer)], self._held[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def _read(self) -> bool:
        """Read on where nothing packed is left; False at the end of the file."""
        while True:
            if not self._is_inside:
                self._packed = self._packed.lstrip(b"\0")
            if self._packed:
                return True
            self._packed = self._raw.read(_GZIP_BYTES)
            if not self._packed:
                if self._is_inside:
                    raise EOFError
                return False

    def _unpack(self) -> None:
        try:
            # All of it at once: what a limit would leave inside of the library is lost at the end of a file.
            self._held = memoryview(self._member.decompress(self._packed))
        except zlib.error as error:
            raise EOFError from error
        self._is_inside = not self._member.eof
        self._packed = self._member.unused_data
        if not self._is_inside:
            self._member = zlib.decompressobj(_GZIP_HEADER)


class _Zstd(RawIOBase):
    """Unpacks zstd."""

    def __init__(self, raw: BufferedReader) -> None:
        self._stream = pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # The type has a name from 3.12 on.
        try:
            part = self._stream.read(len(buffer))
        except OSError as error:
            raise EOFError from error
        buffer[: len(part)] = part
        return len(part)
