"""The command line: data to stdout, everything else to stderr; exit code 0 fine, 1 problems found, 2 could not."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from deflect.edge import diagnose_command, incidents_command, screen, surge_command
from deflect.edge.models import load_deflector
from deflect.edge.screen import errors as _errors
from deflect.errors import ParameterError

if TYPE_CHECKING:
    import pandas as pd

    from deflect.line.playbook import Playbook, Tool
    from deflect.loop.incident_windows import IncidentWindow
    from deflect.loop.training import Plan, Training

app = typer.Typer(
    help="Learn what support tickets are about, promise a precision, and suggest the article or tool that solves them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
playbook_app = typer.Typer(help="Look after a playbook.", no_args_is_help=True)
app.add_typer(playbook_app, name="playbook")
app.add_typer(diagnose_command.app, name="diagnose")
app.add_typer(incidents_command.app, name="incidents")
app.command()(surge_command.surge)

#: A ticket on stdin is read up to this many bytes.
_MAX_STDIN_BYTES = 20_000_000


class Per(StrEnum):
    """For whom a promise is made."""

    OVERALL = "overall"
    CATEGORY = "category"


class Engine(StrEnum):
    """What scores."""

    LOCAL = "local"
    DASK = "dask"
    SPARK = "spark"


Model = Annotated[Path | None, typer.Option("--model", "-m", help="Bundle directory; default is the starter bundle.")]
TextColumns = Annotated[
    list[str] | None, typer.Option("--text", help="Column of text; repeat for several. Default: subject, body.")
]
Encoder = Annotated[
    str | None,
    typer.Option("--encoder", help="Sentence encoder on this disk: its directory, or the name it was downloaded by."),
]
Category = Annotated[str, typer.Option("--category", help="Column of the true category.")]


@app.command()
def train(
    tickets: Annotated[Path, typer.Argument(help="Labelled tickets: CSV, JSONL or Parquet.")],
    playbook: Annotated[Path, typer.Option(help="Playbook with an entry for each category.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Bundle directory to write.")],
    text: TextColumns = None,
    category: Category = "category",
    time: Annotated[str | None, typer.Option(help="Column of the time; test is then the newest part.")] = None,
    requester: Annotated[str | None, typer.Option(help="Column of who wrote; nobody is in two parts.")] = None,
    target_precision: Annotated[float, typer.Option(help="Share of suggestions that must be right.")] = 0.9,
    confidence: Annotated[float, typer.Option(help="Probability that the promise holds.")] = 0.95,
    per: Annotated[Per, typer.Option(help="One promise for each category, or one overall.")] = Per.CATEGORY,
    least_probability: Annotated[float, typer.Option(help="No threshold lies below this.")] = 0.5,
    min_pair_df: Annotated[
        int | None, typer.Option(help="Tickets that must have a word pair; more makes it smaller. Default: 1 or 2.")
    ] = None,
    vector_weight: Annotated[
        float | None, typer.Option(help="Weight of the word vectors; 0 leaves them out. Default: tried.")
    ] = None,
    information_weight: Annotated[
        float | None,
        typer.Option(help="Share, 0 to 1, of what a word tells of the categories in its weight. Default: tried."),
    ] = None,
    adaptive_weight: Annotated[
        float | None,
        typer.Option(help="Power, 0 to 1, of what a first model learned of a word in its weight. Default: tried."),
    ] = None,
    encoder: Encoder = None,
    teacher: Annotated[
        str | None, typer.Option(help="Sentence encoder that only teaches, like --encoder. Needs --unlabelled.")
    ] = None,
    unlabelled: Annotated[
        Path | None, typer.Option(help="Tickets without a category, for the teacher: CSV, JSONL or Parquet.")
    ] = None,
    calibration_fraction: Annotated[float, typer.Option(help="Share of the tickets to fit thresholds on.")] = 0.2,
    test_fraction: Annotated[float, typer.Option(help="Share of the tickets to report on.")] = 0.2,
    incidents: Annotated[
        Path | None, typer.Option(help="JSON file of past incidents; their tickets then weigh little. Needs --time.")
    ] = None,
) -> None:
    """Train on labelled tickets and write a bundle."""
    with _errors():
        from deflect.line.encoder_packages import load_encoder
        from deflect.line.playbook import load_playbook
        from deflect.loop.classifier import TicketClassifier
        from deflect.loop.training import Plan

        book = load_playbook(playbook)
        windows = _past_incidents(incidents, time)
        frame = _read(tickets, text, category)
        plan = Plan(
            TicketClassifier(
                min_pair_df=min_pair_df,
                vector_weight=vector_weight,
                information_weight=information_weight,
                adaptive_weight=adaptive_weight,
                encoder=load_encoder(encoder) if encoder else None,
            ),
            time=time,
            requester=requester,
            fractions=(1 - calibration_fraction - test_fraction, calibration_fraction, test_fraction),
            target_precision=target_precision,
            confidence=confidence,
            per=per.value,
            least_probability=least_probability,
            windows=windows,
            teacher=load_encoder(teacher) if teacher else None,
            unlabelled=_texts(unlabelled, text) if unlabelled else (),
        )
        training = _train(frame, book, plan)
        if windows:
            screen.say(f"{training.n_marked:,} tickets were written during {len(windows):,} past incidents")
        if teacher:
            screen.say(f"learned from {training.n_taught:,} tickets without a category, as {teacher} sees them")
        screen.show_report(training.report)
        training.deflector.save(output, metrics=training.report.metrics)
        screen.say(f"wrote {output}")


@app.command()
def suggest(
    text: Annotated[str | None, typer.Argument(help="The ticket; without it, stdin is read.")] = None,
    model: Model = None,
    encoder: Encoder = None,
    subject: Annotated[str, typer.Option(help="Subject line.")] = "",
    locale: Annotated[str | None, typer.Option(help="Language of the customer, such as de.")] = None,
    status: Annotated[str | None, typer.Option(help="Status page, as for deflect incidents show.")] = None,
    component: Annotated[list[str] | None, typer.Option(help="Component that the customer uses; repeatable.")] = None,
    region: Annotated[list[str] | None, typer.Option(help="Region of the customer; repeatable.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    prefill: Annotated[
        bool, typer.Option("--prefill", help="Also show what would be filled into the tool's form, and how to run it.")
    ] = False,
) -> None:
    """Answer one ticket."""
    with _errors():
        from deflect.line.text import with_subject

        board = incidents_command.read_board(status) if status else None
        deflector = load_deflector(model, encoder=encoder, incidents=board)
        if text is None:
            text = sys.stdin.buffer.read(_MAX_STDIN_BYTES).decode("utf-8", "replace")
        suggestion = deflector.suggest(
            text,
            subject=subject,
            locale=locale,
            customer_components=component or (),
            customer_regions=region or (),
        )
        form = deflector.prefill(suggestion, with_subject(subject, text)) if prefill else {}
        run = _run(suggestion.tool, form) if prefill and suggestion.tool else ""
        if as_json:
            more = {"prefill": form, "run": run} if prefill else {}
            typer.echo(json.dumps(suggestion.to_dict() | more, ensure_ascii=False, indent=1))
        else:
            screen.show_suggestion(suggestion)
            if run:
                screen.show_form(form, run)


@app.command()
def score(
    source: Annotated[str, typer.Argument(help="Tickets: CSV, JSONL or Parquet; a file, a folder, or a pattern.")],
    target: Annotated[Path, typer.Argument(help="File to write, in the format of its name; on a cluster a folder.")],
    model: Model = None,
    encoder: Encoder = None,
    text: TextColumns = None,
    columns: Annotated[str | None, typer.Option(help="Columns to keep, as a,b; default: all.")] = None,
    workers: Annotated[int | None, typer.Option(help="Threads on this machine; default: every core.", min=1)] = None,
    engine: Annotated[Engine, typer.Option(help="Where to score: here, or on a cluster.")] = Engine.LOCAL,
    scheduler: Annotated[str | None, typer.Option(help="Dask: the scheduler, such as tcp://host:8786.")] = None,
    master: Annotated[
        str | None, typer.Option(help="Spark: the master, such as local[4]; default: Spark's own.")
    ] = None,
) -> None:
    """Score tickets into another file; an interrupted run is gone on with by the same command."""
    with _errors():
        from deflect.edge import score_command

        summary = score_command.score(
            source,
            target,
            engine,
            {"scheduler": scheduler, "master": master, "workers": workers, "encoder": encoder},
            model=model,
            text=text or ("subject", "body"),
            columns=columns.split(",") if columns is not None else None,
        )
        score_command.show(summary, target)
    raise typer.Exit(1 if summary.n_faults else 0)


@app.command()
def evaluate(
    tickets: Annotated[Path, typer.Argument(help="Labelled tickets that training has not seen.")],
    model: Model = None,
    encoder: Encoder = None,
    text: TextColumns = None,
    category: Category = "category",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Measure a bundle on labelled tickets."""
    with _errors():
        from deflect.loop.evaluation import BundleClassifier
        from deflect.loop.evaluation import evaluate as measure

        deflector = load_deflector(model, encoder=encoder)
        frame = _read(tickets, text, category)
        classifier = BundleClassifier(deflector.scorer)
        report = measure(classifier, deflector.thresholds, frame["text"], frame["category"].to_numpy())
        if as_json:
            typer.echo(json.dumps(report.to_dict(), indent=1))
        else:
            screen.show_report(report)
    raise typer.Exit(1 if any(row.verdict == "broken" for row in report.categories) else 0)


@app.command()
def demo() -> None:
    """Train on the starter tickets, show what can be promised, and answer six tickets."""
    with _errors():
        from deflect.edge.demo import TICKETS, starter_playbook, starter_tickets
        from deflect.line.playbook import load_playbook
        from deflect.loop.training import Plan

        frame = _read(starter_tickets(), None, "category")
        training = _train(frame, load_playbook(starter_playbook()), Plan(requester="requester"))
        screen.show_report(training.report)
        for ticket in TICKETS:
            screen.out.print()
            screen.out.print(screen.quoted(ticket))
            screen.show_suggestion(training.deflector.suggest(ticket))


@playbook_app.command()
def check(
    playbook: Annotated[Path, typer.Argument(help="Playbook to check.")],
    model: Model = None,
    max_age_days: Annotated[int, typer.Option(help="A review older than this is stale.")] = 180,
    links: Annotated[
        bool, typer.Option("--links", help="Ask every link whether it is alive (uses the network).")
    ] = False,
) -> None:
    """Check a playbook against itself, a model and the calendar."""
    with _errors():
        from deflect.edge.links import find_dead_links
        from deflect.line.bundle import read_bundle, starter_bundle
        from deflect.line.playbook import load_playbook
        from deflect.line.playbook_check import check_playbook

        book = load_playbook(playbook)
        categories = read_bundle(model or starter_bundle()).scorer.categories
        found = check_playbook(book, categories, today=datetime.now(UTC).date(), max_age_days=max_age_days)
        problems = [f"{name}: the model has this category, the playbook has no entry" for name in found.without_entry]
        problems += [
            f"{name}: the playbook has this entry, the model has no such category" for name in found.without_category
        ]
        problems += [f"{stale.category}: last reviewed on {stale.reviewed_on}" for stale in found.stale]
        if links:
            problems += [f"{link.category}: {link.url} is dead: {link.why}" for link in find_dead_links(book)]
        for problem in problems:
            screen.out.print(problem, markup=False)
        screen.say(f"{len(book.entries)} entries, {len(problems)} problems")
    raise typer.Exit(1 if problems else 0)


def _run(tool: Tool, form: Mapping[str, str]) -> str:
    """Return what runs a tool: the address of a page with the form's values, or a command line."""
    from deflect.diagnose.tools import command

    return tool.link(form) or tool.url or "" if tool.url else command(tool, form)


def _read(path: Path, text: list[str] | None, category: str) -> pd.DataFrame:
    from deflect.loop.tickets import read_tickets

    frame = read_tickets(path, text=text or ("subject", "body"), category=category)
    screen.show_faults(frame.attrs["faults"])
    screen.say(f"{len(frame):,} tickets in {frame['category'].nunique()} categories")
    return frame


def _texts(path: Path, text: list[str] | None) -> list[str]:
    from deflect.loop.tickets import read_tickets

    frame = read_tickets(path, text=text or ("subject", "body"), category=None)
    screen.show_faults(frame.attrs["faults"])
    texts: list[str] = frame["text"].tolist()
    screen.say(f"{len(texts):,} tickets without a category")
    return texts


def _past_incidents(path: Path | None, time: str | None) -> tuple[IncidentWindow, ...]:
    if path is None:
        return ()
    if time is None:
        msg = "Past incidents need the times of the tickets. Got no column of the time. Add --time COLUMN."
        raise ParameterError(msg)
    from deflect.incidents.history import read_history

    return read_history(path)


def _train(frame: pd.DataFrame, playbook: Playbook, plan: Plan) -> Training:
    from deflect.loop.training import train_deflector

    with screen.stages() as progress:
        return train_deflector(frame, playbook, plan, progress=progress)
