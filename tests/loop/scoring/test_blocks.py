from __future__ import annotations

import gzip
import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deflect.loop import records
from deflect.loop.records import Row, RowFault
from deflect.loop.rows import open_rows
from deflect.loop.scoring import blocks as blocks_module
from deflect.loop.scoring.blocks import Place, Step, TicketFile, blocks
from deflect.loop.scoring.tables import Wanted, read_block
from deflect.loop.tickets import ticket_text

HEADER = b"id,body\n"
#: What CSV is made of, and what breaks it.
PIECES = st.sampled_from(
    [
        b"a",
        b"bc",
        b",",
        b'"',
        b'""',
        b"\n",
        b"\r\n",
        b"\r",
        b"\0",
        b"\xff",
        b"\xef\xbb\xbf",
        "é域".encode(),
        b"1,x\n",
        b'2,"y\nz"\n',
    ]
)
CSV = st.lists(PIECES, max_size=60).map(b"".join)
CELLS = st.text(st.characters(codec="utf-8") | st.sampled_from('",\r\n\0'), max_size=12)


def put(folder: Path, raw: bytes, name: str = "in.csv") -> TicketFile:
    """Write a file, in gzip if its name says so."""
    path = folder / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return TicketFile(path, "jsonl" if "json" in name else "csv")


def slowly(file: TicketFile) -> tuple[list[dict[str, object]], list[RowFault]]:
    """Read a file row by row: what is right."""
    with open_rows(file.path) as rows:
        items = list(rows.items)
    return [item.cells for item in items if isinstance(item, Row)], [
        item for item in items if isinstance(item, RowFault)
    ]


def read(steps: list[Step], columns: tuple[str, ...] | None) -> tuple[list[dict[str, object]], list[RowFault]]:
    """Read blocks to rows and faults."""
    kept = None if columns is None else pa.schema([(name, pa.string()) for name in columns])
    tickets = [read_block(block, Wanted(("body",), kept)) for block, _ in steps]
    kept_rows = [row for one in tickets for row in one.kept.to_pylist()]
    rows = [json.loads(row.removesuffix(", ") + "}") if isinstance(row, str) else row for row in kept_rows]
    assert [text for one in tickets for text in one.texts.to_pylist()] == [ticket_text(row, ("body",)) for row in rows]
    return rows, [fault for one in tickets for fault in one.faults]


@settings(max_examples=400)
@given(content=CSV, n_bytes=st.integers(1, 80), name=st.sampled_from(["in.csv", "in.csv.gz"]))
@example(content=b'1,"a"b\n2,c\n', n_bytes=80, name="in.csv")
@example(content=b'1,a"b\n2,"c"\n', n_bytes=80, name="in.csv")
@example(content=b"1,a\rb\n2,c\n", n_bytes=80, name="in.csv")
@example(content=b'1,"a\n2,b\n3,c\n', n_bytes=4, name="in.csv")
@example(content=b"\xef\xbb\xbf1,a\n", n_bytes=80, name="in.csv")
def test_blocks_hold_what_the_file_holds(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, n_bytes: int, name: str
) -> None:
    """Whatever a CSV file holds and wherever it is cut, its blocks give the rows and faults of reading row by row."""
    file = put(tmp_path_factory.mktemp("blocks"), HEADER + content, name)
    steps = list(blocks([file], Place(n_block_bytes=n_bytes)))
    assert read(steps, ("id", "body")) == slowly(file)


LINES = st.lists(
    st.sampled_from(
        [
            b'{"id":1,"body":"x"}\n',
            b"\n",
            b'{"body":"\xff"}\n',
            b'{"body":"b","k":[1]}\r\n',
            b'{"body":"a"} {"body":"b"}\n',
            b"[1]\n",
            b"{",
            b'{"body":"\\ud800"}\n',
            b'{"body":null}\n',
            b'{"body":1}\n',
            b'{"body":"a","body":"b"}\n',
            b'{"x":{"body":"in"},"body":"y\\u0000"}\n',
            b'{"b\\u006fdy":"z"}\n',
            b'{"text":"no body"}\n',
            b'{"x":Inf,"body":"b"}\n',
            b'{"x":-NaN ,"body":"b"}\n',
            b'{"body":"a"}\0{}\n',
            b'{"body":"a"}\n{"x":[{}\n{}],"body":"b"}\n',
            b"{}\n",
        ]
    ),
    max_size=40,
).map(b"".join)


@given(content=LINES, n_bytes=st.integers(1, 80), name=st.sampled_from(["in.jsonl", "in.jsonl.gz"]))
def test_blocks_of_json_hold_what_the_file_holds(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, n_bytes: int, name: str
) -> None:
    """So it is with JSON lines."""
    file = put(tmp_path_factory.mktemp("blocks"), b'{"body":"first"}\n' + content, name)
    assert read(list(blocks([file], Place(n_block_bytes=n_bytes))), None) == slowly(file)


@settings(max_examples=50)
@given(content=CSV, n_bytes=st.integers(1, 40), share=st.floats(0, 1), careful_rows=st.sampled_from([1, 3, 256]))
def test_any_place_is_a_place_to_go_on_from(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, n_bytes: int, share: float, careful_rows: int
) -> None:
    """From the place behind any block, the blocks that follow are those of a whole run, cut at the same places."""
    file = put(tmp_path_factory.mktemp("blocks"), HEADER + content)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks_module, "_CAREFUL_ROWS", careful_rows)
        patch.setattr(blocks_module, "_CAREFUL_BYTES", 16)
        steps = list(blocks([file], Place(n_block_bytes=n_bytes)))
        at = int(share * (len(steps) - 1)) if steps else 0
        rest = list(blocks([file], steps[at][1])) if steps else []
    assert [place for _, place in rest] == [place for _, place in steps[at + 1 :]]
    assert read(steps[: at + 1] + rest, ("id", "body")) == slowly(file)


def test_plain_csv_is_read_in_few_blocks(tmp_path: Path) -> None:
    """A plain file is bytes from end to end; one odd quote costs a few hundred rows read one by one, not more."""
    line = b'1,"a, ""b""\nc"\r\n'
    plain = list(blocks([put(tmp_path, HEADER + line * 5_000)], Place()))
    odd = list(blocks([put(tmp_path, HEADER + line * 5_000 + b'2,a"b\n' + line * 5_000)], Place()))
    assert [type(block.content) for block, _ in plain] == [bytes]
    one_by_one = [block.content for block, _ in odd if isinstance(block.content, tuple)]
    assert [len(rows) for rows in one_by_one] == [256]


def test_records_longer_than_a_ticket_are_faults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A record beyond the limit is reported by its line wherever blocks end, and the rest goes on."""
    for module in (blocks_module, records):
        monkeypatch.setattr(module, "RECORD_BYTES", 100)
    file = put(tmp_path, HEADER + b"1,a\n2," + b"x" * 120 + b"\n3,b\n")
    rows, faults = read(list(blocks([file], Place(n_block_bytes=16))), ("id", "body"))
    assert [row["id"] for row in rows] == ["1", "3"]
    assert [fault.line for fault in faults] == [3]


def test_parquet_goes_on_from_any_row_group(tmp_path: Path) -> None:
    """Blocks of Parquet are numbered by row, whole across row groups, and can be gone on with."""
    pq.write_table(pa.table({"body": [str(i) for i in range(25)]}), tmp_path / "in.parquet", row_group_size=10)
    file = TicketFile(tmp_path / "in.parquet", "parquet")
    steps = list(blocks([file], Place()))
    assert [(block.line, place.offset) for block, place in steps] == [(0, 10), (10, 20), (20, 25)]
    assert [block.line for block, _ in blocks([file], steps[0][1])] == [10, 20]


def test_several_files_are_one_after_the_other(tmp_path: Path) -> None:
    """Files follow one another, up to the end asked for."""
    files = [put(tmp_path, HEADER + b"%d,a\n" % i, f"{i}.csv") for i in range(3)]
    assert [block.file for block, _ in blocks(files, Place())] == [0, 1, 2]
    assert [block.file for block, _ in blocks(files, Place(1), Place(2))] == [1]
