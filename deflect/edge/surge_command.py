"""``deflect surge``: watches a stream of tickets; exit code 0 no surge, 1 surges, 2 could not watch."""

from __future__ import annotations

import csv
import itertools
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, BinaryIO

import typer
from rich.text import Text

from deflect.edge import screen
from deflect.errors import TicketFileError

if TYPE_CHECKING:
    from deflect.incidents.feed import IncidentFeed
    from deflect.incidents.surge import Surge

Rows = Iterator[Mapping[str, object]]
_MAX_LINE = 1_000_000


def surge(
    source: Annotated[
        Path | None, typer.Argument(help="Tickets, oldest first: CSV, JSONL or Parquet. Without it, stdin is watched.")
    ] = None,
    time: Annotated[str, typer.Option(help="Column of the time.")] = "created_at",
    text: Annotated[
        list[str] | None, typer.Option(help="Column of text; repeat for several. Default: subject, body.")
    ] = None,
    category: Annotated[
        str, typer.Option(help="Column of the category; without one, the model tells it.")
    ] = "category",
    model: Annotated[
        Path | None, typer.Option("--model", "-m", help="Bundle directory; default is the starter bundle.")
    ] = None,
    false_alarms_per_month: Annotated[float, typer.Option(help="Alarms a month that chance may give.")] = 1.0,
    least_tickets: Annotated[int, typer.Option(help="Fewer tickets are no surge.")] = 5,
    warm_up_days: Annotated[float, typer.Option(help="Days to watch before the first alarm.")] = 14.0,
    status: Annotated[
        str | None, typer.Option(help="Status page: alarms name the incident that it has posted.")
    ] = None,
    webhook: Annotated[str | None, typer.Option(help="Address to post each alarm to, as JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each alarm.")] = False,
) -> None:
    """Watch tickets and tell when more come than can be chance."""
    with screen.errors(), ExitStack() as stack:
        from deflect.incidents.surge import SurgeMonitor
        from deflect.loop.tickets import ticket_text

        post = _webhook(webhook)
        monitor = SurgeMonitor(
            false_alarms_per_month=false_alarms_per_month,
            least_tickets=least_tickets,
            warm_up_days=warm_up_days,
            source=stack.enter_context(_feed(status)) if status else None,
        )
        categorise = _categoriser(category, model)
        columns = text or ["subject", "body"]
        n_tickets = n_bad = n_surges = 0
        for row in stack.enter_context(_rows(source)):
            at = _time(row.get(time))
            if at is None:
                n_bad += 1
                continue
            whole = ticket_text(row, columns)
            n_tickets += 1
            for found in monitor.add(at, whole, categorise(row, whole)):
                n_surges += 1
                _tell(found, post, as_json=as_json)
        screen.say(f"{n_tickets:,} tickets, {n_bad:,} rows without a time, {n_surges:,} surges")
        if n_bad and not n_tickets:
            msg = (
                f"The tickets must have a column {time!r} of times. Got none that can be read. Name it: --time COLUMN."
            )
            raise TicketFileError(msg)
    raise typer.Exit(1 if n_surges else 0)


@contextmanager
def _rows(source: Path | None) -> Iterator[Rows]:
    if source is None:
        yield _stream(sys.stdin.buffer)
        return
    from deflect.loop.records import Row
    from deflect.loop.rows import open_rows

    with open_rows(source) as rows:
        yield (item.cells if isinstance(item, Row) else {} for item in rows.items)


def _stream(stream: BinaryIO) -> Rows:
    """Yield the rows of a stream as they come: a JSON object a line, or CSV if the first line is none."""
    lines = (line.decode("utf-8-sig", "replace") for line in iter(lambda: stream.readline(_MAX_LINE), b""))
    first = next((line for line in lines if line.strip()), "")
    everything = itertools.chain([first], lines)
    if first.lstrip().startswith("{"):
        for line in everything:
            if line.strip():
                yield _object(line)
    elif first:
        csv.field_size_limit(_MAX_LINE)
        try:
            yield from csv.DictReader(everything)
        except csv.Error as error:
            msg = f"stdin must be CSV or JSON lines. Got a line that is neither: {error}."
            raise TicketFileError(msg) from None


def _object(line: str) -> Mapping[str, object]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _time(value: object) -> datetime | None:
    """Read a time: ISO 8601, seconds since 1970, or what Parquet has; without a zone it is taken for UTC."""
    try:
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, UTC)
        at = datetime.fromisoformat(value.strip()) if isinstance(value, str) else value
    except (ValueError, OverflowError, OSError):
        return None
    if not isinstance(at, datetime):
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _categoriser(column: str, model: Path | None) -> Callable[[Mapping[str, object], str], str | None]:
    """Return what tells a ticket's category: its own column, else the model, which is loaded when first needed."""
    from deflect.line.deflector import Deflector

    loaded: list[Deflector] = []

    def categorise(row: Mapping[str, object], text: str) -> str | None:
        if column in row and model is None:
            return str(row[column] or "").strip() or None
        if not loaded:
            loaded.append(Deflector.load(model))
        return loaded[0].suggest_many([text])[0].category

    return categorise


def _webhook(url: str | None) -> Callable[[Mapping[str, object]], str]:
    if url is None:
        return lambda _: ""
    from deflect.edge.webhook import open_webhook

    return open_webhook(url)


def _feed(status: str) -> IncidentFeed:
    from deflect.incidents.feed import IncidentFeed

    return IncidentFeed(status)


def _tell(found: Surge, post: Callable[[Mapping[str, object]], str], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(found.to_dict(), ensure_ascii=False))
    else:
        screen.out.print(Text(found.to_text()))
    sys.stdout.flush()
    if fault := post(found.to_dict()):
        screen.say(f"webhook: {fault}")
