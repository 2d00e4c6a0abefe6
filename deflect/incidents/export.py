"""Writes what is known of incidents as static files, for the day when the platform that would serve them is down."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from deflect.incidents.relevance import resolved_at
from deflect.incidents.snapshot import Incident, Snapshot, Update
from deflect.incidents.snapshot_file import plain_values
from deflect.line.banner import HEADS, clock_time, html_link, plain
from deflect.loop.replacing import replacing

FRAGMENT, PAGE, DATA = "fragment.html", "index.html", "status.json"
_MAX_TITLE = 200
_MAX_BODY = 5_000
_MAX_NAMES = 500

#: What the page says at its head, by the worst that is on.
_OVERALL = {
    "critical": "There is a critical incident",
    "major": "There is a major incident",
    "minor": "There is a minor incident",
    "unknown": "There is an incident",
    "none": "There is a notice",
    "maintenance": "Maintenance is under way",
    "clear": "No incident is known",
}
_WORST_FIRST = tuple(_OVERALL)
#: Colours of a severity: text and edge on light ground, then on dark ground; each text has a contrast of 7 or more.
_COLOURS = {
    "critical": ("#8a0f0f", "#ffb3ad"),
    "major": ("#7f2600", "#ffbf94"),
    "minor": ("#5c4300", "#f5d67b"),
    "maintenance": ("#0b4a8a", "#a9d1ff"),
    "resolved": ("#175229", "#a4e3b4"),
    "clear": ("#175229", "#a4e3b4"),
}
#: The browser loads nothing and runs nothing, whatever went wrong above.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = """
:root { color-scheme: light dark; --ground: #fff; --text: #1b1d22; --soft: #474b53; --line: #d4d7dc; --card: #f6f7f9;
  --link: #0b4a8a }
body { margin: 0 auto; max-width: 44rem; padding: 2rem 1rem 4rem; background: var(--ground); color: var(--text);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; overflow-wrap: anywhere }
h1 { font-size: 1.5rem; line-height: 1.3; margin: 0 0 .25rem }
h2 { font-size: 1.125rem; line-height: 1.35; margin: 0 0 .25rem }
p { margin: .25rem 0 }
a { color: var(--link) }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px }
time { white-space: nowrap }
.deflect-status { border-left: .4rem solid var(--tone, var(--line)); padding: .1rem 0 .1rem 1rem; margin: 0 0 1.75rem }
.deflect-status h1 { color: var(--tone, inherit) }
.deflect-incident { background: var(--card); border: 1px solid var(--line);
  border-top: .3rem solid var(--tone, var(--line)); border-radius: .5rem; padding: 1rem 1.15rem; margin: 0 0 1.25rem }
.deflect-head { color: var(--tone, var(--soft)); font-weight: 650 }
.deflect-facts, .deflect-note, footer { color: var(--soft); font-size: .925rem }
.deflect-updates { list-style: none; margin: .9rem 0 .6rem; padding: 0; border-top: 1px solid var(--line) }
.deflect-updates li { padding: .6rem 0 }
.deflect-updates li + li { border-top: 1px solid var(--line) }
""".strip()


def write_export(snapshot: Snapshot, directory: str | os.PathLike[str], *, at: datetime) -> tuple[Path, ...]:
    """Write ``fragment.html``, ``index.html`` and ``status.json`` into a directory, each whole or not at all.

    When to use it: every minute, to a place that is served by somebody else than the platform. Both pages need no
    script and load nothing; all text in them is escaped. The JSON is in the shape that ``IncidentFeed`` reads.

    Parameters
    ----------
    snapshot
        What is known.
    directory
        Where to write; it is made if it is not there.
    at
        The time of writing, aware.

    Returns
    -------
    The files, in the order named above.

    Examples
    --------
    >>> from datetime import UTC
    >>> incident = Incident("page", "1", "DNS <script>", "identified", "major")
    >>> files = write_export(
    ...     Snapshot(incidents=(incident,)), getfixture("tmp_path"), at=datetime(2026, 11, 23, tzinfo=UTC)
    ... )
    >>> "<h2>DNS &lt;script&gt;</h2>" in files[1].read_text()
    True

    """
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    fragment = to_fragment(snapshot)
    data = {**plain_values(snapshot), "exported_at": at.isoformat()}
    contents = {
        FRAGMENT: fragment,
        PAGE: _page(fragment, at),
        DATA: json.dumps(data, ensure_ascii=False, indent=1),
    }
    for name, content in contents.items():
        with replacing(folder / name) as file:
            file.write(f"{content}\n".encode("utf-8", "replace"))
    return tuple(folder / name for name in contents)


def to_fragment(snapshot: Snapshot) -> str:
    """Return what is known as a fragment of HTML without script or style, to stand in another page."""
    known = sorted((*snapshot.incidents, *snapshot.maintenances), key=lambda item: _WORST_FIRST.index(_look(item)))
    on = [incident for incident in known if not incident.is_over]
    over = [incident for incident in known if incident.is_over]
    worst = next((_look(incident) for incident in on if incident.state != "scheduled"), "clear")
    head = f"<h1>{_OVERALL[worst]}</h1>{_contact(snapshot)}"
    parts = [f'<header class="deflect-status deflect-{worst}" role="status">{head}</header>']
    parts += [_article(incident) for incident in (*on, *over)]
    return "\n".join(('<div class="deflect-incidents">', *parts, "</div>"))


def _page(fragment: str, at: datetime) -> str:
    """Return a whole page, which asks browsers to load nothing and search engines to keep nothing."""
    tones = "\n".join(f".deflect-{name} {{ --tone: {light} }}" for name, (light, _) in _COLOURS.items())
    dark_tones = " ".join(f".deflect-{name} {{ --tone: {dark} }}" for name, (_, dark) in _COLOURS.items())
    dark = (
        "@media (prefers-color-scheme: dark) { :root { --ground: #15171b; --text: #eceef1; --soft: #b9bec7; "
        f"--line: #3a3f48; --card: #1e2126; --link: #a9d1ff }} {dark_tones} }}"
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<title>Status</title>
<style>
{_STYLE}
{tones}
{dark}
</style>
</head>
<body>
<main>
{fragment}
</main>
<footer><p>Written at {_time(at)}. This page does not renew itself: load it again.</p></footer>
</body>
</html>"""


def _contact(snapshot: Snapshot) -> str:
    if snapshot.fetched_at is None:
        return ""
    note = " The status page has not answered since." if snapshot.stale else ""
    return f'<p class="deflect-note">As of {_time(snapshot.fetched_at)}.{note}</p>'


def _look(incident: Incident) -> str:
    return "maintenance" if incident.kind == "maintenance" else incident.impact


def _article(incident: Incident) -> str:
    """Return an incident with its updates, the newest first."""
    look = "resolved" if incident.is_over else _look(incident)
    head = f"Resolved {incident.kind}" if incident.is_over else HEADS[look]
    names = ", ".join((*incident.components, *incident.regions))
    parts = (
        f'<p class="deflect-head">{head}</p>',
        f"<h2>{escape(plain(incident.title, _MAX_TITLE)) or 'Untitled'}</h2>",
        f'<p class="deflect-facts">{_facts(incident)}</p>',
        f'<p class="deflect-facts">Concerns: {escape(plain(names, _MAX_NAMES))}</p>' if names else "",
        _updates(incident.updates),
        f"<p>{html_link(incident.url, 'More about this on the status page')}</p>" if incident.url else "",
    )
    return f'<article class="deflect-incident deflect-{look}">{"".join(parts)}</article>'


def _facts(incident: Incident) -> str:
    """Return how it stands and since when, or from when to when it was on, as HTML."""
    over = resolved_at(incident) if incident.is_over else None
    if over:
        return (
            f"From {_time(incident.started_at)} to {_time(over)}." if incident.started_at else f"Until {_time(over)}."
        )
    starts = "From" if incident.state == "scheduled" else "Since"
    state = "" if incident.state == "unknown" else f"{escape(incident.state.replace('_', ' ').capitalize())}."
    return " ".join(filter(None, (state, f"{starts} {_time(incident.started_at)}." if incident.started_at else "")))


def _updates(updates: Sequence[Update]) -> str:
    items = "".join(_update(update) for update in reversed(updates))
    return f'<ol class="deflect-updates">{items}</ol>' if items else ""


def _update(update: Update) -> str:
    at = f'<p class="deflect-facts">{_time(update.at)}</p>' if update.at else ""
    lines = [plain(line, _MAX_BODY) for line in update.body[:_MAX_BODY].splitlines()]
    return f"<li>{at}{''.join(f'<p>{escape(line)}</p>' for line in lines if line)}</li>"


def _time(at: datetime) -> str:
    return f'<time datetime="{at.isoformat(timespec="minutes")}">{clock_time(at)}</time>'
