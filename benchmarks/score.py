"""deflect score beside pandas and scikit-learn: a CSV.gz of tickets to Parquet, rate and memory of the process tree.

python benchmarks/score.py [N_ROWS ...]     default: 50000 500000. The rows are the starter tickets, words shuffled.
"""

from __future__ import annotations

import csv
import gzip
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import psutil
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


def measured(command: Sequence[str]) -> tuple[float, float]:
    """Run a command; return its seconds, and the peak of its processes' memory in MB, what they share counted once."""
    begun, peak = time.perf_counter(), 0.0
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        is_done = threading.Event()

        def watch() -> None:
            nonlocal peak
            while not is_done.wait(0.2):
                peak = max(peak, _megabytes(process.pid))

        watcher = threading.Thread(target=watch)
        watcher.start()
        code = process.wait()
        seconds = time.perf_counter() - begun
        is_done.set()
        watcher.join()
    if code:
        sys.exit(f"{command[0]} must end well. It ended with {code}.")
    return seconds, peak


def _megabytes(pid: int) -> float:
    """Return the memory of a process and all below it, pages that several share divided among them."""
    try:
        root = psutil.Process(pid)
        return sum(one.memory_full_info().pss for one in [root, *root.children(recursive=True)]) / 1e6
    except psutil.NoSuchProcess:
        return 0.0


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
                "deflect, every core": score,
            }
            print(f"{n_rows:,} rows, {source.stat().st_size / 1e6:,.0f} MB")
            for name, command in runs.items():
                seconds, peak = measured(command)
                print(f"  {name:<22} {n_rows / seconds:>9,.0f} rows/s {seconds:>7.1f} s {peak:>6,.0f} MB", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--usual"]:
        score_usual(*sys.argv[2:5])
    else:
        main([int(size) for size in sys.argv[1:]] or [50_000, 500_000])
