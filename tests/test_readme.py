"""The README's examples run, in order, as a reader in a clone would run them.

A fence with a file name behind its language (``csv tickets.csv``) is a sample file. Python with prompts is compared
with what it prints, Python without is run; one namespace serves all. Of a ``sh`` or ``console`` fence, the commands
that call ``deflect`` are run; the others (git, make, pip) set up the clone.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

_FENCE = re.compile(
    r"^```(?P<language>\w+)"  # The opening fence with its language,
    r"(?:[ ]+(?P<name>[\w.-]+))?"  # behind it perhaps the name of a sample file,
    r"[ ]*\n(?P<text>.*?)"  # everything in between,
    r"^```[ ]*$",  # and the closing fence.
    re.DOTALL | re.MULTILINE,
)
_CALLS_DEFLECT = re.compile(r"(^|\|\s*)deflect\s")
_SHELLS = ("console", "sh")


@dataclass(frozen=True)
class Block:
    """A fenced block of the README; ``line`` is where its text begins."""

    language: str
    name: str | None
    text: str
    line: int

    @property
    def commands(self) -> list[str]:
        """Return the commands that call ``deflect``, without prompts, lines joined that a backslash joins."""
        lines = self.text.replace("\\\n", " ").splitlines()
        if self.language == "console":
            lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
        return [line for line in lines if _CALLS_DEFLECT.search(line)]

    @property
    def is_runnable(self) -> bool:
        """Whether a reader can run it."""
        return self.language in ("python", *_SHELLS)


def read_blocks(text: str) -> list[Block]:
    """Return the fenced blocks that name a language."""
    return [
        Block(match["language"], match["name"], match["text"], text.count("\n", 0, match.start("text")) + 1)
        for match in _FENCE.finditer(text)
    ]


@pytest.fixture(scope="module")
def blocks(root: Path) -> list[Block]:
    """Return the README's blocks."""
    return read_blocks((root / "README.md").read_text("utf-8"))


def run_python(block: Block, names: dict[str, object]) -> None:
    """Run a block of Python; with prompts, compare what it prints."""
    if ">>> " not in block.text:
        exec(compile("\n" * (block.line - 1) + block.text, "README.md", "exec"), names)  # noqa: S102  # Our own text.
        return
    flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    example = doctest.DocTestParser().get_doctest(block.text, names, "README.md", "README.md", block.line - 1)
    report: list[str] = []
    runner = doctest.DocTestRunner(optionflags=flags, verbose=False)
    runner.run(example, out=report.append, clear_globs=False)
    names.update(example.globs)
    assert report == [], "".join(report)


def run_command(command: str, line: int) -> None:
    """Run a command by bash, with this environment's scripts first on the path."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    shell = ["bash", "-o", "pipefail", "-c", command]
    done = subprocess.run(shell, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"README.md, line {line}: {command}\n{done.stdout}{done.stderr}"


def test_examples_run(blocks: list[Block], root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every example of the README runs and prints what the README shows."""
    (tmp_path / "data").symlink_to(root / "data")
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"__name__": "__main__"}
    for block in blocks:
        if block.name:
            Path(block.name).write_text(block.text, "utf-8")
        elif block.language == "python":
            run_python(block, names)
        elif block.language in _SHELLS:
            for command in block.commands:
                run_command(command, block.line)


def test_starts_soon(blocks: list[Block]) -> None:
    """The README's first runnable line comes within its first 30 lines."""
    assert next(block.line for block in blocks if block.is_runnable) <= 30


def test_shows_all_three_uses(blocks: list[Block]) -> None:
    """The README has examples in Python and on the command line."""
    assert {"python", "sh"} <= {"sh" if block.language in _SHELLS else block.language for block in blocks}


def test_reads_blocks() -> None:
    """A block is read with its language, file name, text and line."""
    text = "# Title\n\n```csv tickets.csv\na,b\n```\n\n```sh\ndeflect demo\n```\n"
    assert read_blocks(text) == [Block("csv", "tickets.csv", "a,b\n", 4), Block("sh", None, "deflect demo\n", 8)]


def test_reads_commands() -> None:
    """Of a console block, what follows a prompt and calls deflect is run; output and other commands are not."""
    block = Block("console", None, "$ make demo\n$ deflect suggest \\\n  hi\nhello\n$ cat a | deflect suggest -\n", 1)
    assert block.commands == ["deflect suggest    hi", "cat a | deflect suggest -"]
