"""The run: measure, print the ratios, write the page and its plots."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.side_by_side.experiments import FULL, QUICK, TINY, experiments
from benchmarks.side_by_side.machine import machine, versions
from benchmarks.side_by_side.page import page, ratios
from benchmarks.side_by_side.plots import write_plots
from benchmarks.side_by_side.record import read_records, write_records

_SIZES = {"quick": QUICK, "full": FULL, "tiny": TINY}


def main() -> None:
    """Measure, and write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.side_by_side", description=__doc__)
    parser.add_argument("--sizes", choices=_SIZES, default="quick", help="quick: minutes; full: hours; tiny: a test")
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="folder of the page (default: docs)")
    options = parser.parse_args()
    where = machine()
    figures = options.docs / "benchmarks" / "figures.csv"
    with tempfile.TemporaryDirectory() as scratch:
        write_records(figures, experiments(Path(scratch), _SIZES[options.sizes]))
    found = read_records(figures)
    write_plots(found, figures.parent)
    (options.docs / "benchmarks.md").write_text(page(found, where, versions()), encoding="utf-8")
    sys.stdout.write(ratios(found) + "\n")


if __name__ == "__main__":
    main()
