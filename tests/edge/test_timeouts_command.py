"""``deflect diagnose timeouts`` as a person runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-c", "from deflect.edge.cli import app; app()", "diagnose", "timeouts"]


def line(second: int, path: str, service: int, code: str = "") -> str:
    """Write a router line."""
    return (
        f"2026-11-23T08:{second // 60:02}:{second % 60:02}.000000+00:00 heroku[router]: at=info "
        f"{f'code={code} desc=x ' if code else ''}method=GET path={path!r} host=a request_id=r fwd=f dyno=web.1 "
        f"connect=0ms service={service}ms status=200 bytes=1\n"
    ).replace("'", '"')


QUICK = "".join(line(i, "/", 9) for i in range(900))
SLOW = QUICK + "".join(line(30 * i, "/reports/7.pdf", 20_000) for i in range(20))


def run(*arguments: object, text: str = "", folder: Path | None = None) -> subprocess.CompletedProcess[bytes]:
    """Run the command."""
    command = [*COMMAND, *map(str, arguments)]
    environment = os.environ | {"COLUMNS": "100"}
    return subprocess.run(command, input=text.encode(), cwd=folder, env=environment, capture_output=True, check=False)


def test_fine() -> None:
    """A log with nothing wrong is exit code 0."""
    done = run("-", text=QUICK)
    assert (done.returncode, done.stdout.decode().splitlines()[0]) == (0, "Nothing wrong found with stdin.")


def test_problems() -> None:
    """A slow path is exit code 1; it is named, with what to do, above the time line and the paths."""
    done = run("-", text=SLOW)
    shown = done.stdout.decode()
    assert done.returncode == 1
    assert shown.startswith("warning  GET /reports/{id}.pdf is slow by itself: it holds 98% of the dynos' time.")
    assert "\n  fix   Do the work in a background job" in shown
    assert "\nslow paths   " in shown
    assert any(text.startswith("GET /reports/{id}.pdf") and "culprit" in text for text in shown.splitlines())


def test_no_log(tmp_path: Path) -> None:
    """What is no log is exit code 2 and one message."""
    done = run("app.log", folder=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith("error: A log must be a file that can be read. Got 'app.log': No such file")


def test_json() -> None:
    """Programs get the figures."""
    read = json.loads(run("-", "--json", text=SLOW).stdout)
    assert (read["n_requests"], read["routes"][0]["verdict"], read["is_fine"]) == (920, "culprit", False)
    assert sum(slot["n_requests"] for slot in read["timeline"]) == 920


def test_plot(tmp_path: Path) -> None:
    """The time line is drawn into a file; a format that cannot be drawn is said before the log is read."""
    assert run("-", "--plot", tmp_path / "a.png", text=SLOW).returncode == 1
    assert (tmp_path / "a.png").read_bytes().startswith(b"\x89PNG")
    assert run("missing.log", "--plot", "a.gif").stderr.startswith(b"error: A plot must be a .png, .svg or .pdf file")


def test_terminal_is_safe() -> None:
    """What strangers wrote into paths, names and codes reaches the terminal without control characters or markup."""
    nasty = "/[red]\x1b]0;owned\x07\u202e/x"
    text = "".join(line(30 * i, nasty, 20_000, "H1\x1b") for i in range(20)) + QUICK
    shown = run("-", text=text).stdout.decode()
    assert "GET /[red]" in shown
    assert all(character.isprintable() or character == "\n" for character in shown)


@pytest.mark.skipif(sys.platform == "win32", reason="signals differ")
def test_follow(tmp_path: Path) -> None:
    """A followed file is read as it grows, until an interrupt; then comes the report."""
    path = tmp_path / "app.log"
    path.write_text(QUICK, "utf-8")
    command = [*COMMAND, str(path), "--follow", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        time.sleep(3)
        with path.open("a", encoding="utf-8") as file:
            file.write(SLOW)
        time.sleep(2)
        process.send_signal(signal.SIGINT)
        shown, _ = process.communicate(timeout=60)
    assert json.loads(shown)["n_requests"] == 900 + 920
