"""deflect score beside pandas and scikit-learn: a CSV.gz of tickets to Parquet, rate and memory.

python benchmarks/score.py [N_ROWS ...]     default: 50000 500000. The rows are the starter tickets, words shuffled.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from deflect import read_tickets
from deflect.line.bundle import starter_bundle

TICKETS = Path(__file__).resolve().parents[1] / "data" / "starter_tickets.csv"
COLUMNS = ("ticket_id", "created_at", "requester", "subject", "body")
#: What the usual script calls sure enough.
LEAST_MARGIN = 0.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Measured:
    """What a command took: seconds, those of processors, and megabytes at its peak."""

    seconds: float
    processor_seconds: float
    peak: float


def write_archive(path: Path, n_rows: int) -> None:
    """Write so many tickets to a CSV.gz: starter tickets with the words of the body shuffled."""
    tickets = pd.read_csv(TICKETS, dtype=str, keep_default_na=False)
    rows = tickets[list(COLUMNS)].to_numpy().tolist()
    rng = random.Random(0)  # noqa: S311  # Rows for a benchmark are no secret.
    with gzip.open(path, "wt", compresslevel=1, newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for i in range(n_rows):
            _, created_at, requester, subject, body = rows[rng.randrange(len(rows))]
            words = body.split(" ")
            rng.shuffle(words)
            writer.writerow((f"T{i:08d}", created_at, requester, subject, " ".join(words)))


def train_usual(path: Path) -> None:
    """Train the usual pipeline on the starter tickets, and save it with joblib."""
    tickets = read_tickets(TICKETS)
    features = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2)
    joblib.dump(make_pipeline(features, LinearSVC()).fit(tickets["text"], tickets["category"]), path)


def score_usual(source: str, target: str, model: str) -> None:
    """Score as it is usually written: chunks of pandas, one call of the pipeline each, a Parquet writer."""
    pipeline = joblib.load(model)
    writer = None
    for chunk in pd.read_csv(source, chunksize=50_000, dtype=str, keep_default_na=False):
        margins = pipeline.decision_function(chunk["subject"] + "\n" + chunk["body"])
        best = margins.argmax(axis=1)
        chunk["category"] = pipeline.classes_[best]
        chunk["margin"] = margins[np.arange(len(best)), best]
        chunk["decision"] = np.where(chunk["margin"] >= LEAST_MARGIN, "suggest", "abstain")
        table = pa.Table.from_pandas(chunk, preserve_index=False)
        writer = writer or pq.ParquetWriter(target, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def measured(command: Sequence[str]) -> Measured:
    """Run a command; none of them starts processes of its own."""
    begun, peak, done = time.perf_counter(), 0.0, 0
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        while not done:
            time.sleep(_LOOK_SECONDS)
            peak = max(peak, _peak(process.pid))
            done, status, usage = os.wait4(process.pid, os.WNOHANG)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[0]} must end well. It ended with {process.returncode}.")
    return Measured(time.perf_counter() - begun, usage.ru_utime + usage.ru_stime, peak)


def _peak(pid: int) -> float:
    """Return the most memory that a process has had so far; what wait4 says counts the process that started it."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    return int(found[1]) / 1e3 if found else 0.0


def main(sizes: Sequence[int]) -> None:
    """Measure on archives of each size."""
    deflect = str(Path(sys.executable).with_name("deflect"))
    one_core = ["taskset", "-c", str(min(os.sched_getaffinity(0)))]
    with tempfile.TemporaryDirectory() as folder:
        usual = Path(folder, "usual.joblib")
        train_usual(usual)
        for n_rows in sizes:
            source, target = Path(folder, "in.csv.gz"), str(Path(folder, "out.parquet"))
            write_archive(source, n_rows)
            score = [deflect, "score", str(source), target, "--model", str(starter_bundle())]
            runs = {
                "pandas + scikit-learn": [sys.executable, __file__, "--usual", str(source), target, str(usual)],
                "deflect, one core": [*one_core, *score, "--workers", "1"],
                "deflect, two workers": [*score, "--workers", "2"],
            }
            print(f"{n_rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB")
            for name, command in runs.items():
                took = measured(command)
                times = f"{took.seconds:>7.1f} s {took.processor_seconds:>7.1f} s of processors"
                print(f"  {name:<22} {n_rows / took.seconds:>9,.0f} rows/s {times} {took.peak:>6,.0f} MB", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--usual"]:
        score_usual(*sys.argv[2:5])
    else:
        main([int(size) for size in sys.argv[1:]] or [50_000, 500_000])
