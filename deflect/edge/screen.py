"""Shows progress, suggestions and reports in a terminal: answers to stdout, everything else to stderr."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from deflect.errors import DeflectError

if TYPE_CHECKING:
    from collections.abc import Callable

    from deflect.line.suggestion import Suggestion
    from deflect.loop.evaluation import CategoryReport, Report
    from deflect.loop.records import RowFault

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

#: So many bad rows are named on the screen; the rest is counted.
_SHOWN_FAULTS = 20
_BANNER_COLOURS = {"critical": "bold red", "major": "red", "minor": "yellow"}


def say(text: str) -> None:
    """Say something to the person who runs the command."""
    err.print(escape(text))


@contextmanager
def errors() -> Iterator[None]:
    """Turn what deflect raises on purpose into one message and exit code 2."""
    try:
        yield
    except DeflectError as error:
        err.print("error:", style="bold red", end=" ")
        say(str(error))
        raise typer.Exit(2) from None
    except KeyboardInterrupt:
        say("stopped; nothing was written")
        raise typer.Exit(130) from None


@contextmanager
def stages() -> Iterator[Callable[[str, int, int], None]]:
    """Show a bar for each stage of a training run that reports ``(stage, done, total)``."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        tasks: dict[str, int] = {}

        def report(stage: str, done: int, total: int) -> None:
            task = tasks.get(stage)
            if task is None:
                task = tasks[stage] = progress.add_task(stage, total=total)
            progress.update(progress.task_ids[task], completed=done)

        yield report


@contextmanager
def rows() -> Iterator[Callable[[int, int, int], None]]:
    """Show a bar for a scoring run that reports ``(rows done, bytes done, bytes in all)``."""
    speed = TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} a second")
    with Progress(
        TextColumn("scoring"), BarColumn(), speed, TimeRemainingColumn(), console=err, transient=True
    ) as progress:
        task = progress.add_task("scoring", total=None, rows=0, rate=0)
        first: list[tuple[float, int]] = []

        def report(n_rows: int, n_bytes: int, n_bytes_total: int) -> None:
            # From the first report on: what an interrupted run had done is not this run's speed.
            first.append((time.monotonic(), n_rows)) if not first else None
            seconds = time.monotonic() - first[0][0]
            rate = (n_rows - first[0][1]) / seconds if seconds > 0 else 0
            progress.update(task, completed=n_bytes, total=n_bytes_total, rows=n_rows, rate=rate)

        yield report


@contextmanager
def log_bytes() -> Iterator[Callable[[int, int, int], None]]:
    """Show how far a log is read, where that is seen: ``(bytes, requests, time-outs)``."""
    columns = (TextColumn("{task.fields[said]}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("reading", total=None, said="reading")

        def report(n_bytes: int, n_requests: int, n_timeouts: int) -> None:
            said = f"{n_bytes / 1e6:,.1f} MB, {n_requests:,} requests, {n_timeouts:,} H12"
            progress.update(task, said=said)

        yield report


def show_faults(faults: Sequence[RowFault]) -> None:
    """Name the bad rows of a file by their line."""
    for fault in faults[:_SHOWN_FAULTS]:
        say(f"line {fault.line}: {fault.reason}")
    if len(faults) > _SHOWN_FAULTS:
        say(f"... and {len(faults) - _SHOWN_FAULTS} more bad rows")


def show_suggestion(suggestion: Suggestion) -> None:
    """Show what a customer would see, and why."""
    head = Text(f"{suggestion.category or '-'}  {_percent(suggestion.probability)}", style="bold")
    if suggestion.decision == "abstain":
        head.append(f"  nothing to show: {suggestion.reason}", style="yellow")
    out.print(head)
    if suggestion.banner:
        lines = suggestion.banner.to_text().splitlines()
        style = _BANNER_COLOURS.get(suggestion.banner.severity, "cyan")
        for line in lines if suggestion.banner.level == "banner" else lines[:1]:
            out.print(Text(f"  {line}", style=style))
    if suggestion.lead:
        out.print(Text(f"  {suggestion.lead}"))
    for article in suggestion.articles:
        out.print(Text(f"  article: {article.title}  {article.url}"))
    if suggestion.tool:
        where = suggestion.tool.url or f"built-in diagnosis: {suggestion.tool.diagnosis}"
        out.print(Text(f"  tool:    {suggestion.tool.name}  ({where})"))
    if suggestion.evidence:
        out.print(Text("  words:   " + ", ".join(word.text for word in suggestion.evidence), style="dim"))


def show_form(form: Mapping[str, str], run: str) -> None:
    """Show what would be filled into a tool's form, and what runs the tool."""
    filled = ", ".join(f"{name} = {value}" for name, value in form.items()) or "nothing is certain"
    out.print(Text(f"  form:    {filled}"))
    out.print(Text(f"  run:     {run}"))


def _percent(probability: float) -> str:
    """Return a probability for people, who would read 100 % as certainty."""
    return ">99 %" if probability > 0.99 else f"{probability:.0%}".replace("%", " %")


def show_report(report: Report) -> None:
    """Show how each category does on the test tickets, and whether its promise holds."""
    table = Table(header_style="bold", box=SIMPLE, pad_edge=False, show_edge=False, padding=(0, 1, 0, 0))
    for name in ("category", "tickets", "accepted", "precision", "95 % CI", "coverage", "promise"):
        table.add_column(name, justify="left" if name in {"category", "promise"} else "right", no_wrap=True)
    for row in report.categories:
        table.add_row(*_cells(row))
    out.print(table)
    accepted = (
        f"{report.coverage:.1%} accepted, {report.precision:.1%} of these right"
        if report.n_accepted
        else "none accepted"
    )
    out.print(
        f"{report.n_tickets} test tickets: accuracy {report.accuracy:.1%}, calibration error "
        f"{report.calibration_error:.3f}, {accepted}"
    )


def _cells(row: CategoryReport) -> tuple[str, ...]:
    if not row.n_accepted:
        return escape(row.category), str(row.n_tickets), "0", "-", "-", "-", _promise(row)
    low, high = row.interval
    figures = (str(row.n_accepted), f"{row.precision:.1%}", f"{100 * low:.1f}-{100 * high:.1f}", f"{row.coverage:.1%}")
    return escape(row.category), str(row.n_tickets), *figures, _promise(row)


def _promise(row: CategoryReport) -> str:
    if row.verdict == "silent":
        return f"silent (needs {row.promise.n_needed}+)"
    return f"{row.promise.target_precision:.0%} {row.verdict}"


def quoted(ticket: str) -> Text:
    """Return a ticket as somebody's words."""
    return Text(f"> {ticket}", style="italic")
