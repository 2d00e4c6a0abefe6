"""What several tests share: the repository's root, fresh processes, and hypothesis without a clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

RunPython = Callable[[str], str]

# A shared or cold machine is slow now and then, which says nothing about the code.
settings.register_profile("deflect", deadline=None)
settings.load_profile("deflect")

# A shell's background jobs ignore Ctrl-C, and so would the commands that the tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def root() -> Path:
    """Return the repository's root."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture
def run_python(tmp_path: Path) -> RunPython:
    """Return a function that runs code in a fresh process, in an empty folder that is also its home."""
    environment = os.environ | {"HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(code: str) -> str:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
