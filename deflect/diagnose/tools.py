"""Runs the built-in diagnosis that a playbook's tool names, with the parameters of its form."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import cast

from deflect.diagnose.finding import Diagnosis
from deflect.errors import ParameterError
from deflect.line.playbook import Tool


@dataclass(frozen=True, slots=True)
class _Run:
    """Names the function of ``deflect.diagnose`` that looks, and what it looks at."""

    function: str
    parameter: str
    takes_many: bool = False


#: The diagnoses that ``deflect.line.playbook.DIAGNOSES`` lets a tool name.
_RUNS = {
    "dns": _Run("diagnose_dns", "domain"),
    "assets": _Run("diagnose_assets", "path"),
    "timeouts": _Run("diagnose_timeouts", "log", takes_many=True),
}


def run_tool(tool: Tool, parameters: Mapping[str, str]) -> Diagnosis:
    """Run the diagnosis of a playbook's tool.

    Use it behind the tool's form. "dns" is safe to run for strangers; "assets" and "timeouts" read files of this
    machine, so pass the path of an upload, never one that a customer typed.

    Parameters
    ----------
    tool
        The tool of a suggestion; it must name a diagnosis, not a url.
    parameters
        What the form has: a value for the tool's first parameter. Where the playbook names none, that is "domain" for
        dns, "path" for assets and "log" for timeouts.

    Returns
    -------
        What the diagnosis says.

    Raises
    ------
    ParameterError
        If the tool names no diagnosis, or the value is missing.
    DiagnosisError
        If the diagnosis could not look.

    Examples
    --------
    >>> run_tool(Tool("DNS check", diagnosis="dns", parameters=("domain",)), {})
    Traceback (most recent call last):
    deflect.errors.ParameterError: parameters must have domain. Got nothing instead. Ask the customer for it.
    """
    run, name = _run_of(tool), _parameter(tool)
    value = parameters.get(name, "")
    if not value:
        got = ", ".join(sorted(parameters)) or "nothing"
        msg = f"parameters must have {name}. Got {got} instead. Ask the customer for it."
        raise ParameterError(msg)
    # By name, so that each diagnosis is imported when it runs: it has needs of its own.
    diagnose = getattr(import_module("deflect.diagnose"), run.function)
    return cast("Diagnosis", diagnose([value] if run.takes_many else value))


def command(tool: Tool, parameters: Mapping[str, str]) -> str:
    """Return the command line that runs the diagnosis of a tool; what is not known stands there in capitals."""
    name = _parameter(tool)
    value = parameters.get(name) or name.upper()
    return shlex.join(["deflect", "diagnose", tool.diagnosis or "", *(["--"] if value.startswith("-") else []), value])


def _run_of(tool: Tool) -> _Run:
    if tool.diagnosis not in _RUNS:
        msg = f"tool must have one of the diagnoses {', '.join(_RUNS)}. Got {tool.diagnosis or tool.url!r} instead."
        raise ParameterError(msg)
    return _RUNS[tool.diagnosis]


def _parameter(tool: Tool) -> str:
    return tool.parameters[0] if tool.parameters else _run_of(tool).parameter
