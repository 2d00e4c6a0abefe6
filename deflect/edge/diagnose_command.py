"""``deflect diagnose``: one command a tool; exit code 0 fine, 1 problems found, 2 could not look."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from deflect.edge import incidents_command, screen
from deflect.edge.platform_incidents import with_incidents

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
    for reason in dict.fromkeys(reason for _, reason in diagnosis.skipped):
        names = ", ".join(name for name, other in diagnosis.skipped if other == reason)
        screen.out.print(Text(f"not checked: {names}: {reason}", style="dim"))


@app.command()
def dns(
    host: Annotated[str, typer.Argument(help="Host name, such as www.example.com.")],
    *,
    target: Annotated[str | None, typer.Option(help="The exact DNS target that the platform gives for it.")] = None,
    profile: Annotated[str, typer.Option(help="Platform: a shipped profile, or a TOML file of your own.")] = "heroku",
    acm_status: Annotated[
        str | None, typer.Option(help="Certificate status of the platform's API, to explain.")
    ] = None,
    resolver: Annotated[list[str] | None, typer.Option(help="Resolver as ADDRESS or ADDRESS:PORT; repeatable.")] = None,
    root: Annotated[list[str] | None, typer.Option(help="Root server to walk from, with or without port.")] = None,
    server_port: Annotated[int, typer.Option(help="Port of the domain's name servers.")] = 53,
    http_port: Annotated[int, typer.Option(help="Port of the web server, for --http.")] = 80,
    timeout: Annotated[float, typer.Option(help="Limit for all of it, in seconds.")] = 5.0,
    max_queries: Annotated[int, typer.Option(help="So many queries are sent at most.")] = 400,
    http: Annotated[bool, typer.Option("--http", help="Also fetch http://HOST/ to see whether an app has it.")] = False,
    allow_private: Annotated[
        bool, typer.Option("--allow-private", help="Ask about private names, and at private addresses.")
    ] = False,
    status: Annotated[str | None, typer.Option(help="Status page to ask first, as for deflect incidents show.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find out why a domain does not lead to its app, or gets no certificate."""
    with screen.errors():
        from deflect.diagnose.dns.diagnosis import diagnose_dns
        from deflect.diagnose.dns.network import Network

        network = Network(
            resolvers=tuple(resolver or ()),
            roots=tuple(root or ()),
            server_port=server_port,
            http_port=http_port,
            timeout_seconds=timeout,
            max_queries=max_queries,
            allow_private=allow_private,
        )
        snapshot = incidents_command.read_page(status) if status else None
        diagnosis = diagnose_dns(
            host, target=target, profile=profile, acm_status=acm_status, with_page=http, network=network
        )
        if snapshot is not None:
            diagnosis = with_incidents(diagnosis, snapshot)
        show(diagnosis, as_json=as_json)
    raise typer.Exit(diagnosis.exit_code)


@app.command()
def assets(
    path: Annotated[str, typer.Argument(help="Checkout, archive, or file with `git ls-files`; - reads that on stdin.")],
    html: Annotated[Path | None, typer.Option(help="Page that the site serves, saved to a file.")] = None,
    build_log: Annotated[Path | None, typer.Option(help="Log of the last build.")] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find committed build output that freezes assets, and say what to remove from git."""
    with screen.errors():
        from deflect.diagnose.assets.diagnosis import diagnose_assets

        diagnosis = diagnose_assets(path, html=html, build_log=build_log)
        show(diagnosis, as_json=as_json)
    raise typer.Exit(diagnosis.exit_code)


@app.command()
def timeouts(
    logs: Annotated[list[str], typer.Argument(help="Router logs, plain or gzip, in any shape; - reads stdin.")],
    plot: Annotated[Path | None, typer.Option(help="Draw the time line into this PNG, SVG or PDF file.")] = None,
    routes: Annotated[int, typer.Option(min=0, help="So many paths are listed.")] = 10,
    *,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Wait for more at the end of a file, until Ctrl-C.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Find the paths that are slow by themselves, apart from those that only time out behind them."""
    with screen.errors():
        from deflect.diagnose.timeouts.diagnosis import diagnose_timeouts
        from deflect.diagnose.timeouts.plot import check_plot, plot_timeouts
        from deflect.edge.timeouts_screen import show_figures

        if plot is not None:
            check_plot(plot)
        with screen.log_bytes() as progress:
            diagnosis = diagnose_timeouts(logs, follow=follow, progress=progress)
        show(diagnosis, as_json=as_json)
        if not as_json:
            show_figures(diagnosis, n_routes=routes)
        if plot is not None:
            plot_timeouts(diagnosis, plot)
            screen.say(f"wrote {plot}")
    raise typer.Exit(diagnosis.exit_code)
