"""``deflect suggest --prefill``: what would be filled into the tool's form."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner, Result

from deflect.edge.cli import app

DOMAIN = "Our custom domain www.example.com still points to the old host, which CNAME do I set?"


def suggest(*arguments: str) -> Result:
    """Run ``deflect suggest``."""
    result = CliRunner().invoke(app, ["suggest", *arguments])
    assert result.exit_code == 0, result.output
    return result


def test_form_and_command() -> None:
    """The form's values and the command that runs the tool follow the suggestion."""
    lines = suggest("--prefill", DOMAIN).stdout.splitlines()
    assert lines[-2:] == ["  form:    domain = www.example.com", "  run:     deflect diagnose dns www.example.com"]


def test_subject() -> None:
    """The subject is read too."""
    text = "it still points to the old host, which CNAME do I set?"
    assert "domain = www.example.com" in suggest("--prefill", "--subject", "domain www.example.com", text).stdout


def test_nothing_certain() -> None:
    """Where nothing is certain, the form stays empty, and the command shows what is missing."""
    lines = suggest("--prefill", DOMAIN.replace("www.example.com ", "")).stdout.splitlines()
    assert lines[-2:] == ["  form:    nothing is certain", "  run:     deflect diagnose dns DOMAIN"]


def test_json() -> None:
    """A program reads both from JSON."""
    answer = json.loads(suggest("--prefill", "--json", DOMAIN).stdout)
    assert (answer["prefill"], answer["run"]) == ({"domain": "www.example.com"}, "deflect diagnose dns www.example.com")


def test_a_link() -> None:
    """A tool that is a page runs by its address."""
    answer = json.loads(
        suggest("--prefill", "--json", "Is something broken on your side? The status page is red").stdout
    )
    assert (answer["category"], answer["prefill"], answer["run"]) == ("incident", {}, "https://status.heroku.com/")


@pytest.mark.parametrize("text", ["thanks!", "", "\x1b[31m", "\ud800"])
def test_no_tool(text: str) -> None:
    """Without a tool there is neither a form nor a command."""
    assert "form:" not in suggest("--prefill", text).stdout


def test_without_the_option() -> None:
    """Without the option nothing is said of a form."""
    assert "form:" not in suggest(DOMAIN).stdout
    assert "prefill" not in json.loads(suggest("--json", DOMAIN).stdout)
