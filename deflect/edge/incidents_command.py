"""``deflect incidents``: what a status page says; exit code 0 all fine, 1 something is on, 2 could not look."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from deflect.edge import screen
from deflect.errors import ParameterError

if TYPE_CHECKING:
    from deflect.incidents.board import StatusBoard
    from deflect.incidents.snapshot import Incident, Snapshot

app = typer.Typer(help="See what the platform's status page says.", no_args_is_help=True)

_COLOURS = {"critical": "bold red", "major": "red", "minor": "yellow", "maintenance": "cyan", "none": "green"}
_SHOWN_UPDATES = 3
_TIMEOUT_SECONDS = 10.0
#: A page that was read longer ago is told with that time.
_STALE = timedelta(minutes=10)


@app.command()
def show(
    url: Annotated[str, typer.Argument(help="Status page: its host, the address of its JSON or feed, or a file.")],
    provider: Annotated[str | None, typer.Option(help="Provider of the page; guessed from the answer without.")] = None,
    timeout_seconds: Annotated[float, typer.Option(help="Give the page up after so many seconds.")] = _TIMEOUT_SECONDS,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a status page says now."""
    with screen.errors():
        snapshot = read_page(url, provider, timeout_seconds)
    if as_json:
        from deflect.incidents.snapshot_file import plain_values

        typer.echo(json.dumps(plain_values(snapshot), ensure_ascii=False, indent=1))
    else:
        _show(snapshot)
    raise typer.Exit(1 if _is_something_on(snapshot) else 0)


@app.command()
def export(
    url: Annotated[str, typer.Argument(help="Status page as for show, or a snapshot that a feed keeps on disk.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Directory to write into.")],
    provider: Annotated[str | None, typer.Option(help="Provider of the page; guessed from the answer without.")] = None,
    timeout_seconds: Annotated[float, typer.Option(help="Give the page up after so many seconds.")] = _TIMEOUT_SECONDS,
) -> None:
    """Write what a status page says as a static page, an HTML fragment and JSON, to be served from elsewhere."""
    with screen.errors():
        from deflect.incidents.export import write_export

        at = datetime.now(UTC)
        snapshot = _as_kept(read_page(url, provider, timeout_seconds), url, at)
        try:
            files = write_export(snapshot, output, at=at)
        except OSError as error:
            msg = f"--output must be a directory that can be written. {output}: {error.strerror}. Choose another."
            raise ParameterError(msg) from None
    for path in files:
        screen.say(f"wrote {path}")


def read_page(url: str, provider: str | None = None, timeout_seconds: float = _TIMEOUT_SECONDS) -> Snapshot:
    """Read a status page once."""
    from deflect.incidents.feed import IncidentFeed

    feed = IncidentFeed(url, provider=provider, timeout_seconds=timeout_seconds)
    try:
        return feed.refresh(check=True)
    finally:
        feed.close()


def _as_kept(snapshot: Snapshot, url: str, at: datetime) -> Snapshot:
    """Return a snapshot with the time at which the page itself was read, where a file tells it."""
    from deflect.incidents.snapshot_file import kept_at

    fetched_at = kept_at(Path(url.removeprefix("file://")))
    if fetched_at is None:
        return snapshot
    return replace(snapshot, fetched_at=fetched_at, stale=at - fetched_at > _STALE)


def read_board(url: str) -> StatusBoard:
    """Read a status page once, for a deflector."""
    from deflect.incidents.board import StatusBoard

    return StatusBoard(_Read(read_page(url)))


@dataclass(frozen=True, slots=True)
class _Read:
    """A status page that was read once."""

    snapshot: Snapshot


def _is_something_on(snapshot: Snapshot) -> bool:
    """Say whether there is an incident, a maintenance under way, or trouble that no incident explains yet."""
    is_maintained = any(not item.is_over and item.state != "scheduled" for item in snapshot.maintenances)
    is_on = any(not incident.is_over for incident in snapshot.incidents)
    return is_on or is_maintained or snapshot.overall in {"minor", "major", "critical"}


def _show(snapshot: Snapshot) -> None:
    for incident in (*snapshot.incidents, *snapshot.maintenances):
        _show_incident(incident)
    if not snapshot.incidents and not snapshot.maintenances:
        screen.out.print(Text("No incident and no maintenance."))
    screen.out.print(Text(f"overall: {snapshot.overall}", style=_COLOURS.get(snapshot.overall, "dim")))
    screen.say(f"read at {_time(snapshot.fetched_at)}")


def _show_incident(incident: Incident) -> None:
    head = Text(incident.kind if incident.impact == "unknown" else incident.impact, _COLOURS.get(incident.impact, ""))
    head.append(f"  {incident.title}", style="bold").append(f"  {incident.state}", style="not bold default")
    screen.out.print(head.append(f" since {_time(incident.started_at)}" if incident.started_at else ""))
    if incident.resolved_at is not None:
        screen.out.print(Text(f"  over since {_time(incident.resolved_at)}"))
    for name, values in (("components", incident.components), ("regions", incident.regions)):
        if values:
            screen.out.print(Text(f"  {name}: {', '.join(values)}"))
    for update in reversed(incident.updates[-_SHOWN_UPDATES:]):
        body = update.body.replace("\n", "\n    ")
        screen.out.print(Text(f"  {_time(update.at)} {update.state}: {body}"))
    if incident.url:
        screen.out.print(Text(f"  {incident.url}"))


def _time(at: datetime | None) -> str:
    return "?" if at is None else f"{at:%Y-%m-%d %H:%M} UTC"
