"""``deflect diagnose assets``, as a person and as a program call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deflect.edge.cli import app

MANIFEST = f"public/assets/.sprockets-manifest-{'a' * 32}.json"


@pytest.fixture
def listing(tmp_path: Path) -> Path:
    """Return the listing of an app with a committed build."""
    path = tmp_path / "listing.txt"
    path.write_text(f"Gemfile\napp/assets/a.css\n{MANIFEST}\n")
    return path


def test_problems(listing: Path) -> None:
    """A committed build ends with exit code 1, and the commands that mend it are on the screen."""
    result = CliRunner().invoke(app, ["diagnose", "assets", str(listing)])
    assert result.exit_code == 1
    assert "git rm -r --cached public/assets" in result.stdout
    assert "echo /public/assets/ >> .gitignore" in result.stdout


def test_fine(listing: Path) -> None:
    """An app without a committed build ends with exit code 0, and says what was looked at."""
    listing.write_text("Gemfile\napp/assets/a.css\n")
    result = CliRunner().invoke(app, ["diagnose", "assets", str(listing)])
    assert result.exit_code == 0
    assert "Nothing wrong found" in result.stdout
    assert "checked: manifest.tracked" in result.stdout


def test_standard_input() -> None:
    """A dash reads a listing from standard input."""
    result = CliRunner().invoke(app, ["diagnose", "assets", "-"], input=f"Gemfile\n{MANIFEST}\n")
    assert result.exit_code == 1


def test_json(listing: Path, tmp_path: Path) -> None:
    """A program reads the same as JSON; a build log adds its own finding."""
    log = tmp_path / "build.log"
    log.write_text("Detected manifest file, assuming assets were compiled locally\n")
    result = CliRunner().invoke(app, ["diagnose", "assets", str(listing), "--build-log", str(log), "--json"])
    findings = json.loads(result.stdout)["findings"]
    assert [finding["check"] for finding in findings] == ["manifest.tracked", "log.compiled_locally"]


def test_could_not_look(tmp_path: Path) -> None:
    """A path that is not there ends with exit code 2, and nothing on standard output."""
    result = CliRunner().invoke(app, ["diagnose", "assets", str(tmp_path / "nowhere")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "PATH must be a folder or file" in result.stderr
