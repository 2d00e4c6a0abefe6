"""Logs from files, gzip, standard input and pipes that are still growing."""

from __future__ import annotations

import gzip
import io
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deflect.diagnose.timeouts.blocks import BLOCK_BYTES, MAX_LINE_BYTES, read_blocks
from deflect.errors import DiagnosisError

LINES = b"".join(b"line %d\n" % i for i in range(300_000))


def read(log: object) -> tuple[bytes, list[str]]:
    """Return all of a log, and what could not be read."""
    faults: list[str] = []
    blocks = list(read_blocks(log, faults))  # type: ignore[arg-type]
    assert all(block.endswith(b"\n") for block in blocks if block)
    assert all(len(block) <= BLOCK_BYTES + MAX_LINE_BYTES for block in blocks)
    return b"".join(blocks), faults


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda raw: gzip.compress(raw[:1000]) + gzip.compress(raw[1000:])]
)
def test_whole_logs(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    """A file is read in full: plain, in gzip, and in gzip of several parts, whatever its name."""
    path = tmp_path / "app.log"
    path.write_bytes(pack(LINES))
    assert read(path) == (LINES, [])


def test_truncated_gzip(tmp_path: Path) -> None:
    """What stands before the damage of a gzip file is read, and the damage is told."""
    path = tmp_path / "app.log.gz"
    packed = gzip.compress(LINES)
    path.write_bytes(packed[: len(packed) // 2])
    text, faults = read(path)
    assert LINES.startswith(text[:-1])
    assert len(text) > len(LINES) // 4
    assert faults == [f"the end of {path}: the gzip file is cut off"]


def test_damaged_gzip(tmp_path: Path) -> None:
    """A gzip file with other bytes in its middle is read up to there."""
    path = tmp_path / "app.log.gz"
    packed = gzip.compress(LINES)
    path.write_bytes(packed[: len(packed) // 2] + bytes(2000) + packed[len(packed) // 2 + 2000 :])
    assert any(fault.startswith(f"the end of {path}: ") for fault in read(path)[1])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_byte_order_marks(encoding: str) -> None:
    """Some shells redirect in UTF-16; some editors put a mark first."""
    text = "".join(f"z\u00e9 {i}\n" for i in range(200_000))
    assert read(io.BytesIO(text.encode(encoding))) == (text.encode(), [])


def test_colours_are_taken_away() -> None:
    """The colours that a terminal shows are not part of a line."""
    assert read(io.BytesIO(b"\x1b[33m2026\x1b[0m a\n")) == (b"2026 a\n", [])


@pytest.mark.parametrize("raw", [b"", b"\n", b"a", b"\x1f", b"\x1f\x8b", b"a\r\nb\0c\n\n"])
def test_small_logs(raw: bytes) -> None:
    """Empty and tiny logs are read as they are; the last line gets an end."""
    expected = raw if not raw or raw.endswith(b"\n") or raw == b"\x1f\x8b" else raw + b"\n"
    assert read(io.BytesIO(raw))[0] == (b"" if raw == b"\x1f\x8b" else expected)


def test_long_line() -> None:
    """A line of 10 MB is cut, told of, and the next line is whole."""
    text, [fault] = read(io.BytesIO(b"a\n" + b"x" * 10_000_000 + b"\nb\n"))
    assert text == b"a\n" + b"x" * MAX_LINE_BYTES + b"\nb\n"
    assert fault.startswith("1 lines of log: longer than 65,536 bytes")


def test_pipe_gives_what_it_has() -> None:
    """What has come through a pipe is read before its end."""
    reading, writing = os.pipe()
    with open(reading, "rb") as pipe, open(writing, "wb", buffering=0) as end:  # noqa: PTH123 - they are numbers.
        blocks = read_blocks(pipe, [])
        end.write(b"one\ntw")
        assert next(blocks) == b"one\n"
        end.write(b"o\n")
        assert next(blocks) == b"two\n"


def test_following_a_file(tmp_path: Path) -> None:
    """A followed file gives the lines that are added, and empty blocks in between."""
    path = tmp_path / "app.log"
    path.write_bytes(b"one\n")

    def add() -> None:
        time.sleep(0.2)
        with path.open("ab") as file:
            file.write(b"two\n")

    blocks = read_blocks(path, [], follow=True)
    assert next(blocks) == b"one\n"
    writer = threading.Thread(target=add)
    writer.start()
    assert next(block for block in blocks if block) == b"two\n"
    writer.join()


@pytest.mark.parametrize("name", ["missing.log", "nul\0.log", "."])
def test_what_cannot_be_opened(tmp_path: Path, name: str) -> None:
    """A path that leads to no file is an error that names it."""
    with pytest.raises(DiagnosisError, match="A log must be a file that can be read"):
        read(tmp_path / name)
