from __future__ import annotations

import csv
import gzip
import io
import json
import os
import tracemalloc
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.errors import ParameterError, TicketFileError
from deflect.line.decision import REASONS, Decisions
from deflect.loop.batch import Summary, score_batches, score_file
from deflect.loop.scoring import answering, blocks
from deflect.loop.scoring.answers import ANSWER

ADDED = ANSWER.names
CELLS = st.text(st.characters(codec="utf-8") | st.sampled_from('",\r\n\0'), max_size=12)


CATEGORIES = ("dns", "tls-certificate", "überall")
SUGGESTED = ["dns", 0.75, "suggest", "confident", "tls-certificate", 0.125, "überall", 0.1, "rule-1"]
ABSTAINED = ["überall", 0.5, "abstain", "below_threshold", "dns", 0.25, "tls-certificate", 0.2, "rule-1"]


class KeywordRule:
    """Suggests dns where a ticket says so, and abstains elsewhere; it keeps the number of tickets of each call."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def decide_many(self, texts: Sequence[str], /) -> Decisions:
        """Decide about each text."""
        self.calls.append(len(texts))
        if any("interrupt" in text for text in texts):
            raise KeyboardInterrupt
        is_dns = np.array(["dns" in text.lower() for text in texts], dtype=bool)[:, None]
        order = np.where(is_dns, [[0, 1, 2]], [[2, 0, 1]])
        probabilities = np.where(is_dns, [[0.75, 0.125, 0.1]], [[0.5, 0.25, 0.2]])
        reasons = np.where(is_dns[:, 0], REASONS.index("confident"), REASONS.index("below_threshold"))
        return Decisions(CATEGORIES, order, probabilities, reasons, "rule-1")


def put(folder: Path, content: str | bytes, name: str = "in.csv") -> Path:
    """Write a file, in gzip if its name says so."""
    raw = content.encode() if isinstance(content, str) else content
    path = folder / name
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


def read(path: Path) -> list[dict[str, object]]:
    """Read a target back, whatever its format."""
    if path.suffix == ".parquet":
        rows: list[dict[str, object]] = pq.read_table(path).to_pylist()
        return rows
    raw = path.read_bytes()
    text = (gzip.decompress(raw) if path.suffix == ".gz" else raw).decode()
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.split("\n") if line]
    return list(csv.DictReader(io.StringIO(text, newline=""), delimiter="\t" if ".tsv" in path.name else ","))


def names_in(folder: Path) -> set[str]:
    """Return the names of a folder's files."""
    return {path.name for path in folder.iterdir()}


CONTENT = 'id,created_at,subject,body\n01,2026-01-02,DNS,"a, ""b""\nc"\n2,,slow,\n'


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.tsv"])
def test_csv_gets_the_answer_behind_its_columns(tmp_path: Path, name: str) -> None:
    """Input columns stay verbatim and in order, and those of the answer follow."""
    target = tmp_path / name
    score_file(put(tmp_path, CONTENT), target, model=KeywordRule())
    first, second = read(target)
    assert list(first) == ["id", "created_at", "subject", "body", *ADDED]
    assert list(first.values()) == [
        *["01", "2026-01-02", "DNS", 'a, "b"\nc'],
        *map(str, SUGGESTED),
    ]
    assert list(second.values()) == [
        *["2", "", "slow", ""],
        *map(str, ABSTAINED),
    ]


def test_summary_counts(tmp_path: Path) -> None:
    """The summary counts rows, suggestions by category, abstentions and faults."""
    summary = score_file(put(tmp_path, CONTENT + "3,too few\n"), tmp_path / "out.csv", model=KeywordRule())
    assert (summary.n_rows, summary.n_suggested, summary.n_abstained, summary.n_faults) == (2, 1, 1, 1)
    assert summary.per_category == {"dns": 1}
    assert summary.rows_per_second == summary.n_rows / summary.seconds


def test_no_time_is_no_speed() -> None:
    """A summary without duration has the speed 0."""
    assert Summary(0, 0, 0, 0, {}, 0.0).rows_per_second == 0


@pytest.mark.parametrize("name", ["out.jsonl", "out.jsonl.gz"])
def test_json_keeps_values_and_keys(tmp_path: Path, name: str) -> None:
    """JSON to JSON keeps each row's own keys, and the kinds of their values."""
    rows = [
        {"body": "dns", "n": 12345678901234567890, "x": 0.1, "tags": ["a", {"b": None}], "ok": True},
        {"body": "ü\u2028", "extra": None},
    ]
    source = put(tmp_path, "\n".join(map(json.dumps, rows)), "in.jsonl")
    target = tmp_path / name
    score_file(source, target, model=KeywordRule())
    written = read(target)
    assert [{key: row[key] for key in row if key not in ADDED} for row in written] == rows
    assert [[row[name] for name in ADDED] for row in written] == [SUGGESTED, ABSTAINED]


def test_plain_json_lines_stay_as_they_are(tmp_path: Path) -> None:
    """Of plain JSON lines not a byte changes but for the answer; an answer that is there is replaced."""
    lines = ['{"n":1.50,  "body":"\\u00fc dns"', '{"body":"x: Inf","tags":[{ }]']
    source = put(tmp_path, "".join(f"{line}}}\n" for line in lines), "in.jsonl")
    for name in ("out.jsonl", "again.jsonl"):
        score_file(source, tmp_path / name, model=KeywordRule())
        source = tmp_path / name
    first = (tmp_path / "out.jsonl").read_text()
    assert [line.startswith(f"{old}, ") for line, old in zip(first.splitlines(), lines, strict=True)] == [True, True]
    assert read(tmp_path / "again.jsonl") == read(tmp_path / "out.jsonl")
    assert (tmp_path / "again.jsonl").read_text().count("deflect_model") == 2


def test_json_to_csv_has_every_key(tmp_path: Path) -> None:
    """A key that first comes late in a JSON file is a column of the CSV all the same."""
    rows = [{"body": "dns", "ok": True}] * 2_500 + [{"body": "slow", "late": [1, "ü"]}]
    target = tmp_path / "out.csv"
    score_file(put(tmp_path, "\n".join(map(json.dumps, rows)), "in.jsonl"), target, model=KeywordRule())
    written = read(target)
    assert list(written[0]) == ["body", "ok", "late", *ADDED]
    assert (written[0]["ok"], written[0]["late"], written[-1]["ok"]) == ("true", "", "")
    assert written[-1]["late"] == '[1, "ü"]'


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    """Parquet to Parquet keeps every type, also that of a column without values."""
    table = pa.table(
        {
            "body": pa.array(["dns", "slow"]).dictionary_encode(),
            "at": pa.array([datetime(2026, 1, 2, tzinfo=UTC), None], pa.timestamp("ns", "UTC")),
            "n": pa.array([1, None], pa.int8()),
            "price": pa.array([Decimal("1.10"), None], pa.decimal128(6, 2)),
            "nothing": pa.nulls(2),
            "tags": pa.array([["a"], []], pa.large_list(pa.large_string())),
        }
    )
    pq.write_table(table, tmp_path / "in.parquet")
    target = tmp_path / "out.parquet"
    score_file(tmp_path / "in.parquet", target, model=KeywordRule())
    written = pq.read_table(target)
    assert written.select(table.column_names).equals(table)
    assert written["deflect_probability"].to_pylist() == [0.75, 0.5]
    assert written["deflect_category"].to_pylist() == ["dns", "überall"]


def test_a_frame_survives_parquet(tmp_path: Path) -> None:
    """What pandas noted in a Parquet file, such as its index, is kept."""
    frame = pd.DataFrame({"body": ["dns", "slow"]}, index=pd.Index([7, 9], name="number"))
    frame.to_parquet(tmp_path / "in.parquet")
    score_file(tmp_path / "in.parquet", tmp_path / "out.parquet", model=KeywordRule())
    written = pd.read_parquet(tmp_path / "out.parquet")
    assert written.index.tolist() == [7, 9]
    assert written["deflect_decision"].tolist() == ["suggest", "abstain"]


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl"])
def test_parquet_to_text(tmp_path: Path, name: str) -> None:
    """Parquet is written as text with times spelled out."""
    pq.write_table(pa.table({"body": ["dns"], "at": [datetime(2026, 1, 2, tzinfo=UTC)]}), tmp_path / "in.parquet")
    score_file(tmp_path / "in.parquet", tmp_path / name, model=KeywordRule())
    assert read(tmp_path / name)[0]["at"] == "2026-01-02 00:00:00+00:00"


def test_csv_to_parquet_is_text(tmp_path: Path) -> None:
    """CSV to Parquet leaves every cell the text that it was."""
    score_file(put(tmp_path, CONTENT), tmp_path / "out.parquet", model=KeywordRule())
    assert [row["id"] for row in read(tmp_path / "out.parquet")] == ["01", "2"]


def test_json_to_parquet_is_text(tmp_path: Path) -> None:
    """JSON to Parquet writes values that are no text as JSON, and null as null."""
    content = '[{"body": "dns", "n": 1.5, "tags": ["a"]}, {"body": "x", "n": null}]'
    score_file(put(tmp_path, content, "in.json"), tmp_path / "out.parquet", model=KeywordRule())
    assert [(row["n"], row["tags"]) for row in read(tmp_path / "out.parquet")] == [("1.5", '["a"]'), (None, None)]


@pytest.mark.parametrize("name", ["again.csv", "again.jsonl", "again.parquet"])
def test_scoring_again_replaces_the_answer(tmp_path: Path, name: str) -> None:
    """A target can be a source: its old answers are replaced, not doubled."""
    score_file(put(tmp_path, CONTENT), tmp_path / "out.csv", model=KeywordRule())
    score_file(tmp_path / "out.csv", tmp_path / name, model=KeywordRule())
    assert list(read(tmp_path / name)[0]) == ["id", "created_at", "subject", "body", *ADDED]


@pytest.mark.parametrize("name", ["out.csv", "out.jsonl", "out.parquet"])
def test_header_only_gives_no_rows(tmp_path: Path, name: str) -> None:
    """An export without tickets gives a target without rows."""
    summary = score_file(put(tmp_path, "subject,body\n"), tmp_path / name, model=KeywordRule())
    assert summary.n_rows == 0
    assert read(tmp_path / name) == []


def test_faults_go_to_a_file_of_their_own(tmp_path: Path) -> None:
    """Bad rows are listed by file, line and reason, without their text."""
    content = CONTENT.encode() + b"3,\xff,secret,x\n4,secret\n"
    score_file(put(tmp_path, content), tmp_path / "out.csv", model=KeywordRule())
    assert (tmp_path / "out.csv.faults.csv").read_bytes() == (
        b'file,line,reason\r\nin.csv,5,is not valid UTF-8\r\nin.csv,6,"has 2 fields, the header has 4"\r\n'
    )


def test_faults_of_an_earlier_run_are_removed(tmp_path: Path) -> None:
    """A run without faults leaves no list of faults behind."""
    put(tmp_path, "line,reason\n1,old\n", "out.csv.faults.csv")
    score_file(put(tmp_path, CONTENT), tmp_path / "out.csv", model=KeywordRule())
    assert names_in(tmp_path) == {"in.csv", "out.csv"}


@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.jsonl", "out.parquet"])
def test_interrupt_leaves_an_older_target(tmp_path: Path, name: str) -> None:
    """After an interrupt amid the file the old target and list of faults stand, and nothing else is left."""
    rows = "".join(f"{i},x\n" for i in range(5_000))
    source = put(tmp_path, "id,body\n" + rows + "bad\n7,interrupt\n")
    (tmp_path / name).write_bytes(b"old")
    (tmp_path / f"{name}.faults.csv").write_bytes(b"old faults")
    with pytest.raises(KeyboardInterrupt):
        score_file(source, tmp_path / name, model=KeywordRule())
    assert names_in(tmp_path) == {"in.csv", name, f"{name}.faults.csv"}
    assert (tmp_path / name).read_bytes() == b"old"
    assert (tmp_path / f"{name}.faults.csv").read_bytes() == b"old faults"


def test_source_must_not_be_target(tmp_path: Path) -> None:
    """A source is never overwritten, by whatever name it goes."""
    source = put(tmp_path, CONTENT)
    os.link(source, tmp_path / "link.csv")
    for target in (source, tmp_path / ".." / tmp_path.name / "in.csv", tmp_path / "link.csv"):
        with pytest.raises(ParameterError, match="must be another file than the source"):
            score_file(source, target, model=KeywordRule())
    assert source.read_text() == CONTENT


@pytest.mark.parametrize(
    ("name", "match"),
    [
        ("none/out.csv", "must be a file in a directory that exists"),
        ("folder.csv", "must be a file in a directory that exists"),
        ("pipe.csv", r"must be a file in a directory that exists\. Got .*pipe\.csv, which is no file"),
        ("out.xml", "one of csv, tsv, jsonl, parquet"),
        ("out.parquet.gz", "must not be packed"),
    ],
)
def test_target_is_checked_first(tmp_path: Path, name: str, match: str) -> None:
    """A target that cannot be written is refused before any work."""
    (tmp_path / "folder.csv").mkdir()
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ParameterError, match=match):
        score_file(put(tmp_path, CONTENT), tmp_path / name, model=KeywordRule())


@pytest.mark.parametrize(("content", "name"), [("id,title\n1,a\n", "in.csv"), ('{"title": "a"}', "in.jsonl")])
def test_text_must_exist(tmp_path: Path, content: str, name: str) -> None:
    """A source without a column of text is refused, and no target appears."""
    with pytest.raises(TicketFileError, match="must have a column of text"):
        score_file(put(tmp_path, content, name), tmp_path / "out.jsonl", model=KeywordRule())
    assert names_in(tmp_path) == {name}


def test_progress_reaches_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress counts rows and bytes, part by part, up to the whole file."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1 << 20)
    monkeypatch.setattr(answering, "BLOCK_BYTES", 1 << 20)
    source = put(tmp_path, "body\n" + "slow" * 50 + ("\n" + "slow" * 50) * 14_999)
    rule, told = KeywordRule(), []
    score_file(source, tmp_path / "out.csv", model=rule, progress=lambda *numbers: told.append(numbers))
    size = source.stat().st_size
    assert len(told) == len(rule.calls) > 2
    assert [numbers[0] for numbers in told] == np.cumsum(rule.calls).tolist()
    assert told[-1] == (15_000, size, size)
    assert told[0][1] < size


@pytest.mark.parametrize("target", ["out.csv.gz", "out.jsonl", "out.parquet"])
def test_memory_does_not_grow_with_the_file(tmp_path: Path, target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the rows take no more memory."""
    for module in (blocks, answering):
        monkeypatch.setattr(module, "BLOCK_BYTES", 1 << 18)
    peaks = []
    for n_rows in (20_000, 80_000):
        source = put(tmp_path, "body\n" + ("slow " * 20 + "\n") * n_rows)
        tracemalloc.start()
        score_file(source, tmp_path / target, model=KeywordRule())
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]


def test_batches_get_the_answer(tmp_path: Path) -> None:
    """Each frame comes back with its index and columns, and the answer behind them."""
    score_file(put(tmp_path, CONTENT), tmp_path / "out.csv", model=KeywordRule())
    frame = pd.DataFrame({"subject": ["DNS", None], "body": ["a", "b"], "deflect_model": "old"}, index=[5, 5])
    answered, empty = score_batches([frame, frame.iloc[:0]], model=KeywordRule())
    assert answered.columns.tolist() == ["subject", "body", *ADDED]
    assert answered.index.tolist() == [5, 5]
    assert answered["deflect_decision"].tolist() == ["suggest", "abstain"]
    assert answered["deflect_probability"].tolist() == [0.75, 0.5]
    assert answered["deflect_model"].tolist() == ["rule-1", "rule-1"]
    assert empty.columns.tolist() == answered.columns.tolist()
    assert frame["deflect_model"].tolist() == ["old", "old"]


def test_batches_are_answered_one_by_one() -> None:
    """A frame is asked for when it is its turn, and no sooner."""
    rule = KeywordRule()
    batches = score_batches((pd.DataFrame({"text": ["x"] * n}) for n in (1, 2)), model=rule)
    assert rule.calls == []
    next(batches)
    assert rule.calls == [1]


@pytest.mark.parametrize("kind", [pa.Table, pa.RecordBatch])
def test_arrow_batches_stay_what_they_are(kind: type[pa.Table | pa.RecordBatch]) -> None:
    """Arrow's tables and record batches come back as such, with columns of any type kept."""
    columns = {"subject": ["DNS", None], "body": pa.array(["a", "b"]).dictionary_encode(), "n": [1, 2]}
    batch = kind.from_pydict({**columns, "deflect_model": ["old", "old"]})
    (answered,) = score_batches([batch], model=KeywordRule())
    assert isinstance(answered, kind)
    assert answered.schema.names == ["subject", "body", "n", *ADDED]
    assert [list(row.values())[3:] for row in answered.to_pylist()] == [SUGGESTED, ABSTAINED]


def test_other_batches_are_refused() -> None:
    """What is neither a frame nor of Arrow is refused by name."""
    with pytest.raises(ParameterError, match=r"must be a DataFrame of pandas.*Got list"):
        next(score_batches([[1]], model=KeywordRule()))


def test_batches_need_a_column_of_text() -> None:
    """A frame without text says which columns it has."""
    with pytest.raises(TicketFileError, match=r"A frame of tickets must have a column of text.*'title'"):
        next(score_batches([pd.DataFrame({"title": ["x"]})], model=KeywordRule()))


@given(
    st.lists(st.one_of(st.tuples(CELLS, CELLS), st.just(()), st.just(("\udcff", "")))),
    st.sampled_from(["out.csv", "out.tsv", "out.jsonl", "out.parquet"]),
)
def test_every_row_is_answered_or_reported(
    tmp_path_factory: pytest.TempPathFactory, cells: list[tuple[str, ...]], name: str
) -> None:
    """Good rows come out verbatim and in order, and with the faults they are as many as the rows that went in."""
    folder = tmp_path_factory.mktemp("score")
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(["id", "subject", "body"])
    writer.writerows([str(i), *row] for i, row in enumerate(cells))
    source = put(folder, buffer.getvalue().encode("utf-8", "surrogateescape"))
    summary = score_file(source, folder / name, model=KeywordRule())
    good = [[str(i), *row] for i, row in enumerate(cells) if row and "\udcff" not in row]
    assert [[row["id"], row["subject"], row["body"]] for row in read(folder / name)] == good
    assert summary.n_rows == len(good)
    assert summary.n_rows + summary.n_faults == len(cells)
