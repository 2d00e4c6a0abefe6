"""Draws the time line: requests, errors, and how many threads the culprits keep busy."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deflect.diagnose.timeouts.chart import Chart, chart_of
from deflect.diagnose.timeouts.heads import Floats
from deflect.diagnose.timeouts.report import TimeoutsDiagnosis
from deflect.errors import DiagnosisError, OptionalDependencyError, ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_FORMATS = (".png", ".svg", ".pdf")
_MAX_COLUMNS = 120
_MAX_CULPRITS = 4
_MAX_LABEL = 60
#: Matplotlib counts days.
_DAY_SECONDS = 86400
#: Okabe and Ito's colours, which colour-blind people can tell apart.
_GREY, _DARK, _RED, _BLUE = "#9AA0A6", "#333333", "#D55E00", "#56B4E9"
_CULPRITS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", _GREY)
#: Legends stand above their axes, where they hide nothing.
_LEGEND: dict[str, Any] = {"loc": "lower left", "bbox_to_anchor": (-0.01, 0.97), "fontsize": 8, "frameon": False}


def plot_timeouts(diagnosis: TimeoutsDiagnosis, path: str | os.PathLike[str]) -> None:
    """Draw the time line of a diagnosis into a PNG, SVG or PDF file.

    Use it for a ticket's answer or a post-mortem. It needs the extra ``plot``.

    Parameters
    ----------
    diagnosis
        What ``diagnose_timeouts`` returned.
    path
        The file; its name says the format.

    Raises
    ------
    ParameterError
        The file's name ends in something else, or it cannot be written.
    DiagnosisError
        The log has no times.
    OptionalDependencyError
        Matplotlib is not installed.

    Examples
    --------
    >>> plot_timeouts(TimeoutsDiagnosis("timeouts", "app.log"), "timeline.gif")
    Traceback (most recent call last):
    ...
    deflect.errors.ParameterError: A plot must be a .png, .svg or .pdf file. Got timeline.gif instead.

    """
    check_plot(path)
    chart = chart_of(diagnosis, _MAX_COLUMNS)
    if chart is None:
        msg = f"A plot must have a time line. Got {diagnosis.subject}, whose lines have no time. Leave the plot out."
        raise DiagnosisError(msg)
    try:
        _figure(diagnosis, chart).savefig(path, dpi=150)
    except OSError as error:
        msg = f"A plot must be a file that can be written. Got {os.fspath(path)}: {error.strerror or error}."
        raise ParameterError(msg) from error


def check_plot(path: str | os.PathLike[str]) -> None:
    """Check before the work that a plot can be drawn; raises what ``plot_timeouts`` would."""
    if Path(path).suffix.lower() not in _FORMATS:
        msg = f"A plot must be a .png, .svg or .pdf file. Got {os.fspath(path)} instead."
        raise ParameterError(msg)
    if not Path(path).parent.is_dir():
        msg = f"A plot must be in a directory that exists. Got {os.fspath(path)}. Make the directory first."
        raise ParameterError(msg)
    if find_spec("matplotlib") is None:
        raise OptionalDependencyError(package="matplotlib", extra="plot")


def _figure(diagnosis: TimeoutsDiagnosis, chart: Chart) -> Figure:
    from matplotlib.dates import ConciseDateFormatter
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 6.2), layout="constrained")
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(2, 2, 3))
    _draw(top, chart, "requests/s", {"requests": chart.requests}, (_GREY,))
    errors = {"H12": chart.timeouts, "other errors": chart.other_errors}
    seen = {name: row * chart.column_seconds for name, row in errors.items() if name == "H12" or row.any()}
    _draw(middle, chart, f"errors in {_span(chart.column_seconds)}", seen, (_RED, _BLUE))
    _draw(bottom, chart, "threads kept busy", _by_culprit(diagnosis, chart), _CULPRITS)
    top.set_title(_title(diagnosis), loc="left", fontsize=11)
    middle.yaxis.get_major_locator().set_params(integer=True)
    middle.legend(ncols=2, **_LEGEND)
    if diagnosis.culprits:
        bottom.legend(ncols=3, **_LEGEND)
    for axes in (top, middle, bottom):
        _mark_releases(axes, diagnosis, chart, is_named=axes is top)
    bottom.xaxis_date()
    locator = bottom.xaxis.get_major_locator()
    bottom.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call] # As it comes.
    bottom.set_xlabel("time (UTC)")
    return figure


def _span(seconds: float) -> str:
    return (
        f"{seconds:.0f} s"
        if seconds < 120
        else f"{seconds / 60:.3g} min"
        if seconds < 7200
        else f"{seconds / 3600:.3g} h"
    )


def _draw(axes: Axes, chart: Chart, label: str, rows: Mapping[str, Floats], colours: Sequence[str]) -> None:
    """Draw rows on top of each other, as steps as wide as a column."""
    edges = np.array([at.timestamp() for at in chart.times] + [chart.times[-1].timestamp() + chart.column_seconds])
    edges /= _DAY_SECONDS
    floor = np.zeros(len(chart.requests))
    for (name, row), colour in zip(rows.items(), colours, strict=False):
        axes.stairs(floor + row, edges, baseline=floor, fill=True, color=colour, label=name, linewidth=0)
        floor = floor + row
    axes.set_ylabel(label, fontsize=9)
    axes.set_ylim(0, max(float(floor.max()) * 1.08, 1e-9))
    axes.set_xlim(edges[0], edges[-1])
    axes.margins(x=0)
    axes.tick_params(labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", linewidth=0.4, alpha=0.5)
    axes.set_axisbelow(True)


def _by_culprit(diagnosis: TimeoutsDiagnosis, chart: Chart) -> dict[str, Floats]:
    """Return the row of each culprit, the worst first; those that are too many for the colours in one."""
    names = [route.name for route in diagnosis.culprits]
    rows = {
        name if len(name) <= _MAX_LABEL else name[: _MAX_LABEL - 1] + "…": row
        for name, row in zip(names[:_MAX_CULPRITS], chart.culprits, strict=False)
    }
    if len(names) > _MAX_CULPRITS:
        rows[f"{len(names) - _MAX_CULPRITS} more"] = chart.culprits[_MAX_CULPRITS:].sum(axis=0)
    return rows


def _mark_releases(axes: Axes, diagnosis: TimeoutsDiagnosis, chart: Chart, *, is_named: bool) -> None:
    for release in diagnosis.releases:
        at = datetime.fromisoformat(release.at)
        if chart.times[0] <= at <= chart.times[-1]:
            day = at.timestamp() / _DAY_SECONDS
            axes.axvline(day, color=_DARK, linewidth=0.9, linestyle=(0, (4, 3)))
            if is_named:
                axes.annotate(
                    release.name,
                    (day, 1),
                    xycoords=("data", "axes fraction"),
                    xytext=(3, -2),
                    textcoords="offset points",
                    va="top",
                    fontsize=8,
                    color=_DARK,
                    parse_math=False,
                )


def _title(diagnosis: TimeoutsDiagnosis) -> str:
    n = len(diagnosis.culprits)
    paths = (
        "no path slow by itself" if not n else "1 path slow by itself" if n == 1 else f"{n} paths slow by themselves"
    )
    name = diagnosis.subject if len(diagnosis.subject) <= _MAX_LABEL else "…" + diagnosis.subject[-_MAX_LABEL:]
    return f"{name}: {diagnosis.n_requests:,} requests, {diagnosis.n_timeouts:,} H12, {paths}".replace("$", r"\$")
