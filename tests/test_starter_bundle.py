"""The shipped bundle is what `make models` makes."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from deflect import Deflector


def recipe(root: Path) -> list[str]:
    """Return the arguments that `make models` gives to deflect."""
    makefile = (root / "Makefile").read_text("utf-8").replace("\\\n", " ")
    line = re.search(r"^models:.*\n\t\$\(BIN\)/deflect (.+)$", makefile, re.MULTILINE)
    assert line is not None
    return shlex.split(line[1])


@pytest.mark.slow
def test_is_rebuilt_byte_for_byte(root: Path, tmp_path: Path) -> None:
    """Training again with the Makefile's options gives every file of the shipped bundle, byte for byte."""
    target = tmp_path / "starter"
    options = [str(target) if option == "models/starter" else option for option in recipe(root)]
    command = [sys.executable, "-c", "from deflect.edge.cli import app; app()", *options]
    subprocess.run(command, cwd=root, capture_output=True, check=True)
    shipped = root / "models" / "starter"
    names = sorted(path.name for path in shipped.iterdir())
    assert names == sorted(path.name for path in target.iterdir())
    assert [name for name in names if (shipped / name).read_bytes() != (target / name).read_bytes()] == []


def test_answers() -> None:
    """The starter bundle answers the examples that the documentation shows."""
    deflector = Deflector.load()
    texts = {
        "Our custom domain still points to the old host, which CNAME do I set?": "dns",
        "push rejected, npm install fails on node-gyp": "build-failure",
        "R14 memory quota exceeded on every worker": "memory",
        "I was charged twice this month, please refund one": "billing",
    }
    assert {text: deflector.suggest(text).category for text in texts} == texts
    assert deflector.suggest("Thanks, that was quick!").reason == "out_of_scope"
