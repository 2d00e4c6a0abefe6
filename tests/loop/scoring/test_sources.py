from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from deflect.errors import ParameterError, TicketFileError
from deflect.line.deflector import Deflector
from deflect.loop.batch import score_file
from deflect.loop.scoring.sources import ticket_files


@pytest.fixture(scope="module")
def deflector() -> Deflector:
    """Return the starter model."""
    return Deflector.load()


def names(source: Path | str) -> list[str]:
    """Return the names of the files that a source has."""
    return [file.path.name for file in ticket_files(source)]


def put(path: Path, content: str) -> Path:
    """Write a file, in a folder that is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)
    return path


def test_a_folder_is_its_ticket_files(tmp_path: Path) -> None:
    """A folder gives the ticket files in it and below it by name, without hidden ones and others."""
    for name in ("b.csv", "a/c.jsonl", ".d.csv", "_tmp/e.csv", "_SUCCESS", "notes.txt", "z.csv.gz"):
        put(tmp_path / name, "body\n")
    assert names(tmp_path) == ["c.jsonl", "b.csv", "z.csv.gz"]


def test_a_pattern_is_its_files(tmp_path: Path) -> None:
    """A pattern gives the files that fit; a file whose name looks like a pattern is itself."""
    for name in ("1/a.csv", "2/a.csv", "2/b.csv", "c[1].csv"):
        put(tmp_path / name, "body\n")
    assert names(f"{tmp_path}/*/a.csv") == ["a.csv", "a.csv"]
    assert names(tmp_path / "c[1].csv") == ["c[1].csv"]


@pytest.mark.parametrize("source", ["", "*.csv"])
def test_nothing_is_an_error(tmp_path: Path, source: str) -> None:
    """A folder or a pattern without a ticket file is refused."""
    with pytest.raises(TicketFileError, match="must have at least one ticket file"):
        ticket_files(f"{tmp_path}/{source}")


def test_files_are_scored_by_their_columns(tmp_path: Path, deflector: Deflector) -> None:
    """The columns of a second file may stand in another order; faults name their file."""
    put(tmp_path / "in" / "1.csv", "id,body\n1,H12 timeout\nx\n")
    put(tmp_path / "in" / "2.csv", "body,id\nthanks,2\n")
    score_file(tmp_path / "in", tmp_path / "out.parquet", model=deflector)
    table = pq.read_table(tmp_path / "out.parquet")
    assert (table["id"].to_pylist(), table["body"].to_pylist()) == (["1", "2"], ["H12 timeout", "thanks"])
    listed = (tmp_path / "out.parquet.faults.csv").read_text().splitlines()
    assert listed == ["file,line,reason", '1.csv,3,"has 1 fields, the header has 2"']


def test_files_with_other_columns_are_refused(tmp_path: Path, deflector: Deflector) -> None:
    """Files of which one lacks a column, or has another type, are not scored together."""
    put(tmp_path / "in" / "1.csv", "id,body\n")
    put(tmp_path / "in" / "2.csv", "body\n")
    with pytest.raises(TicketFileError, match=r"2\.csv must have the columns of .*1\.csv, 'id', 'body'\. Got 'body'"):
        score_file(tmp_path / "in", tmp_path / "out.csv", model=deflector)
    for name, kind in (("1", pa.int8()), ("2", pa.int64())):
        (tmp_path / "typed").mkdir(exist_ok=True)
        pq.write_table(pa.table({"body": ["a"], "n": pa.array([1], kind)}), tmp_path / "typed" / f"{name}.parquet")
    with pytest.raises(TicketFileError, match=r"2\.parquet must have the types of"):
        score_file(tmp_path / "typed", tmp_path / "out.csv", model=deflector)


def test_the_target_must_not_lie_in_the_source(tmp_path: Path, deflector: Deflector) -> None:
    """A target in a folder of sources would be a source of the next run."""
    put(tmp_path / "1.csv", "body\nhelp\n")
    with pytest.raises(ParameterError, match="must be another file than the source"):
        score_file(tmp_path, tmp_path / "out.csv", model=deflector)


@pytest.mark.parametrize("name", ["in.csv", "in.jsonl"])
@pytest.mark.parametrize("end", ["csv", "jsonl", "parquet"])
def test_columns_to_keep(tmp_path: Path, deflector: Deflector, name: str, end: str) -> None:
    """Only the columns named are kept, in their order, and the text is read all the same."""
    content = "n,body,id\n7,H12 timeout,1\n" if name == "in.csv" else '{"n": 7, "body": "H12 timeout", "id": "1"}\n'
    target = tmp_path / f"out.{end}"
    score_file(put(tmp_path / name, content), target, model=deflector, columns=["id", "n"])
    assert score_file(target, tmp_path / "again.csv", model=deflector, text="id").n_rows == 1
    assert (tmp_path / "again.csv").read_text().startswith("id,n,deflect_category,")
    assert (tmp_path / "again.csv").read_text().splitlines()[1].startswith("1,7,")


def test_columns_to_keep_must_be_there(tmp_path: Path, deflector: Deflector) -> None:
    """A column that a file does not have cannot be kept."""
    with pytest.raises(TicketFileError, match=r"must have the columns to keep\. It lacks 'nope'"):
        score_file(put(tmp_path / "in.csv", "body\n"), tmp_path / "out.csv", model=deflector, columns=["nope"])
