"""Scoring on clusters: real ones of Dask and Spark on this machine give the rows of the local engine."""

from __future__ import annotations

import gzip
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest

from deflect.edge import cluster
from deflect.edge.cluster import Shipped, score_on_cluster, unpacked
from deflect.edge.dask_engine import on_dask
from deflect.edge.spark_engine import on_spark
from deflect.errors import ParameterError
from deflect.line.deflector import Deflector
from deflect.loop.batch import Summary, score_file

#: What both clusters' processes need: nothing of what a test process has imported, warned of or patched.
DASK = """
import sys, time
from distributed import LocalCluster
if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, memory_limit=0) as cluster:
        print(cluster.scheduler_address, *(nanny.pid for nanny in cluster.workers.values()), flush=True)
        sys.stdin.read()
"""


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory, root: Path) -> Path:
    """Return a folder of ticket files of several kinds of packing, some rows of which cannot be read."""
    folder = tmp_path_factory.mktemp("tickets")
    lines = (root / "data" / "starter_tickets.csv").read_bytes().splitlines(keepends=True)
    for i in range(4):
        raw = b"".join([lines[0], *lines[1 + 3_000 * i : 3_000 * (i + 1)], b"too,few\n"])
        (folder / f"{i}.csv").write_bytes(raw)
    (folder / "9.csv.gz").write_bytes(gzip.compress(b"".join(lines[:2_000])))
    return folder


@pytest.fixture(scope="module")
def expected(source: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Summary, pa.Table, bytes]:
    """Return what the local engine gives: counts, rows and faults."""
    target = tmp_path_factory.mktemp("local") / "out.parquet"
    summary = score_file(source, target, model=Deflector.load())
    return summary, ds.dataset(target).to_table(), target.with_name("out.parquet.faults.csv").read_bytes()


def counts(summary: Summary) -> tuple[int, int, int, dict[str, int]]:
    """Return what of a summary does not depend on time."""
    return summary.n_rows, summary.n_suggested, summary.n_faults, dict(summary.per_category)


def check(target: Path, summary: Summary, expected: tuple[Summary, pa.Table, bytes]) -> None:
    """Compare a folder of parts with what the local engine gives."""
    assert counts(summary) == counts(expected[0])
    assert ds.dataset(target).to_table().equals(expected[1])
    assert target.with_name(f"{target.name}.faults.csv").read_bytes() == expected[2]
    assert {path.name for path in target.parent.iterdir()} == {target.name, f"{target.name}.faults.csv"}


@pytest.fixture
def dask_cluster() -> Iterator[tuple[str, list[int]]]:
    """Return the address of a Dask cluster of two worker processes, and their numbers."""
    command = [sys.executable, "-c", DASK]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        address, *workers = process.stdout.readline().split()
        yield address, [int(pid) for pid in workers]
        process.communicate("")


def test_dask_with_a_worker_killed(
    source: Path, expected: tuple[Summary, pa.Table, bytes], dask_cluster: tuple[str, list[int]], tmp_path: Path
) -> None:
    """A Dask cluster, a worker of which is killed in the middle, gives the rows and faults of the local engine."""
    address, workers = dask_cluster
    target = tmp_path / "out.parquet"
    killed: list[float] = []

    def kill_one() -> None:
        begun = time.monotonic()
        while not list(tmp_path.glob(".out.parquet.parts/.part-*")) and time.monotonic() < begun + 60:
            time.sleep(0.001)
        os.kill(workers[0], signal.SIGKILL)
        killed.append(time.monotonic() - begun)

    killer = threading.Thread(target=kill_one)
    killer.start()
    summary = score_on_cluster(str(source), target, on_dask(address))
    killer.join()
    assert killed
    check(target, summary, expected)


def test_spark(source: Path, expected: tuple[Summary, pa.Table, bytes], tmp_path: Path) -> None:
    """Local Spark gives the rows, faults and counts of the local engine."""
    if shutil.which("java") is None:
        assert "CI" not in os.environ, "continuous integration must install a Java runtime: see .ci/run"
        pytest.skip("Spark needs a Java runtime, and there is none")
    code = "import sys; from deflect.edge.cli import app; app()"
    command = [sys.executable, "-c", code, "score", str(source), str(tmp_path / "out.parquet")]
    environment = os.environ | {"SPARK_LOCAL_IP": "127.0.0.1"}
    done = subprocess.run(
        [*command, "--engine", "spark", "--master", "local[2]"],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    assert done.returncode == 1, done.stderr  # There are bad rows.
    assert f"{expected[0].n_rows:,} rows, {expected[0].n_suggested:,} suggested" in done.stderr
    check(tmp_path / "out.parquet", expected[0], expected)


def here(parts: list[cluster.Part], job: cluster.PartsJob, shipped: Shipped) -> None:
    """Score parts in this process, as a cluster does on its workers."""
    cluster.score_parts(parts, job, unpacked(shipped))


def test_large_files_are_cut(
    source: Path, expected: tuple[Summary, pa.Table, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files that can be read from the middle on are cut into several parts, which together have every row once."""
    monkeypatch.setattr(cluster, "_PART_BYTES", 1 << 17)
    monkeypatch.setattr("deflect.loop.scoring.blocks.BLOCK_BYTES", 1 << 15)
    target = tmp_path / "out.parquet"
    summary = score_on_cluster(str(source), target, here)
    assert len(list(target.iterdir())) > 8
    check(target, summary, expected)
    monkeypatch.setattr(cluster, "_PART_ROWS", 300)
    again = score_on_cluster(str(target), tmp_path / "again.parquet", here)
    assert again.n_rows == summary.n_rows
    assert ds.dataset(tmp_path / "again.parquet").to_table().equals(expected[1])


def failing(n_parts: int) -> Callable[[list[cluster.Part], cluster.PartsJob, Shipped], None]:
    """Return a cluster that breaks down after some parts."""

    def distribute(parts: list[cluster.Part], job: cluster.PartsJob, shipped: Shipped) -> None:
        here(parts[:n_parts], job, shipped)
        raise KeyboardInterrupt

    return distribute


def test_parts_that_are_done_are_not_scored_again(
    source: Path, expected: tuple[Summary, pa.Table, bytes], tmp_path: Path
) -> None:
    """After a breakdown no target is there, and the same call does only what is left."""
    target, said = tmp_path / "out.parquet", []
    with pytest.raises(KeyboardInterrupt):
        score_on_cluster(str(source), target, failing(2))
    assert not target.exists()
    summary = score_on_cluster(str(source), target, here, notify=said.append)
    assert 0 < summary.n_resumed < summary.n_rows
    assert said == ["going on with the parts that an interrupted run has not finished"]
    check(target, summary, expected)


def test_other_options_start_afresh(source: Path, tmp_path: Path) -> None:
    """After a breakdown a call with other options begins from the first part, and says so."""
    target, said = tmp_path / "out.parquet", []
    with pytest.raises(KeyboardInterrupt):
        score_on_cluster(str(source), target, failing(2))
    summary = score_on_cluster(str(source), target, here, columns=["subject"], notify=said.append)
    assert summary.n_resumed == 0
    assert said == ["an earlier run was interrupted, but the options changed since: starting afresh"]


def test_a_target_that_is_no_folder_of_parts_stays(source: Path, tmp_path: Path) -> None:
    """A folder with anything else in it is never replaced."""
    target = tmp_path / "out.parquet"
    target.mkdir()
    (target / "precious.txt").write_text("mine")
    with pytest.raises(ParameterError, match="must be a folder of parts"):
        score_on_cluster(str(source), target, here)
    assert (target / "precious.txt").read_text() == "mine"


def test_a_shipped_bundle_is_the_bundle() -> None:
    """What a worker unpacks has the version and the answers of the bundle that was shipped, and is loaded once."""
    shipped = Shipped.read(None)
    texts = ["our CNAME does not resolve", "thanks"]
    assert unpacked(shipped).suggest_many(texts) == Deflector.load().suggest_many(texts)
    assert unpacked(shipped) is unpacked(Shipped(shipped.version, {}))


def test_dask_needs_a_scheduler() -> None:
    """Without an address there is nothing to connect to."""
    with pytest.raises(ParameterError, match="scheduler must be the address"):
        on_dask(None)


def test_spark_is_asked_for_late() -> None:
    """Choosing Spark starts nothing yet."""
    assert callable(on_spark("local[1]"))
