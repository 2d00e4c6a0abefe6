"""What a playbook's tool runs."""

from __future__ import annotations

import pytest

import deflect.diagnose
from deflect.diagnose import Diagnosis, run_tool
from deflect.diagnose.tools import _RUNS, command
from deflect.errors import ParameterError
from deflect.line.playbook import DIAGNOSES, Tool

DNS = Tool("DNS check", diagnosis="dns", parameters=("host",))


def test_every_diagnosis_can_be_run() -> None:
    """Each diagnosis that a playbook may name is in the table."""
    assert tuple(_RUNS) == DIAGNOSES


@pytest.mark.parametrize(
    ("tool", "parameters", "given"),
    [
        (DNS, {"host": "a.example", "app": "x"}, "a.example"),
        (Tool("x", diagnosis="dns"), {"domain": "a.example"}, "a.example"),
        (Tool("x", diagnosis="assets"), {"path": "checkout"}, "checkout"),
        (Tool("x", diagnosis="timeouts"), {"log": "router.log"}, ["router.log"]),
    ],
)
def test_run(tool: Tool, parameters: dict[str, str], given: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """The function is given the tool's first parameter, or that of the diagnosis where the playbook names none."""

    def recorded(subject: object) -> Diagnosis:
        return Diagnosis(str(tool.diagnosis), repr(subject))

    monkeypatch.setattr(deflect.diagnose, f"diagnose_{tool.diagnosis}", recorded, raising=False)
    assert run_tool(tool, parameters) == Diagnosis(str(tool.diagnosis), repr(given))


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
