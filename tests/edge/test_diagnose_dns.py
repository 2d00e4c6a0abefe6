"""The command ``deflect diagnose dns``."""

from __future__ import annotations

import json
import socket
from pathlib import Path

from typer.testing import CliRunner

from deflect.edge.cli import app


def run(*arguments: str) -> tuple[int, str, str]:
    """Run the command; return exit code, stdout and stderr."""
    result = CliRunner().invoke(app, ["diagnose", "dns", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_problem_exits_with_one() -> None:
    """A finding is shown with its check and its fix, and the exit code is 1."""
    code, out, _ = run("co.uk")
    assert code == 1
    assert "name.invalid" in out
    assert "www.example.com" in out


def test_json_is_data() -> None:
    """With --json, stdout is the diagnosis for a program."""
    code, out, _ = run("192.0.2.1", "--json")
    assert (code, json.loads(out)["findings"][0]["check"]) == (1, "name.invalid")


def test_what_cannot_be_asked_exits_with_two() -> None:
    """Where no resolver answers, the exit code is 2 and the reason goes to stderr."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        code, out, err = run("www.example.com", "--resolver", f"127.0.0.1:{port}", "--timeout", "0.3")
    assert (code, out) == (2, "")
    assert "A DNS resolver must answer" in err


def test_wrong_option_exits_with_two() -> None:
    """A profile that is not there is told in words."""
    code, _, err = run("www.example.com", "--profile", "nowhere")
    assert code == 2
    assert "profile must be one of" in err


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    """What a customer typed is neither obeyed by the terminal nor read as markup."""
    _, out, _ = run("[bold]x[/bold]\x1b[31m.example.com")
    assert "[bold]x" in out
    assert "\x1b" not in out


def test_the_status_page_is_asked_first(tmp_path: Path) -> None:
    """An incident that is on is a notice with its last comment; one that is over is none, and the exit code stays."""
    page = tmp_path / "page.json"
    on = {"title": "DNS is slow", "state": "identified", "updates": [{"state": "identified", "body": "We look."}]}
    page.write_text(json.dumps({"incidents": [on, {"title": "Old", "state": "resolved"}]}))
    code, out, _ = run("co.uk", "--status", str(page), "--json")
    found = json.loads(out)
    notices = [finding for finding in found["findings"] if finding["check"] == "platform.incident"]
    assert [(n["summary"], n["evidence"]) for n in notices] == [
        ("The platform has an incident: DNS is slow", "We look.")
    ]
    assert (code, found["checked"][0]) == (1, "platform.incident")


def test_a_status_page_that_is_none(tmp_path: Path) -> None:
    """A page that is no status page is told in words, with exit code 2."""
    (tmp_path / "page.json").write_text("[]")
    assert run("co.uk", "--status", str(tmp_path / "page.json"))[0] == 2
