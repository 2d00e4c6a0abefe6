"""What a playbook's tool runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from deflect.diagnose import run_tool
from deflect.diagnose.tools import _RUNS, command
from deflect.errors import ParameterError
from deflect.line.playbook import DIAGNOSES, Tool

DNS = Tool("DNS check", diagnosis="dns", parameters=("host",))


def test_every_diagnosis_can_be_run() -> None:
    """Each diagnosis that a playbook may name is in the table."""
    assert tuple(_RUNS) == DIAGNOSES


@pytest.mark.parametrize(
    ("tool", "parameters", "message"),
    [
        (DNS, {}, "parameters must have host. Got nothing instead"),
        (DNS, {"host": "", "app": "x"}, "parameters must have host. Got app, host instead"),
        (
            Tool("x", url="https://example.com"),
            {},
            "one of the diagnoses dns, assets, timeouts. Got 'https://example.com'",
        ),
    ],
)
def test_faults(tool: Tool, parameters: dict[str, str], message: str) -> None:
    """A missing value and a tool without a diagnosis are refused."""
    with pytest.raises(ParameterError, match=message):
        run_tool(tool, parameters)


FILES = [Tool("Log check", diagnosis="timeouts", parameters=("path",)), Tool("Asset check", diagnosis="assets")]


@pytest.mark.parametrize("tool", FILES)
def test_no_file_is_read_by_default(tool: Tool, tmp_path: Path) -> None:
    """Without a folder that the caller allows, no path is looked at, not even one that is not there."""
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(ParameterError, match=r"allowed must be the folder in which path may be.* Got None"):
            run_tool(tool, {"path": str(path)})


@pytest.mark.parametrize("tool", FILES)
@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "..", "../allowed2/x.log", "a/../../x", "link/passwd", "link", "loop", "a\0b", "/proc"],
)
def test_nothing_leads_out_of_the_folder(tool: Tool, path: str, tmp_path: Path) -> None:
    """Neither a path nor a link on it leads out of the folder that the caller allows."""
    (tmp_path / "allowed").mkdir()
    (tmp_path / "allowed2").mkdir()
    (tmp_path / "allowed2" / "x.log").write_text("secret")
    (tmp_path / "allowed" / "link").symlink_to("/etc")
    (tmp_path / "allowed" / "loop").symlink_to("loop")
    with pytest.raises(ParameterError, match=r"^path must be in the allowed folder\. Got '") as caught:
        run_tool(tool, {"path": path}, allowed=tmp_path / "allowed")
    assert len(str(caught.value)) < 200
    assert str(caught.value).isprintable()


@pytest.mark.parametrize(
    ("tool", "parameters", "line"),
    [
        (DNS, {"host": "a.example"}, "deflect diagnose dns a.example"),
        (DNS, {}, "deflect diagnose dns HOST"),
        (DNS, {"host": "a b; rm *"}, "deflect diagnose dns 'a b; rm *'"),
        (DNS, {"host": "--json"}, "deflect diagnose dns -- --json"),
        (Tool("x", diagnosis="timeouts"), {}, "deflect diagnose timeouts LOG"),
    ],
)
def test_command(tool: Tool, parameters: dict[str, str], line: str) -> None:
    """The command line can be pasted into a shell whatever the value is; a missing one is in capitals."""
    assert command(tool, parameters) == line
