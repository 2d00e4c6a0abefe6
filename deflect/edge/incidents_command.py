"""``deflect incidents``: what a status page says; exit code 0 all fine, 1 something is on, 2 could not look."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from deflect.edge import screen

if TYPE_CHECKING:
    from deflect.incidents.snapshot import Incident, Snapshot

app = typer.Typer(help="See what the platform's status page says.", no_args_is_help=True)

_COLOURS = {"critical": "bold red", "major": "red", "minor": "yellow", "maintenance": "cyan", "none": "green"}
_SHOWN_UPDATES = 3


@app.callback()
def _commands() -> None:
    """Keep ``show`` a command of its own: Typer would make a single one the program."""


@app.command()
def show(
    url: Annotated[str, typer.Argument(help="Status page: its host, the address of its JSON or feed, or a file.")],
    provider: Annotated[str | None, typer.Option(help="Provider of the page; guessed from the answer without.")] = None,
    timeout_seconds: Annotated[float, typer.Option(help="Give the page up after so many seconds.")] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show what a status page says now."""
    with screen.errors():
        snapshot = _read(url, provider, timeout_seconds)
    if as_json:
        from deflect.incidents.snapshot_file import plain_values

        typer.echo(json.dumps(plain_values(snapshot), ensure_ascii=False, indent=1))
    else:
        _show(snapshot)
    raise typer.Exit(1 if _is_something_on(snapshot) else 0)


def _read(url: str, provider: str | None, timeout_seconds: float) -> Snapshot:
    from deflect.incidents.feed import IncidentFeed

    feed = IncidentFeed(url, provider=provider, timeout_seconds=timeout_seconds)
    try:
        return feed.refresh(check=True)
    finally:
        feed.close()


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
