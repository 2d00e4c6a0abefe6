"""Everything a user can reach is in the documentation."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

import deflect
from deflect.edge.cli import app


def walk(command: TyperCommand | TyperGroup, path: str) -> Iterator[tuple[str, TyperCommand]]:
    """Yield each command that does something, with the words that call it."""
    parts = getattr(command, "commands", {})
    if not parts:
        yield path, command
    for name, part in parts.items():
        yield from walk(part, f"{path} {name}")


COMMANDS = dict(walk(typer.main.get_command(app), "deflect"))


@pytest.fixture(scope="module")
def pages(root: Path) -> str:
    """Return the README and every page of docs/ as one text."""
    return "\n".join(path.read_text("utf-8") for path in [root / "README.md", *sorted((root / "docs").rglob("*.md"))])


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_documented(command: str, pages: str) -> None:
    """Each command is called by its full name on some page."""
    assert re.search(rf"\b{command}\b", pages)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_help(command: str) -> None:
    """Each command says in its help what it does, in a sentence."""
    assert re.match(r"[A-Z].*\S", COMMANDS[command].help or "")


@pytest.mark.parametrize("command", COMMANDS)
def test_option_has_help(command: str) -> None:
    """Each argument and option of a command says what it is for."""
    assert [option.name for option in COMMANDS[command].params if not getattr(option, "help", None)] == []


@pytest.mark.parametrize("name", deflect.__all__)
def test_name_is_documented(name: str, pages: str) -> None:
    """Each public name stands on some page."""
    assert re.search(rf"\b{name}\b", pages)


@pytest.mark.parametrize("name", deflect.__all__)
def test_name_has_docstring(name: str) -> None:
    """Each public name says in its own docstring what it is."""
    assert re.match(r"[A-Z].*\.(\n|$)", inspect.cleandoc(getattr(deflect, name).__doc__ or ""))


@pytest.mark.parametrize("name", [name for name in deflect.__all__ if name != "DeflectError"])
def test_name_has_examples(name: str) -> None:
    """Each public name but the error shows in its docstring how it is used."""
    text = inspect.cleandoc(getattr(deflect, name).__doc__ or "")
    assert re.search(r"^Examples\n-+\n(.|\n)*^>>> ", text, re.MULTILINE)


def test_architecture_names_every_package(root: Path) -> None:
    """The architecture page names every top-level package."""
    text = (root / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    packages = {path.parent.name for path in (root / "deflect").glob("*/__init__.py")}
    assert {name for name in packages if not re.search(rf"\bdeflect[./]{name}\b", text)} == set()
