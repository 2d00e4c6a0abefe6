from __future__ import annotations

import csv
import gzip
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.errors import ParameterError, TicketFileError
from deflect.loop.tickets import RowFault, as_text, read_tickets

HEADER = "ticket_id,subject,body,category\n"
ROWS = "1,H12,requests are slow,timeout\n2,domain,CNAME is wrong,dns\n"
#: Every character that UTF-8 can store.
TEXT = st.text(st.characters(codec="utf-8"), max_size=40)
CELLS = st.text(st.characters(codec="utf-8") | st.sampled_from('",\r\n\0'), max_size=12)


def put(folder: Path, content: str | bytes, name: str = "tickets.csv") -> Path:
    """Write a file, in gzip if its name says so."""
    raw = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def faults(frame: pd.DataFrame) -> list[tuple[int, str]]:
    """Return faults as pairs."""
    return [(fault.line, fault.reason) for fault in frame.attrs["faults"]]


def test_csv_gives_text_category_and_lines(tmp_path: Path) -> None:
    """The frame has every column as text, the joined text, the category, and the line of each record."""
    frame = read_tickets(put(tmp_path, HEADER + ROWS))
    assert frame.columns.tolist() == ["ticket_id", "subject", "body", "category", "text"]
    assert frame.loc[2].tolist() == ["1", "H12", "requests are slow", "timeout", "H12\nrequests are slow"]
    assert frame.index.name == "line"
    assert frame.index.tolist() == [2, 3]
    assert faults(frame) == []


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.tsv", "t.tsv.gz", "t.CSV"])
def test_delimited_files_are_told_by_their_names(tmp_path: Path, name: str) -> None:
    """CSV and TSV, plain and in gzip, give the same tickets."""
    content = (HEADER + ROWS).replace(",", "\t" if "tsv" in name else ",")
    assert read_tickets(put(tmp_path, content, name))["category"].to_dict() == {2: "timeout", 3: "dns"}


@pytest.mark.parametrize("name", ["t.jsonl", "t.ndjson", "t.json", "t.jsonl.gz"])
def test_json_lines_are_told_by_their_names(tmp_path: Path, name: str) -> None:
    """One JSON object a line is read from every name that JSON goes by; empty lines are passed over."""
    lines = '{"body": "slow", "category": "timeout", "n": 3}\n\n{"body": "CNAME", "category": "dns"}\n'
    frame = read_tickets(put(tmp_path, lines, name))
    assert frame["text"].to_dict() == {1: "slow", 3: "CNAME"}
    assert frame["n"].iloc[0] == 3
    assert pd.isna(frame["n"].iloc[1])


@pytest.mark.parametrize("name", ["t.json", "t.json.gz"])
def test_json_array_keeps_lines(tmp_path: Path, name: str) -> None:
    """The objects of an array have the line where each begins."""
    content = (
        '\n[{"body": "slow",\n"category": "timeout"},\n  {"body": "a\\nb", "category": "dns"}, {"category": "x"}\n]'
    )
    frame = read_tickets(put(tmp_path, content, name))
    assert frame["text"].tolist() == ["slow", "a\nb", ""]
    assert frame.index.tolist() == [2, 4, 4]
    assert faults(frame) == [(4, "has no text")]


def test_long_json_array_is_read_through_its_window(tmp_path: Path) -> None:
    """An array of many times the window's size, on one line, loses nothing."""
    tickets = [{"body": f"{i} " + "ü" * (i % 5_000), "category": "dns"} for i in range(300)]
    tickets[7]["body"] = "x" * 400_000
    frame = read_tickets(put(tmp_path, json.dumps(tickets, ensure_ascii=False), "t.json"))
    assert frame["text"].tolist() == [ticket["body"] for ticket in tickets]


def test_broken_json_array_keeps_what_came_before(tmp_path: Path) -> None:
    """Behind a broken object of an array nothing is read, and the fault says so."""
    content = '[{"body": "a", "category": "x"},\n{"body": oops},\n{"body": "b", "category": "x"}]'
    frame = read_tickets(put(tmp_path, content, "t.json"))
    assert frame["text"].tolist() == ["a"]
    assert faults(frame) == [(2, "is not valid JSON inside of an array; the rest of the file is left out")]


def test_parquet_keeps_types_and_counts_rows(tmp_path: Path) -> None:
    """Parquet rows are numbered from 1, and times stay times."""
    at = datetime(2026, 1, 2, tzinfo=UTC)
    table = pa.table({"body": ["slow", None], "category": ["timeout", "dns"], "created_at": [at, at], "n": [1, 2]})
    pq.write_table(table, tmp_path / "t.parquet")
    frame = read_tickets(tmp_path / "t.parquet")
    assert frame["text"].to_dict() == {1: "slow", 2: ""}
    assert frame["created_at"].iloc[0] == pd.Timestamp(at)
    assert frame["n"].tolist() == [1, 2]
    assert faults(frame) == [(2, "has no text")]


def test_parquet_text_that_is_not_utf8_is_a_fault(tmp_path: Path) -> None:
    """A Parquet string with bytes that are no UTF-8 costs its row, not the file."""
    body = pa.array([b"good", b"\xff", b"fine"], pa.binary()).view(pa.string())
    pq.write_table(pa.table({"body": body, "category": ["a", "b", "c"]}), tmp_path / "t.parquet")
    frame = read_tickets(tmp_path / "t.parquet")
    assert frame["text"].to_dict() == {1: "good", 3: "fine"}
    assert faults(frame) == [(2, "is not valid UTF-8")]


def test_format_overrides_the_name(tmp_path: Path) -> None:
    """A given format is used whatever the name."""
    assert len(read_tickets(put(tmp_path, HEADER + ROWS, "tickets.txt"), format="csv")) == 2


def test_unknown_format_lists_what_is_accepted(tmp_path: Path) -> None:
    """A name that tells no format is an error that lists the formats."""
    with pytest.raises(ParameterError, match=r"one of csv, tsv, jsonl, parquet\. Got the name 'tickets\.txt'"):
        read_tickets(put(tmp_path, HEADER + ROWS, "tickets.txt"))
    with pytest.raises(ParameterError, match="Got 'xml' instead"):
        read_tickets(tmp_path / "tickets.csv", format="xml")


def test_text_may_be_one_column(tmp_path: Path) -> None:
    """One name as text takes that column alone."""
    assert read_tickets(put(tmp_path, HEADER + ROWS), text="subject")["text"].tolist() == ["H12", "domain"]


def test_text_takes_the_columns_that_exist(tmp_path: Path) -> None:
    """Of several columns of text one may be missing."""
    frame = read_tickets(put(tmp_path, "body,category\nslow,timeout\n"))
    assert frame["text"].tolist() == ["slow"]


def test_column_text_stands_in(tmp_path: Path) -> None:
    """A file without subject and body is read from its column text."""
    frame = read_tickets(put(tmp_path, "text,label\nslow,timeout\n"), category="label")
    assert frame["text"].tolist() == ["slow"]
    assert frame["category"].tolist() == ["timeout"]


def test_text_must_name_a_column(tmp_path: Path) -> None:
    """An empty list of columns is refused."""
    with pytest.raises(ParameterError, match="text must name at least one column"):
        read_tickets(put(tmp_path, HEADER + ROWS), text=())


def test_missing_columns_are_named_together(tmp_path: Path) -> None:
    """One error names every missing column, and those that exist."""
    match = r"must have a column of text \('subject' or 'body' or 'text'\) and a column 'category'.*are: 'id', 'title'"
    with pytest.raises(TicketFileError, match=match):
        read_tickets(put(tmp_path, "id,title\n1,slow\n"))
    with pytest.raises(TicketFileError, match=match):
        read_tickets(put(tmp_path, '{"id": 1, "title": "slow"}\n', "t.jsonl"))


def test_a_ticket_taken_for_a_header_is_cut(tmp_path: Path) -> None:
    """The columns listed in an error are cut: without a header they are a ticket's text."""
    with pytest.raises(TicketFileError) as caught:
        read_tickets(put(tmp_path, "my secret token is " + "a" * 40 + ",dns\n"))
    assert "a" * 20 not in str(caught.value)


def test_columns_must_differ(tmp_path: Path) -> None:
    """Two columns of one name are refused."""
    with pytest.raises(TicketFileError, match="Got twice: 'body'"):
        read_tickets(put(tmp_path, "body,body,category\na,b,c\n"))


def test_unlabelled_tickets(tmp_path: Path) -> None:
    """Without a category, rows need none and the frame has none."""
    frame = read_tickets(put(tmp_path, "subject,body\na,b\n"), category=None)
    assert frame.columns.tolist() == ["subject", "body", "text"]


def test_bad_csv_rows_do_not_stop_the_rest(tmp_path: Path) -> None:
    """Every kind of bad row is reported by its line, and the good ones are read."""
    rows = [
        b"1,a,b,dns",
        b"2,a,\xff\xfe,dns",
        b"3,too,few",
        b"4,one,too,many,dns",
        b"5,a,b,",
        b"6,,,dns",
        b"1,a,b,dns",
        b'7,"a""b",\0,dns',
        b"",
        b'8,"a"b,c,dns',
        b"9,a,b\rc,dns",
        b"10,a,b, dns ",
    ]
    frame = read_tickets(put(tmp_path, HEADER.encode() + b"\n".join(rows)))
    assert frame["category"].tolist() == ["dns"] * 5
    assert frame["text"].to_dict() == {2: "a\nb", 7: "\n", 8: "a\nb", 9: 'a"b\n\0', 13: "a\nb"}
    assert faults(frame) == [
        (3, "is not valid UTF-8"),
        (4, "has 3 fields, the header has 4"),
        (5, "has 5 fields, the header has 4"),
        (6, "has no category"),
        (7, "has no text"),
        (8, "ticket_id appears again, first on line 2"),
        (11, "has a quote that is not closed, or stands inside of a quoted field and is not doubled"),
        (12, "has a carriage return outside of quotes"),
    ]


def test_bad_json_lines_do_not_stop_the_rest(tmp_path: Path) -> None:
    """Broken lines, lines that are no object, and half characters are reported by their lines."""
    deep = b'{"body": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    lines = [
        b'{"body": "a", "category": "x", "id": 1}',
        b'{"body": "a", "category": "x"',
        b'["a", "x"]',
        b'{"body": "\xff", "category": "x"}',
        b'{"body": "\\ud83d", "category": "x"}',
        b'{"body": "\\ud83d\\ude00\0", "category": 7, "id": 1}',
        b'{"body": null, "category": NaN}',
        deep,
    ]
    frame = read_tickets(put(tmp_path, b"\n".join(lines), "t.jsonl"))
    assert frame["text"].to_dict() == {1: "a", 6: "\U0001f600\0"}
    assert frame["category"].tolist() == ["x", "7"]
    assert faults(frame) == [
        (2, "is not valid JSON"),
        (3, "is not a JSON object"),
        (4, "is not valid UTF-8"),
        (5, "is not valid UTF-8"),
        (6, "id appears again, first on line 1"),
        (7, "has no category"),
        (8, "is not valid JSON"),
    ]


def test_fault_is_a_value() -> None:
    """Two faults of one line and one reason are equal."""
    assert RowFault(3, "has no text") == RowFault(3, "has no text")


@pytest.mark.parametrize("quoted", ["plain", '"quoted"'])
def test_unclosed_quote_costs_one_row(tmp_path: Path, quoted: str) -> None:
    """A quote that is not closed is reported, and the rows that it swallowed are read."""
    rows = "".join(f"{i},{quoted},b,dns\n" for i in range(2, 6))
    frame = read_tickets(put(tmp_path, HEADER + '1,"open,b,dns\n' + rows))
    assert frame.index.tolist() == [3, 4, 5, 6]
    assert faults(frame) == [
        (2, "has a quote that is not closed, or stands inside of a quoted field and is not doubled")
    ]


def test_unclosed_quote_reaches_ten_megabytes_at_most(tmp_path: Path) -> None:
    """In a long file the search for the closing quote ends, and the swallowed rows are read."""
    n_rows = 12
    rows = "".join(f"{i},a,{'b' * 1_000_000},dns\n" for i in range(n_rows))
    frame = read_tickets(put(tmp_path, HEADER + '1,"open,b,dns\n' + rows))
    assert frame.index.tolist() == list(range(3, n_rows + 3))
    assert faults(frame) == [(2, "is longer than 10 MB, or opens a quote that is not closed")]


@pytest.mark.parametrize(
    ("name", "start", "end"), [("t.csv", "a,", ",dns"), ("t.jsonl", '{"body": "', '", "category": "dns"}')]
)
def test_a_record_over_ten_megabytes_is_left_out(tmp_path: Path, name: str, start: str, end: str) -> None:
    """A longer record is reported, one of 5 MB is read, and so is the next."""
    lines = [f"{start}{'b' * n}{end}" for n in (25_000_000, 5_000_000, 1)]
    frame = read_tickets(
        put(tmp_path, ("subject,body,category\n" if name == "t.csv" else "\n") + "\n".join(lines), name)
    )
    assert frame.index.tolist() == [3, 4]
    assert frame["text"].str.count("b").tolist() == [5_000_000, 1]
    assert [fault.line for fault in frame.attrs["faults"]] == [2]
    assert frame.attrs["faults"][0].reason.startswith("is longer than 10 MB")


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_byte_order_mark_is_skipped(tmp_path: Path, name: str) -> None:
    """The mark that Excel writes is no part of the first column's name."""
    frame = read_tickets(put(tmp_path, "\ufeff" + HEADER + ROWS, name))
    assert frame.columns[0] == "ticket_id"


@pytest.mark.parametrize(
    ("content", "name", "match"),
    [
        ((HEADER + ROWS).encode("utf-16"), "t.csv", r"must be text in UTF-8\. Got UTF-16"),
        ((HEADER + ROWS).encode("utf-16-le"), "t.csv", r"must be text in UTF-8\. Got UTF-16 or a binary file"),
        (b"PK\x03\x04rest", "t.csv", "Got a zip or Excel file"),
        (b"\x89PNG\r\n\x1a\n\0\0", "t.csv", "must begin with a line of column names"),
        (b"subject\0,category\na,b\n", "t.csv", "must begin with a line of column names"),
        (gzip.compress(ROWS.encode()), "t.csv", "Got gzip"),
        (b"", "t.csv", "Got an empty file"),
        (b"", "t.jsonl", "Got an empty file"),
        (b"", "t.csv.gz", "Got an empty file"),
        (b"\xef\xbb\xbf", "t.csv", "Got no such line|must begin with a line of column names"),
        (b"\n\n", "t.csv", "must begin with a line of column names"),
        (HEADER.encode(), "t.csv", r"must hold tickets\. Got none\. Check"),
        (b"[]", "t.json", "must hold tickets"),
        (b"nothing\nhere", "t.jsonl", "must hold tickets.* 2 faults; the first: line 1 is not valid JSON"),
        (b"no parquet", "t.parquet", "must be a Parquet file"),
        (b"", "t.parquet", "must be a Parquet file"),
    ],
)
def test_files_that_cannot_be_read(tmp_path: Path, content: bytes, name: str, match: str) -> None:
    """A file that is no ticket file raises an error that says what it is."""
    with pytest.raises(TicketFileError, match=match):
        read_tickets(put(tmp_path, content, name))


def test_missing_path_and_directory(tmp_path: Path) -> None:
    """A path that is missing, and one of a directory, say so."""
    with pytest.raises(TicketFileError, match="No such file"):
        read_tickets(tmp_path / "none.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(TicketFileError, match="Is a directory"):
        read_tickets(tmp_path / "folder.csv")


def test_gzip_in_name_only(tmp_path: Path) -> None:
    """A plain file that is named .gz says so."""
    path = tmp_path / "t.csv.gz"
    path.write_text(HEADER + ROWS)
    with pytest.raises(TicketFileError, match="must be packed as its name says"):
        read_tickets(path)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "json"])
def test_truncated_gzip_keeps_what_was_read(tmp_path: Path, kind: str) -> None:
    """A download that broke off gives its whole rows, and a fault at the end."""
    # Numbers that hardly compress: the file must be longer than the reader's buffers.
    tickets = [{"body": f"{i} {i * 2654435761 % 2**32:x}", "category": "dns"} for i in range(20_000)]
    if kind == "csv":
        content = "body,category\n" + "".join(f"{t['body']},dns\n" for t in tickets)
    elif kind == "jsonl":
        content = "".join(json.dumps(ticket) + "\n" for ticket in tickets)
    else:
        content = json.dumps(tickets)
    path = put(tmp_path, content, f"t.{kind}.gz")
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    frame = read_tickets(path)
    n_read = len(frame)
    assert 12_000 < n_read < 15_000
    assert frame["text"].tolist() == [ticket["body"] for ticket in tickets[:n_read]]
    assert [reason for _, reason in faults(frame)] == [
        "is where the file is damaged or cut short; what follows is missing"
    ]


def test_gzip_cut_at_its_start(tmp_path: Path) -> None:
    """A gzip file of which nothing can be unpacked is an error."""
    path = put(tmp_path, HEADER + ROWS, "t.csv.gz")
    path.write_bytes(path.read_bytes()[:12])
    with pytest.raises(TicketFileError, match="cut short from the start"):
        read_tickets(path)


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (float("nan"), ""), (pd.NA, ""), (pd.NaT, ""), (b"a\xff", "a\ufffd"), (7, "7"), ("a", "a")],
)
def test_as_text(value: object, text: str) -> None:
    """Missing values of every kind are empty texts, and others are spelled out."""
    assert as_text(value) == text


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8), st.sampled_from(["t.csv", "t.csv.gz", "t.tsv"]))
def test_csv_round_trip(tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, str]], name: str) -> None:
    """Whatever csv.writer writes is read back the same, in order, with the line where each record begins."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter="\t" if name == "t.tsv" else ",")
    writer.writerow(["subject", "body", "category"])
    lines = []
    for subject, body in cells:
        lines.append(buffer.getvalue().count("\n") + 1)
        writer.writerow([subject, body, "dns"])
    frame = read_tickets(put(tmp_path_factory.mktemp("csv"), buffer.getvalue(), name))
    assert frame[["subject", "body"]].to_numpy().tolist() == [list(pair) for pair in cells]
    assert frame["text"].tolist() == [f"{subject}\n{body}" for subject, body in cells]
    assert frame.index.tolist() == lines


@given(st.lists(TEXT, min_size=1, max_size=8), st.booleans(), st.sampled_from([None, 1]))
def test_json_round_trip(
    tmp_path_factory: pytest.TempPathFactory,
    texts: list[str],
    is_array: bool,  # noqa: FBT001  # hypothesis passes by position.
    indent: int | None,
) -> None:
    """Whatever json.dumps writes, as lines or as an array, is read back the same and in order."""
    tickets = [{"body": text, "category": "dns"} for text in texts]
    content = json.dumps(tickets, indent=indent) if is_array else "\n".join(map(json.dumps, tickets))
    frame = read_tickets(put(tmp_path_factory.mktemp("json"), content, "t.json"))
    assert frame["text"].tolist() == texts
    if is_array:
        assert frame.index.tolist() == [1 if indent is None else 2 + 4 * i for i in range(len(texts))]


@given(st.binary(max_size=200), st.sampled_from(["t.csv", "t.jsonl", "t.json", "t.csv.gz"]))
def test_any_bytes_are_read_or_refused(tmp_path_factory: pytest.TempPathFactory, content: bytes, name: str) -> None:
    """Bytes of any kind give a frame or a TicketFileError, and nothing else."""
    path = put(tmp_path_factory.mktemp("bytes"), b"body,category\n" + content if "csv" in name else content, name)
    try:
        frame = read_tickets(path)
    except TicketFileError:
        return
    assert frame["category"].str.len().min() > 0
