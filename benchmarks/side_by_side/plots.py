"""The plots of the page, made from the records alone: one colour and one mark for each contender, named at its line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from benchmarks.side_by_side.contenders import CONTENDERS, OURS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

#: Okabe and Ito's colours, which people with colour-blindness can tell apart, and marks for those who print in grey.
_STYLES = dict(zip(CONTENDERS, (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#CC79A7", "D")), strict=True))
_GREY = "#666666"
_STYLE = {
    "axes.edgecolor": _GREY,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 11,
    "font.size": 10,
    "svg.hashsalt": "deflect",  # The same figures give the same file.
}
#: Names at lines stand apart by this part of an axis.
_LEAST_GAP = 0.075


class _Panel(NamedTuple):
    """One panel of a sweep: a quantity, its factor and the title that names its unit."""

    quantity: str
    factor: float
    title: str


def write_plots(found: pd.DataFrame, folder: Path) -> None:
    """Write every plot as SVG."""
    tickets, categories = "tickets to learn from", "categories"
    time, memory = "Training time, s", "Peak memory of training, GB"
    sweeps = (
        ("training", "n_tickets", tickets, (("training_seconds", 1, time), ("training_bytes", 1e-9, memory))),
        (
            "categories",
            "n_categories",
            categories,
            (("training_seconds", 1, time), ("tickets_per_second", 1e-3, "Batch, thousand tickets/s")),
        ),
        (
            "archives",
            "n_tickets",
            "tickets to answer",
            (("archive_seconds", 1, "Time, s"), ("archive_bytes", 1e-9, "Peak memory, GB")),
        ),
    )
    with mpl.rc_context(_STYLE):
        for experiment, by, label, panels in sweeps:
            own = found[found["experiment"] == experiment]
            _save(_sweep(own, by, label, [_Panel(*panel) for panel in panels]), folder / f"{experiment}.svg")
        _save(_accuracy(found[found["experiment"] == "data sets"]), folder / "accuracy.svg")


def _save(figure: Figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})


def _sweep(found: pd.DataFrame, by: str, label: str, panels: Sequence[_Panel]) -> Figure:
    """Draw a panel for each quantity, against the number of tickets or categories, both on a logarithmic axis."""
    figure = Figure(figsize=(10, 4), layout="constrained")
    for axes, panel in zip(figure.subplots(1, len(panels)), panels, strict=True):
        own = found[found["quantity"] == panel.quantity]
        ends = {}
        for name, (colour, mark) in _STYLES.items():
            line = own[own["contender"] == name].sort_values(by)
            if len(line):
                values = line["value"] * panel.factor
                axes.loglog(line[by], values, color=colour, marker=mark, markersize=5, linewidth=1.8)
                ends[name] = (line[by].iloc[-1], values.iloc[-1])
        axes.set(title=panel.title, xlabel=label)
        _plain(axes, sorted(own[by].unique()))
        _name_lines(axes, ends)
    return figure


def _plain(axes: Axes, ticks: Sequence[int]) -> None:
    """Label a logarithmic axis with the sizes themselves, and the other with plain numbers."""
    axes.set_xticks(ticks, [_short(tick) for tick in ticks])
    axes.xaxis.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else "")
    axes.grid(axis="y", which="major", color="#dddddd", linewidth=0.8)


def _short(number: int) -> str:
    """Show 30,000 as 30k."""
    for factor, letter in ((1_000_000, "M"), (1_000, "k")):
        if number >= factor:
            return f"{number / factor:g}{letter}"
    return str(number)


def _name_lines(axes: Axes, ends: dict[str, tuple[float, float]]) -> None:
    """Write each name where its line ends, lifted where two names would meet."""
    low, high = np.log(axes.get_ylim())
    left, right = axes.get_xlim()
    axes.set_xlim(left, right * (right / left) ** 0.25)
    height = -np.inf
    for name, (x, y) in sorted(ends.items(), key=lambda item: item[1][1]):
        place = (np.log(y) - low) / (high - low)
        height = max(place, height + _LEAST_GAP)
        axes.annotate(
            name,
            (x, np.exp(low + height * (high - low))),
            xytext=(9, 0),
            textcoords="offset points",
            color=_STYLES[name][0],
            va="center",
            weight="bold" if name == OURS else "normal",
        )


def _accuracy(found: pd.DataFrame) -> Figure:
    """Draw a panel for each data set: up is more accurate, right is faster."""
    tasks = found["task"].unique()
    figure = Figure(figsize=(3.2 * len(tasks), 3.4), layout="constrained")
    for axes, task in zip(np.ravel(figure.subplots(1, len(tasks))), tasks, strict=True):
        own = found[found["task"] == task].pivot_table(index="contender", columns="quantity", values="value")
        for name, (colour, mark) in _STYLES.items():
            x, y = own.loc[name, "tickets_per_second"], 100 * own.loc[name, "accuracy"]
            axes.semilogx(x, y, mark, color=colour, markersize=8)
            axes.annotate(
                name,
                (x, y),
                xytext=(0, 9),
                textcoords="offset points",
                color=colour,
                ha="center",
                weight="bold" if name == OURS else "normal",
            )
        axes.margins(0.28)
        axes.set(title=task, xlabel="tickets a second")
        axes.xaxis.set_major_formatter(lambda value, _: _short(round(value)))
        axes.grid(color="#dddddd", linewidth=0.8)
    figure.supylabel("accuracy, %")
    return figure
