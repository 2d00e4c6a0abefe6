"""Reads a log from anywhere as blocks of whole lines: files, gzip, stdin, a pipe that is still growing."""

from __future__ import annotations

import codecs
import os
import re
import sys
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeAlias

from deflect.diagnose.timeouts.names import printable
from deflect.errors import DiagnosisError

#: A log: its path, "-" for stdin, or a binary file that is open for reading.
Log: TypeAlias = str | os.PathLike[str] | BinaryIO
Read: TypeAlias = Callable[[int], bytes]

#: So many bytes are read at once: small enough to stay in a processor's cache.
BLOCK_BYTES = 1 << 20
#: A longer line is cut: the platform itself splits lines at 10,000 bytes.
MAX_LINE_BYTES = 1 << 16
#: How long to wait before looking again whether a file has grown.
_POLL_SECONDS = 0.5

_GZIP = b"\x1f\x8b"
#: What a text in UTF-16 begins with: some shells redirect so.
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_COLOUR = re.compile(rb"\x1b\[[0-9;]*m")


def name_of(log: Log) -> str:
    """Return what messages call a log."""
    if isinstance(log, str | os.PathLike):
        return "stdin" if os.fspath(log) == "-" else printable(os.fspath(log))
    return printable(str(getattr(log, "name", "log")))


def read_blocks(log: Log, faults: list[str], *, follow: bool = False) -> Iterator[bytes]:
    """Yield the lines of a log in blocks that end with a newline; what could not be read is added to ``faults``.

    With ``follow`` an empty block says that nothing new is there yet, and a file never ends.
    """
    name = name_of(log)
    with _opened(log) as file:
        lines = _Lines()
        try:
            for piece in _pieces(file, follow=follow):
                yield from lines.feed(piece)
        except (EOFError, zlib.error, OSError) as error:
            faults.append(f"the end of {name}: {error}")
        yield from lines.close()
        if lines.n_cut:
            faults.append(f"{lines.n_cut} lines of {name}: longer than {MAX_LINE_BYTES:,} bytes, read to there")


@contextmanager
def _opened(log: Log) -> Iterator[BinaryIO]:
    if not isinstance(log, str | os.PathLike):
        yield log
        return
    if os.fspath(log) == "-":
        yield sys.stdin.buffer
        return
    try:
        file = Path(log).open("rb", buffering=0)  # noqa: SIM115 - closed below; only its opening is guarded.
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path.
        reason = getattr(error, "strerror", None) or error
        msg = f"A log must be a file that can be read. Got {os.fspath(log)!r}: {reason}."
        raise DiagnosisError(msg) from error
    with file:
        yield file


def _pieces(file: BinaryIO, *, follow: bool) -> Iterator[bytes]:
    """Yield the text of a file as it comes: unpacked, in UTF-8, without colours."""
    read: Read = getattr(file, "read1", file.read)  # A pipe gives what it has, and does not wait for more.
    head = read(BLOCK_BYTES)
    while 0 < len(head) < len(_GZIP):
        more = read(BLOCK_BYTES)
        if not more:
            break
        head += more
    pieces = _packed(head, read) if head.startswith(_GZIP) else _plain(head, read, follow=follow)
    decode = codecs.getincrementaldecoder("utf-16")("replace").decode if head.startswith(_UTF16) else None
    for piece in pieces:
        text = decode(piece).encode() if decode else piece
        yield _COLOUR.sub(b"", text) if b"\x1b" in text else text


def _plain(head: bytes, read: Read, *, follow: bool) -> Iterator[bytes]:
    yield head.removeprefix(codecs.BOM_UTF8)
    while True:
        piece = read(BLOCK_BYTES)
        if not piece:
            if not follow:
                return
            time.sleep(_POLL_SECONDS)
        yield piece


def _packed(head: bytes, read: Read) -> Iterator[bytes]:
    """Unpack gzip as it comes, member after member; what was read before a damage stays read."""
    unpack, piece = zlib.decompressobj(wbits=31), head
    while piece:
        yield unpack.decompress(piece, BLOCK_BYTES)
        piece = unpack.unconsumed_tail
        if unpack.eof:
            piece = unpack.unused_data.lstrip(b"\0") or read(BLOCK_BYTES)
            unpack = zlib.decompressobj(wbits=31)
        elif not piece:
            piece = read(BLOCK_BYTES)
            if not piece:
                msg = "the gzip file is cut off"
                raise EOFError(msg)


class _Lines:
    """Cuts pieces of text at line ends; keeps the beginning of a line until its end comes, up to a limit."""

    def __init__(self) -> None:
        self.n_cut = 0
        self._begun = b""
        self._is_skipping = False

    def feed(self, piece: bytes) -> Iterator[bytes]:
        """Yield what is whole now; nothing new is an empty block."""
        if self._is_skipping:
            _, found, piece = piece.partition(b"\n")
            if not found:
                return
            self._is_skipping = False
        cut = piece.rfind(b"\n") + 1
        if cut or not piece:
            yield self._begun + piece[:cut] if cut else b""
            self._begun = b"" if cut else self._begun
        self._begun += piece[cut:]
        if len(self._begun) > MAX_LINE_BYTES:
            self.n_cut, self._is_skipping = self.n_cut + 1, True
            yield self._begun[:MAX_LINE_BYTES] + b"\n"
            self._begun = b""

    def close(self) -> Iterator[bytes]:
        """Yield the last line if it has no end."""
        if self._begun:
            yield self._begun + b"\n"
