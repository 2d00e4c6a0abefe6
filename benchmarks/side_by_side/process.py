"""Measures in a process of its own: ``python -m ...process MEASURE CONTENDER PATH ...`` prints figures as JSON."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

from benchmarks.side_by_side.contenders import contender

Figures = dict[str, float]


def in_own_process(measure: str, name: str, *paths: Path) -> Figures:
    """Return what a measure of a contender finds in a fresh process."""
    command = [sys.executable, "-m", "benchmarks.side_by_side.process", measure, name, *map(str, paths)]
    figures: Figures = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout)
    return figures


def seconds_of(program: str, *arguments: str) -> float:
    """Return how long a fresh interpreter takes for a program."""
    begun = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, *arguments], check=True, capture_output=True)
    return time.perf_counter() - begun


def timed(call: Callable[[], object]) -> float:
    """Return how long a call takes."""
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


def peak_bytes() -> float:
    """Return the most memory that this process has had.

    The kernel's figure of the address space; that of ``getrusage`` begins with what the parent process had.
    """
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text("ascii").splitlines())
    return 1024 * float(status["VmHWM"].removesuffix("kB"))


if __name__ == "__main__":
    kind, chosen, *places = sys.argv[1:]
    measured = import_module(f"benchmarks.side_by_side.measures.{kind}").measure(contender(chosen), *map(Path, places))
    sys.stdout.write(json.dumps(measured))
