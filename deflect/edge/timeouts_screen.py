"""Shows a diagnosis of time-outs in a terminal: the time line in blocks, and the routes that matter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.box import SIMPLE
from rich.table import Table
from rich.text import Text

from deflect.diagnose.timeouts.chart import Chart, chart_of
from deflect.edge import screen

if TYPE_CHECKING:
    from rich.console import JustifyMethod

    from deflect.diagnose.timeouts.heads import Floats
    from deflect.diagnose.timeouts.report import Route, TimeoutsDiagnosis

_BLOCKS = " ▁▂▃▄▅▆▇█"
_MAX_COLUMNS = 60
#: The columns beside the path, and the room that each needs: the path takes what is left.
_COLUMNS = {"verdict": 7, "reqs": 6, "share": 6, "p50/p95/p99 s": 13, "own p95": 7, "H12": 5, "waited": 6}
_COLOURS = {"culprit": "red", "victim": "cyan", "slow": "yellow", "unclear": "yellow"}


def show_figures(diagnosis: TimeoutsDiagnosis, *, n_routes: int) -> None:
    """Print the time line, and the routes with the most own time and the most time-outs."""
    chart = chart_of(diagnosis, _MAX_COLUMNS)
    if chart is not None:
        _show_timeline(chart)
    table = Table(header_style="bold", box=SIMPLE, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    table.add_column("path", no_wrap=True, overflow="ellipsis")
    for name, width in _COLUMNS.items():
        justify: JustifyMethod = "left" if name == "verdict" else "right"
        table.add_column(name, justify=justify, no_wrap=True, min_width=width)
    shown = _shown(diagnosis, n_routes)
    for route in shown:
        table.add_row(*_cells(route))
    screen.out.print(table)
    if len(shown) < len(diagnosis.routes):
        screen.out.print(Text(f"{len(diagnosis.routes) - len(shown)} more paths; --json has all", style="dim"))


def _shown(diagnosis: TimeoutsDiagnosis, n_routes: int) -> list[Route]:
    """Choose culprits first, then what timed out most, then what takes most time."""
    ranked = sorted(
        diagnosis.routes, key=lambda route: (route.verdict != "culprit", -route.n_timeouts, -route.share_fraction)
    )
    return ranked[:n_routes]


def _show_timeline(chart: Chart) -> None:
    first, last = chart.times[0], chart.times[-1]
    unit = "s" if chart.column_seconds < 60 else "min"
    per_unit = 1 if unit == "s" else 60
    culprits = chart.culprits.sum(axis=0) if len(chart.culprits) else chart.requests * 0
    for name, row, most, style in (
        ("requests", chart.requests, f"{chart.requests.max() * per_unit:,.0f}/{unit}", "default"),
        ("H12", chart.timeouts, f"{chart.timeouts.max() * per_unit:,.1f}/{unit}", "red"),
        ("other errors", chart.other_errors, f"{chart.other_errors.max() * per_unit:,.1f}/{unit}", "yellow"),
        ("slow paths", culprits, f"{culprits.max():,.1f} threads busy", "blue"),
    ):
        line = Text(f"{name:<13}").append(_blocks(row), style)
        screen.out.print(line.append(f"  up to {most}" if row.any() else "  none", "dim"))
    end = last.strftime("%H:%M:%S" if first.date() == last.date() else "%m-%d %H:%M")
    begin = first.strftime("%Y-%m-%d %H:%M:%S")
    room = max(len(chart.requests) - len(begin) - len(end), 1)
    screen.out.print(Text(f"{'':<13}{begin}{'':<{room}}{end} UTC", style="dim"))


def _blocks(row: Floats) -> str:
    """Draw a row; whatever is there at all is seen."""
    most = float(row.max()) or 1.0
    return "".join(_BLOCKS[-int(-value * 8 // most)] for value in row.tolist())


def _cells(route: Route) -> tuple[Text, ...]:
    seen = "/".join("-" if time is None else _seconds(time) for time in (route.p50_ms, route.p95_ms, route.p99_ms))
    return (
        Text(route.name),
        Text(route.verdict, _COLOURS.get(route.verdict, "default")),
        Text(f"{route.n_requests:,}"),
        Text(f"{100 * route.share_fraction:.1f} %"),
        Text(seen),
        Text("-" if route.own_p95_ms is None else f"{_seconds(route.own_p95_ms)} s"),
        Text(f"{route.n_timeouts:,}"),
        Text("-" if route.verdict == "culprit" else f"{route.n_timeouts_behind:,}"),
    )


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds / 1000:.2g}"
