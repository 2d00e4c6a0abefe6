"""Real git repositories, made in an empty folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from deflect.diagnose import Diagnosis, diagnose_assets

Files = Mapping[str, str | bytes]


class Repository:
    """A git repository in which every commit is a day later than the one before."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._n_commits = 0
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *words: str, at: str = "2024-01-01T00:00:00Z") -> str:
        """Run git as nobody, with nobody's settings."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.path.parent),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_GLOBAL": os.devnull,
            "GIT_COMMITTER_DATE": at,
            "GIT_AUTHOR_DATE": at,
        } | {f"GIT_{who}_{what}": "a@b.example" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        command = ["git", *words]
        done = subprocess.run(command, cwd=self.path, env=environment, capture_output=True, text=True, check=True)
        return done.stdout

    def write(self, files: Files) -> None:
        """Write files."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())

    def commit(self, files: Files | None = None) -> None:
        """Write files and commit everything that is not ignored."""
        self.write(files or {})
        self._n_commits += 1
        self.git("add", "--all")
        at = f"2024-01-{self._n_commits:02}T12:00:00Z"
        self.git("commit", "--quiet", "--allow-empty", "--message", "Change", at=at)

    def diagnose(self) -> Diagnosis:
        """Diagnose it."""
        return diagnose_assets(self.path)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """Return an empty git repository."""
    if shutil.which("git") is None and "CI" not in os.environ:
        pytest.skip("git is not installed")
    path = tmp_path / "app"
    path.mkdir()
    return Repository(path)
