"""deflect surge: files and streams, what it prints, and the webhook, which is a real server on this machine."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deflect.edge.cli import app
from deflect.edge.webhook import open_webhook
from deflect.errors import ParameterError

START = datetime(2026, 1, 5, tzinfo=UTC)


def tickets() -> list[dict[str, object]]:
    """Return sixteen quiet days and a surge of timeouts at their end."""
    quiet = [(START + timedelta(hours=i), "billing", "my invoice") for i in range(16 * 24)]
    wave = [(START + timedelta(days=16, seconds=30 * i), "timeout", "H12 on /secret/path") for i in range(30)]
    return [{"created_at": at.isoformat(), "category": name, "body": body} for at, name, body in (*quiet, *wave)]


def jsonl(rows: list[dict[str, object]]) -> str:
    """Return rows as JSON lines."""
    return "".join(f"{json.dumps(row)}\n" for row in rows)


def run(*arguments: str | Path, stdin: str | None = None) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["surge", *map(str, arguments)], input=stdin)


class Listener(BaseHTTPRequestHandler):
    """Keeps what is posted; answers 500 where the path says so."""

    posted: list[dict[str, object]]

    def do_POST(self) -> None:
        """Keep a posted object."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.posted.append(json.loads(body))
        self.send_response(500 if self.path == "/broken" else 204)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, list[dict[str, object]]]]:
    """Return the address of a running listener, and what it gets."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    handler = type("KeptListener", (Listener,), {"posted": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", handler.posted
        server.shutdown()
        thread.join()


def test_a_file(tmp_path: Path) -> None:
    """A surge in a file is told with its counts, category and words, and the exit code says so."""
    path = tmp_path / "tickets.jsonl"
    path.write_text(jsonl(tickets()))
    result = run(path)
    assert result.exit_code == 1
    assert "5 tickets of the category timeout in 15 minutes" in result.stdout
    assert "No incident posted." in result.stdout
    assert "secret" not in result.stdout


def test_no_surge(tmp_path: Path) -> None:
    """A file without a surge prints nothing to stdout, and the exit code is 0."""
    path = tmp_path / "tickets.jsonl"
    path.write_text(jsonl(tickets()[:-30]))
    result = run(path)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "384 tickets, 0 rows without a time, 0 surges" in result.stderr


@pytest.mark.parametrize("kind", ["json lines", "CSV"])
def test_stdin(kind: str) -> None:
    """A stream may be JSON lines or CSV; blank lines, bad lines and rows without a time are passed over."""
    rows = tickets()
    if kind == "CSV":
        stdin = "created_at,category,body\n" + "".join(f"{r['created_at']},{r['category']},{r['body']}\n" for r in rows)
        stdin += "yesterday,timeout,x\n"
    else:
        stdin = "\n" + jsonl(rows) + "{broken\n"
    result = run("--json", stdin=stdin)
    found = [json.loads(line) for line in result.stdout.splitlines()]
    assert result.exit_code == 1
    assert [surge["category"] for surge in found if surge["kind"] == "category"] == ["timeout"]
    assert "414 tickets, 1 rows without a time" in result.stderr


def test_the_model_tells_the_category() -> None:
    """Tickets without a category get the one that the model finds most probable."""
    rows = [{key: value for key, value in row.items() if key != "category"} for row in tickets()]
    result = run("--json", stdin=jsonl(rows))
    assert "timeout" in {json.loads(line)["category"] for line in result.stdout.splitlines()}


def test_nothing_with_a_time() -> None:
    """A stream without the column of times is an error that says which option names it."""
    result = run("--time", "when", stdin=jsonl(tickets()))
    assert result.exit_code == 2
    assert "must have a column 'when' of times" in result.stderr


def test_empty_stream() -> None:
    """An empty stream has no surge."""
    assert run(stdin="").exit_code == 0


def test_posted_incident(tmp_path: Path) -> None:
    """With a status page, an alarm names the incident that is posted."""
    page = tmp_path / "page.json"
    page.write_text(json.dumps({"incidents": [{"title": "Routing [bold]is slow", "impact": "major"}]}))
    assert "Incident posted: Routing [bold]is slow." in run("--status", page, stdin=jsonl(tickets())).stdout


def test_webhook(listener: tuple[str, list[dict[str, object]]]) -> None:
    """Each alarm is posted as JSON, the same as is printed."""
    url, posted = listener
    result = run("--json", "--webhook", url, stdin=jsonl(tickets()))
    assert posted == [json.loads(line) for line in result.stdout.splitlines()]
    assert len(posted) > 0


@pytest.mark.parametrize(("path", "why"), [("/broken", "answered HTTP 500"), (":1/", "could not be reached")])
def test_webhook_fails(listener: tuple[str, list[dict[str, object]]], path: str, why: str) -> None:
    """A listener that fails is told on stderr, and the watch goes on."""
    url = listener[0] + path if path.startswith("/") else f"http://127.0.0.1{path}"
    result = run("--webhook", url, stdin=jsonl(tickets()))
    assert result.exit_code == 1
    assert f"webhook: 127.0.0.1 {why}" in result.stderr


@pytest.mark.parametrize("url", ["", "ftp://example.com", "http://", "example.com/hook"])
def test_webhook_address(url: str) -> None:
    """What is no address of the web is refused before anything is watched."""
    with pytest.raises(ParameterError, match="A webhook must be an http or https address"):
        open_webhook(url)


def test_live() -> None:
    """An alarm is printed while the stream goes on: nobody waits for its end."""
    code = "from deflect.edge.cli import app; app()"
    command = [sys.executable, "-c", code, "surge", "--json"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(jsonl(tickets()).encode())
        process.stdin.flush()
        first = json.loads(process.stdout.readline())
        process.stdin.close()
        process.stdout.read()
    assert first["n_tickets"] == 5
