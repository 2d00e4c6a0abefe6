"""Scoring runs that are interrupted: by kill -9 at any moment, by Ctrl-C, by a full disk."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from deflect.errors import ScoringError
from deflect.line.deflector import Deflector
from deflect.loop.batch import Summary, score_file
from deflect.loop.scoring import answering, blocks, runs

#: Runs in a process of its own, which forks one child after the other: a child starts at once, and can be killed.
KILLER = """
import os, random, signal, sys, time
from pathlib import Path
from deflect import score_file
from deflect.line.bundle import starter_bundle
from deflect.loop.scoring import answering, blocks, runs

blocks.BLOCK_BYTES = answering.BLOCK_BYTES = 1 << 15
runs._CHECKPOINT_ROWS = 150
source, folder, name, how = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4]
whole, target = folder / f"whole.{name}", folder / f"killed.{name}"

def start(target, kill_at=0):
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    n_events = 0
    def hook(event, args):
        nonlocal n_events
        is_opening = event == "open" and ".partial" in str(args[0])
        if is_opening or event in {"os.truncate", "os.rename", "os.remove", "shutil.rmtree"}:
            n_events += 1
            if n_events == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    score_file(source, target, model=starter_bundle())
    os._exit(100 if kill_at else 0)

def wait(pid):
    return os.waitpid(pid, 0)[1]

begun = time.perf_counter()
assert wait(start(whole)) == 0
seconds = time.perf_counter() - begun
rng, n_killed = random.Random(0), 0
if how == "random":
    while n_killed < 10:
        pid = start(target)
        time.sleep(rng.uniform(0, seconds / 2))
        os.kill(pid, signal.SIGKILL)
        if wait(pid) == 0:
            assert target.read_bytes() == whole.read_bytes()
            target.unlink()
        else:
            n_killed += 1
else:
    for moment in range(1, 40):
        if wait(start(target, moment)) != signal.SIGKILL:
            break
        n_killed += 1
        assert not target.exists() or target.read_bytes() == whole.read_bytes(), "half a target"
        assert wait(start(target)) == 0
        assert target.read_bytes() == whole.read_bytes(), moment
        target.unlink()
assert wait(start(target)) == 0
print(n_killed)
"""


@pytest.fixture
def source(tmp_path: Path, root: Path) -> Path:
    """Return 2,000 tickets, of which some cannot be read."""
    lines = (root / "data" / "starter_tickets.csv").read_bytes().splitlines(keepends=True)[:5_000]
    lines[700:700] = [b"too,few\n"]
    lines[4_000:4_000] = [b'x,y,z,"a"b,c\n', b"1,2,3,\xff,5,6\n"]
    path = tmp_path / "in.csv"
    path.write_bytes(b"".join(lines))
    return path


def as_json_lines(source: Path) -> Path:
    """Write what can be read of a source as JSON lines, of which some are broken."""
    target = source.with_name("in.jsonl")
    score_file(source, target, model=Deflector.load())
    lines = target.read_bytes().replace(b"deflect_", b"").splitlines(keepends=True)
    lines[700:700] = [b'{"body": \n']
    target.write_bytes(b"".join(lines))
    return target


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make blocks small and checkpoints frequent."""
    monkeypatch.setattr(blocks, "BLOCK_BYTES", 1 << 16)
    monkeypatch.setattr(answering, "BLOCK_BYTES", 1 << 16)
    monkeypatch.setattr(runs, "_CHECKPOINT_ROWS", 100)


@pytest.fixture(scope="module")
def deflector() -> Deflector:
    """Return the starter model."""
    return Deflector.load()


def killed(source: Path, name: str, how: str) -> int:
    """Score with one kill -9 after the other; return how many it took."""
    command = [sys.executable, "-W", "ignore", "-c", KILLER, str(source), str(source.parent), name, how]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["csv", "jsonl", "jsonl.gz", "parquet"])
def test_killed_at_random_moments(source: Path, name: str) -> None:
    """However often a run is killed, the target and its list of faults are those of a whole run, byte for byte."""
    if name == "jsonl":
        source = as_json_lines(source)
    assert killed(source, name, "random") == 10
    folder = source.parent
    for end in (name, f"{name}.faults.csv"):
        assert (folder / f"killed.{end}").read_bytes() == (folder / f"whole.{end}").read_bytes()
    assert not list(folder.glob(".*"))


@pytest.mark.slow
def test_killed_at_every_move(source: Path) -> None:
    """Killed before each opening, cutting, moving and removing of a file, a run comes to the same end."""
    assert killed(source, "parquet", "moves") >= 8


def interrupt_after(n_parts: int) -> Callable[[int, int, int], None]:
    """Return a progress that is interrupted."""
    told: list[int] = []

    def progress(n_rows: int, *_: int) -> None:
        told.append(n_rows)
        if len(told) == n_parts:
            raise KeyboardInterrupt

    return progress


def interrupted(source: Path, target: Path, deflector: Deflector) -> None:
    """Score until an interrupt."""
    with pytest.raises(KeyboardInterrupt):
        score_file(source, target, model=deflector, progress=interrupt_after(4))


@pytest.mark.usefixtures("small")
def test_an_interrupted_run_is_gone_on_with(source: Path, deflector: Deflector) -> None:
    """After Ctrl-C nothing is at the target's place; the same call goes on, says so, and counts all rows."""
    target, said = source.parent / "out.csv", []
    interrupted(source, target, deflector)
    assert {path.name for path in source.parent.iterdir()} == {"in.csv", ".out.csv.partial"}
    summary = score_file(source, target, model=deflector, notify=said.append)
    again = score_file(source, source.parent / "again.csv", model=deflector)
    assert 0 < summary.n_resumed < summary.n_rows
    assert said == [f"going on behind row {summary.n_resumed:,}, where an earlier run was interrupted"]
    assert target.read_bytes() == (source.parent / "again.csv").read_bytes()
    assert (summary.n_rows, summary.n_faults, summary.per_category) == (
        again.n_rows,
        again.n_faults,
        again.per_category,
    )


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("changed", ["the source", "the options", "the model"])
def test_a_changed_run_starts_afresh(source: Path, deflector: Deflector, tmp_path: Path, changed: str) -> None:
    """With another source, options or model than the interrupted run's, it begins at the first row, and says so."""
    target, said = source.parent / "out.csv", []
    interrupted(source, target, deflector)
    model, columns = deflector, None
    if changed == "the source":
        source.write_bytes(source.read_bytes() + b"1,2,3,4,5,6\n")
    elif changed == "the options":
        columns = ["ticket_id"]
    else:
        deflector.save(tmp_path / "other", metrics={"other": 1.0})
        model = Deflector.load(tmp_path / "other")
    summary = score_file(source, target, model=model, columns=columns, notify=said.append)
    assert summary.n_resumed == 0
    assert said == [f"an earlier run was interrupted, but {changed} changed since: starting afresh"]
    assert target.read_text().count(model.model_version) == summary.n_rows


@pytest.mark.usefixtures("small")
def test_a_torn_journal_is_read_up_to_its_last_whole_line(source: Path, deflector: Deflector) -> None:
    """What a crash leaves behind the last checkpoint, in the journal or in a file, is dropped."""
    target = source.parent / "out.csv"
    interrupted(source, target, deflector)
    folder = source.parent / ".out.csv.partial"
    for name in ("journal", "rows", "faults"):
        with (folder / name).open("ab") as file:
            file.write(b'{"n_rows": 1')
    assert score_file(source, target, model=deflector).n_resumed > 0
    score_file(source, source.parent / "again.csv", model=deflector)
    assert target.read_bytes() == (source.parent / "again.csv").read_bytes()


@pytest.mark.usefixtures("small")
def test_one_run_at_a_time(source: Path, deflector: Deflector) -> None:
    """A second run with the same target is refused while the first is at it."""
    target = source.parent / "out.csv"

    def score_too(*_: int) -> None:
        with pytest.raises(ScoringError, match="one run at a time"):
            score_file(source, target, model=deflector)

    summary = score_file(source, target, model=deflector, progress=score_too)
    assert target.read_bytes().count(deflector.model_version.encode()) == summary.n_rows


@pytest.mark.usefixtures("small")
def test_a_full_disk_is_said_and_survived(source: Path, deflector: Deflector, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the disk is full, the error says so, and after there is room the run goes on."""
    target = source.parent / "out.csv"
    fsync, calls = os.fsync, []

    def full(number: int) -> None:
        calls.append(number)
        if len(calls) > 5:
            raise OSError(28, "No space left on device")
        fsync(number)

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(ScoringError, match=r"Got: No space left on device.*goes on from the last checkpoint"):
        score_file(source, target, model=deflector)
    monkeypatch.undo()
    assert score_file(source, target, model=deflector).n_resumed > 0


@pytest.mark.usefixtures("small")
def test_rows_go_on_while_the_disk_is_slow(source: Path, deflector: Deflector, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint that the disk takes long to keep does not hold up the rows behind it."""
    fsync, is_on, waited = os.fsync, threading.Event(), []

    def slow(number: int) -> None:
        if threading.current_thread() is not threading.main_thread():
            waited.append(is_on.wait(30))
        fsync(number)

    def progress(n_rows: int, *_: int) -> None:
        if n_rows > 500:
            is_on.set()

    monkeypatch.setattr("os.fsync", slow)
    score_file(source, source.parent / "out.csv", model=deflector, progress=progress)
    assert len(waited) >= 6
    assert all(waited)


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("name", ["out.parquet", "out.csv.zst", "out.jsonl"])
def test_workers_write_the_same(source: Path, deflector: Deflector, tmp_path: Path, name: str) -> None:
    """Three workers write the bytes that one writes."""
    summaries: list[Summary] = []
    for workers in (1, 3):
        (tmp_path / str(workers)).mkdir()
        summaries.append(score_file(source, tmp_path / str(workers) / name, model=deflector, workers=workers))
    assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "3" / name).read_bytes()
    assert summaries[0].per_category == summaries[1].per_category


@pytest.mark.usefixtures("small")
def test_parquet_is_one_plain_file(source: Path, deflector: Deflector) -> None:
    """The row groups that were made one by one are a Parquet file as any other: numbers and places are right."""
    target = source.parent / "out.parquet"
    summary = score_file(source, target, model=deflector)
    file = pq.ParquetFile(target)
    groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
    assert len(groups) > 5
    assert sum(group.num_rows for group in groups) == file.metadata.num_rows == summary.n_rows
    table = file.read()
    table.validate(full=True)
    assert (
        table["ticket_id"].to_pylist()[-1] == pq.read_table(target, columns=["ticket_id"])["ticket_id"].to_pylist()[-1]
    )
