"""The wheel, installed as a stranger would install it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TICKET = "my CNAME does not resolve on my custom domain"

NUMPY_ONLY = f"""
from importlib.metadata import distributions
import deflect
suggestion = deflect.Deflector.load().suggest({TICKET!r})
print(*sorted(distribution.name for distribution in distributions()))
print(suggestion.decision, suggestion.category)
"""

COMPILED = f"""
import deflect
from deflect.line.kernel import compiled
suggestion = deflect.Deflector.load().suggest({TICKET!r})
print(compiled() is not None)
print(suggestion.decision, suggestion.category)
"""


def run(*command: str | Path, cwd: Path) -> str:
    """Run a command outside of the tree, and return what it prints to stdout."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def install(environment: Path, *requirements: str | Path, root: Path) -> None:
    """Install into an environment that has no pip of its own, with this one's pip and the project's versions."""
    pip = (sys.executable, "-m", "pip", "--python", environment / "bin" / "python", "install", "--quiet")
    run(*pip, "--constraint", root / "constraints.txt", *requirements, cwd=environment)


def build(root: Path, folder: Path) -> Path:
    """Build the source distribution, and from it alone the wheel."""
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, root, cwd=folder)
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the wheel that this machine makes."""
    return build(root, tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """Make an empty virtual environment."""
    run(sys.executable, "-m", "venv", "--without-pip", tmp_path / "environment", cwd=tmp_path)
    return tmp_path / "environment"


def test_contents(wheel: Path) -> None:
    """The wheel carries the starter bundle, tickets and playbook and the type marker."""
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert names >= {
        "deflect/data/playbook.toml",
        "deflect/data/starter_tickets.csv",
        "deflect/diagnose/assets/stacks.toml",
        "deflect/entities/patterns.toml",
        "deflect/models/starter/manifest.json",
        "deflect/py.typed",
    }


def test_nothing_else(wheel: Path) -> None:
    """The wheel holds the package and its metadata, and no tests or notebooks."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    distribution, version, *_ = wheel.name.split("-")
    assert {name.split("/")[0] for name in names} == {"deflect", f"{distribution}-{version}.dist-info"}
    assert [name for name in names if "tests/" in name or name.endswith(".ipynb")] == []


@pytest.mark.skipif(shutil.which("cc") is None and "CI" not in os.environ, reason="there is no C compiler")
def test_compiled_code(wheel: Path, environment: Path, tmp_path: Path, root: Path) -> None:
    """Where there is a C compiler, the wheel is of this platform and has compiled code, which it uses."""
    with zipfile.ZipFile(wheel) as archive:
        assert "deflect/line/kernel.compiled" in archive.namelist()
    assert wheel.name.split("-")[2:4] == ["py3", "none"]
    assert not wheel.name.endswith("-any.whl")
    install(environment, "numpy", root=root)
    install(environment, "--no-deps", wheel, root=root)
    printed = run(environment / "bin" / "python", "-c", COMPILED, cwd=tmp_path)
    assert printed.splitlines() == ["True", "suggest dns"]


def test_no_compiler(environment: Path, tmp_path: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no C compiler, the wheel is pure Python, and answers the same."""
    monkeypatch.setenv("CC", "/bin/false")
    wheel = build(root, tmp_path)
    assert wheel.name.endswith("-py3-none-any.whl")
    install(environment, "numpy", root=root)
    install(environment, "--no-deps", wheel, root=root)
    printed = run(environment / "bin" / "python", "-c", COMPILED, cwd=tmp_path)
    assert printed.splitlines() == ["False", "suggest dns"]


def test_numpy_only(wheel: Path, environment: Path, tmp_path: Path, root: Path) -> None:
    """Where only NumPy is installed, the starter bundle answers a ticket."""
    install(environment, "numpy", root=root)
    install(environment, "--no-deps", wheel, root=root)
    printed = run(environment / "bin" / "python", "-c", NUMPY_ONLY, cwd=tmp_path)
    assert printed.splitlines() == ["numpy ticket-deflect", "suggest dns"]


def test_console_script(wheel: Path, environment: Path, tmp_path: Path, root: Path) -> None:
    """After a plain install, ``deflect suggest`` answers a ticket from an empty folder."""
    install(environment, wheel, root=root)
    folder = tmp_path / "empty"
    folder.mkdir()
    assert "dns" in run(environment / "bin" / "deflect", "suggest", TICKET, cwd=folder)
    assert list(folder.iterdir()) == []
