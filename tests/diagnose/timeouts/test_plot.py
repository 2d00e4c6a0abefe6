"""The drawn time line."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from deflect.diagnose import TimeoutsDiagnosis, plot_timeouts
from deflect.diagnose.timeouts.chart import chart_of
from deflect.errors import DiagnosisError, ParameterError

Diagnose = Callable[[Iterable[str]], TimeoutsDiagnosis]
Line = Callable[..., str]


@pytest.fixture(scope="module")
def diagnosis(diagnose: Diagnose, line: Line) -> TimeoutsDiagnosis:
    """Return a diagnosis with a culprit, time-outs, another error, a release, and a line with a wrong year."""
    lines = [line(20 * i, "/$slow$/9", 14_000) for i in range(50)] + [line(i, "/", 12) for i in range(1000)]
    lines += [line(500 + i, "/", 30_000, code="H12") for i in range(5)] + [line(700, "/", 3, code="H13")]
    lines += [f"{line(100, '/', 1)[:33]}app[api]: Release v42 created by a", line(3, "/", 1).replace("2026", "1990", 1)]
    return diagnose(lines)


@pytest.mark.parametrize(("suffix", "begins"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("PDF", b"%PDF")])
def test_formats(diagnosis: TimeoutsDiagnosis, tmp_path: Path, suffix: str, begins: bytes) -> None:
    """The file's name says the format."""
    plot_timeouts(diagnosis, tmp_path / f"plot.{suffix}")
    assert (tmp_path / f"plot.{suffix}").read_bytes().startswith(begins)


def test_what_is_drawn(diagnosis: TimeoutsDiagnosis, tmp_path: Path) -> None:
    """The plot names the culprit, the errors and the release."""
    plot_timeouts(diagnosis, tmp_path / "plot.svg")
    drawn = set(re.findall(r"<!-- (.*?) -->", (tmp_path / "plot.svg").read_text("utf-8")))
    assert {"GET /$slow$/{id}", "H12", "other errors", "v42", "requests/s"} <= drawn


def test_chart(diagnosis: TimeoutsDiagnosis) -> None:
    """The columns hold what the time line holds, without the line that has a wrong year."""
    chart = chart_of(diagnosis, 60)
    assert chart is not None
    assert len(chart.times) <= 60
    assert "2026-11-22T23:59" < chart.begins.isoformat() <= "2026-11-23T00:00:00+00:00"
    assert chart.timeouts.sum() * chart.column_seconds == pytest.approx(5)
    assert chart.requests.sum() * chart.column_seconds == pytest.approx(diagnosis.n_requests, abs=5)


def test_no_times(diagnose: Diagnose, line: Line, tmp_path: Path) -> None:
    """Without times there is nothing to draw."""
    diagnosis = diagnose([line(1, "/", 3)[33:]])
    assert chart_of(diagnosis, 60) is None
    with pytest.raises(DiagnosisError, match="A plot must have a time line"):
        plot_timeouts(diagnosis, tmp_path / "plot.png")


@pytest.mark.parametrize("name", ["plot.gif", "plot", "missing/plot.png"])
def test_names(diagnosis: TimeoutsDiagnosis, tmp_path: Path, name: str) -> None:
    """Another format, or a folder that does not exist, is an error."""
    with pytest.raises(ParameterError, match="A plot must be"):
        plot_timeouts(diagnosis, tmp_path / name)
