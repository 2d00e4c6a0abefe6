from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.side_by_side.contenders import CONTENDERS
from benchmarks.side_by_side.page import page, ratios
from benchmarks.side_by_side.plots import write_plots
from benchmarks.side_by_side.record import Record, read_records, write_records
from benchmarks.side_by_side.units import QUANTITIES

#: What every contender had, and what some had else.
USUAL = dict.fromkeys(QUANTITIES, 1.0) | {"accuracy": 0.88, "tickets_per_second": 10_000.0}
OTHERWISE = {
    "deflect": {"training_seconds": 2.0, "tickets_per_second": 300_000.0, "accuracy": 0.9, "first_answer_seconds": 0.3},
    "scikit-learn": {"first_answer_seconds": 3.0},
}
SWEPT = {"training_seconds": 1.0, "training_bytes": 2e8, "tickets_per_second": 1e5}
SWEPT |= {"archive_seconds": 4.0, "archive_bytes": 3e8}


@pytest.fixture
def figures(tmp_path: Path) -> Path:
    """Return a file of records such as a run writes."""
    measured = {name: USUAL | OTHERWISE.get(name, {}) for name in CONTENDERS}
    measured["import numpy"] = {"first_answer_seconds": 0.2}
    found = [
        Record("data sets", "dns", 100, 3, name, quantity, value)
        for name, values in measured.items()
        for quantity, value in values.items()
    ]
    for experiment in ("training", "categories", "archives"):
        for n in (1_000, 4_000):
            found += [Record(experiment, "generated", n, n, "deflect", name, n * SWEPT[name]) for name in SWEPT]
    write_records(tmp_path / "benchmarks" / "figures.csv", found)
    return tmp_path / "benchmarks" / "figures.csv"


def test_more_is_better(figures: Path) -> None:
    """Ratios of times and of rates are both above 1 where deflect is better, below where it is worse."""
    row = next(line for line in ratios(read_records(figures)).splitlines() if "scikit-learn" in line)
    cells = [cell.strip() for cell in row.split("|")[1:-1]]
    assert cells[:6] == ["dns", "100", "3", "scikit-learn", "× 0.50", "× 30.0"]  # noqa: RUF001  # As it is shown.
    assert cells[-1] == "+2.0"


def test_units_of_cold_start(figures: Path) -> None:
    """A cold start is shown in times of `import numpy` and of deflect's own, the quickest first."""
    text = page(read_records(figures), "machine", "versions")
    rows = [line for line in text.splitlines() if line.startswith("| dns") and "ms" in line and line.count("|") == 6]
    assert [row.split(" | ")[1:] for row in rows] == [
        ["import numpy", "200 ms", "× 1.00", "× 0.67 |"],  # noqa: RUF001  # As it is shown.
        ["deflect", "300 ms", "× 1.50", "× 1.00 |"],  # noqa: RUF001  # The same.
    ]


def test_every_plot_is_on_the_page(figures: Path) -> None:
    """The page shows exactly the plots that are drawn."""
    found = read_records(figures)
    write_plots(found, figures.parent)
    text = page(found, "machine", "versions")
    assert sorted(path.name for path in figures.parent.glob("*.svg")) == [
        "accuracy.svg",
        "archives.svg",
        "categories.svg",
        "training.svg",
    ]
    assert all(f"(benchmarks/{path.name})" in text for path in figures.parent.glob("*.svg"))


def test_plots_are_reproducible(figures: Path, tmp_path: Path) -> None:
    """The same figures give the same plots, byte for byte."""
    found = read_records(figures)
    for folder in ("one", "two"):
        write_plots(found, tmp_path / folder)
    assert (tmp_path / "one" / "training.svg").read_bytes() == (tmp_path / "two" / "training.svg").read_bytes()
