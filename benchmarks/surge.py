"""False alarms and delay of the surge monitor, on the time stamps of a real archive.

python benchmarks/surge.py CSV.GZ [--texts]     columns created_at, label and text; --texts looks at similar tickets too
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import pandas as pd

from deflect.incidents.surge import Surge, SurgeMonitor

STATED = 1.0
N_SHUFFLES = 3
SIZES = (5, 10, 20, 40)
DAYS_BETWEEN = 9
MONTH_DAYS = 30.44
N_WITH_TEXTS = 15_000


@dataclass(frozen=True)
class Planted:
    """A surge of one category that was put in: its size and its first ticket."""

    size: int
    category: str
    start: datetime


def shuffled(frame: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Move each ticket by up to four weeks: weekday and hour stay, and whatever came in one go is scattered."""
    moved = frame["at"] + pd.to_timedelta(7 * rng.integers(-4, 5, len(frame)), unit="D")
    return frame.assign(at=moved).sort_values("at", ignore_index=True)


def alarms(frame: pd.DataFrame, *, texts: bool) -> list[Surge]:
    """Return what the monitor says about an archive."""
    monitor = SurgeMonitor(false_alarms_per_month=STATED)
    rows = zip(frame["at"].dt.to_pydatetime(), frame["text"], frame["label"], strict=True)
    return [surge for at, text, label in rows for surge in monitor.add(at, text if texts else "", label)]


def with_surges(frame: pd.DataFrame, rng: np.random.Generator) -> tuple[pd.DataFrame, list[Planted]]:
    """Put a surge of 15 minutes in every nine days, with near copies of one ticket."""
    counts = frame["label"].value_counts()
    names = counts[counts > len(frame) / 100].index.tolist()
    planted, parts = [], [frame]
    start, end = frame["at"].min() + timedelta(days=60), frame["at"].max()
    while start < end:
        size, category = SIZES[len(planted) % len(SIZES)], str(rng.choice(names))
        first = start + timedelta(hours=float(rng.uniform(0, 24)))
        offsets = np.sort(rng.uniform(0, 15, size)) - 0.0
        words = frame["text"].iloc[int(rng.integers(len(frame)))].split()
        wave = pd.DataFrame({"at": [first + timedelta(minutes=float(m)) for m in offsets], "label": category})
        wave["text"] = [" ".join((*words[:60], str(rng.choice(words)))) for _ in range(size)]
        planted.append(Planted(size, category, wave["at"].iloc[0]))
        parts.append(wave)
        start += timedelta(days=DAYS_BETWEEN)
    return pd.concat(parts).sort_values("at", ignore_index=True), planted


def of(surge: Surge, planted: Sequence[Planted]) -> Planted | None:
    """Return the planted surge that an alarm belongs to."""
    return next((one for one in planted if timedelta(0) <= surge.at - one.start <= timedelta(minutes=90)), None)


def show(name: str, frame: pd.DataFrame, *, texts: bool) -> None:
    """Print how often it alarms on an archive as it is."""
    months = (frame["at"].max() - frame["at"].min()) / timedelta(days=MONTH_DAYS)
    start = time.perf_counter()
    found = alarms(frame, texts=texts)
    spent = time.perf_counter() - start
    kinds = dict(Counter(surge.kind for surge in found))
    days = len({surge.at.date() for surge in found})
    rate = f"{len(found) / months:.2f} a month on {days} days (stated at most {STATED:g})"
    print(f"{name}: {len(frame):,} tickets, {len(found)} alarms {kinds}, {rate}; {len(frame) / spent:,.0f} tickets/s")


def show_planted(frame: pd.DataFrame, rng: np.random.Generator, *, texts: bool) -> None:
    """Print which planted surges are seen, and how long after their first ticket."""
    whole, planted = with_surges(frame, rng)
    first: dict[Planted, Surge] = {}
    n_other = 0
    for surge in alarms(whole, texts=texts):
        one = of(surge, planted)
        n_other += one is None
        if one:
            first.setdefault(one, surge)
    for size in SIZES:
        own = [one for one in planted if one.size == size]
        delays = [(first[one].at - one.start).total_seconds() / 60 for one in own if one in first]
        kinds = dict(Counter(first[one].kind for one in own if one in first))
        middle = f"{np.median(delays):.1f} min" if delays else "-"
        print(f"  {size:>3} in 15 minutes: {len(delays)} of {len(own)} seen, median delay {middle}, first by {kinds}")
    print(f"  {n_other} other alarms")


def main(path: str, *, texts: bool) -> None:
    """Print all figures."""
    frame = pd.read_csv(path)
    frame["at"] = pd.to_datetime(frame["created_at"], utc=True)
    frame = frame[["at", "text", "label"]].sort_values("at", ignore_index=True)
    if texts:
        frame = frame.tail(N_WITH_TEXTS).reset_index(drop=True)
    show("as it is", frame, texts=texts)
    for seed in range(1 if texts else N_SHUFFLES):
        rng = np.random.default_rng(seed)
        scattered = shuffled(frame, rng)
        show(f"scattered, draw {seed}", scattered, texts=texts)
        show_planted(scattered, rng, texts=texts)


if __name__ == "__main__":
    main(sys.argv[1], texts="--texts" in sys.argv)
