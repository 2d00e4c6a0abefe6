"""What the demo shows: where the starter files lie, and six tickets."""

from __future__ import annotations

from pathlib import Path

from deflect.errors import TicketFileError

TICKETS = (
    "I set the CNAME at my registrar two days ago, www works but the bare domain example.net still shows the old host",
    "since this morning every second request to /reports ends with H12 after 30 seconds, nothing was deployed",
    "deploy is green and the release is live but customers still get last week's css, even in a private window",
    "FATAL: too many connections for role, we are on the small plan and run 6 workers",
    "Is something broken on your side? None of our 4 apps answers and the dashboard shows an error page too",
    "Could you add a dark theme some day? Otherwise great service, thanks!",
)


def starter_tickets() -> Path:
    """Return where the starter tickets lie: inside an installed package, beside it in a clone."""
    return _data("starter_tickets.csv")


def starter_playbook() -> Path:
    """Return where the starter playbook lies."""
    return _data("playbook.toml")


def _data(name: str) -> Path:
    package = Path(__file__).resolve().parents[1]
    for folder in (package.parent / "data", package / "data"):
        if (folder / name).is_file():
            return folder / name
    msg = f"{name} must come with the package. It is missing. Install ticket-deflect again."
    raise TicketFileError(msg)
