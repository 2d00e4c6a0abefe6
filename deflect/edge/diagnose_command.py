"""``deflect diagnose``: one command a tool; exit code 0 fine, 1 problems found, 2 could not look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import typer
from rich.text import Text

from deflect.edge import screen

if TYPE_CHECKING:
    from deflect.diagnose.finding import Diagnosis

app = typer.Typer(help="Look at what customers so often cannot see, and say what is wrong.", no_args_is_help=True)

_COLOURS = {"critical": "bold red", "error": "red", "warning": "yellow", "notice": "cyan", "info": "dim"}


def show(diagnosis: Diagnosis, *, as_json: bool) -> None:
    """Print a diagnosis, for people or for programs."""
    if as_json:
        typer.echo(json.dumps(diagnosis.to_dict(), ensure_ascii=False, indent=1))
        return
    for finding in diagnosis.findings:
        head = Text(finding.severity, style=_COLOURS[finding.severity])
        screen.out.print(head.append(f"  {finding.summary}  ", style="not bold default").append(finding.check, "dim"))
        for name, value in (("seen", finding.evidence), ("fix", finding.fix), ("more", finding.url)):
            for i, line in enumerate(value.splitlines()):
                screen.out.print(Text(f"  {name if i == 0 else '':<5} {line}"), soft_wrap=True)
    if diagnosis.is_fine:
        screen.out.print(Text(f"Nothing wrong found with {diagnosis.subject}.", style="green"))
    screen.out.print(Text(f"checked: {', '.join(diagnosis.checked)}", style="dim"))
    for name, reason in diagnosis.skipped:
        screen.out.print(Text(f"not checked: {name}: {reason}", style="dim"))
