"""Runs the built-in diagnosis that a playbook's tool names, with the parameters of its form."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from deflect.diagnose.finding import Diagnosis
from deflect.errors import ParameterError
from deflect.line.playbook import Tool
from deflect.line.toml_table import shown

if TYPE_CHECKING:
    from deflect.diagnose.dns.network import Network


@dataclass(frozen=True, slots=True)
class _Run:
    """Names the function of ``deflect.diagnose`` that looks, and what it looks at; ``reads_files`` of this machine."""

    function: str
    parameter: str
    reads_files: bool = True


#: The diagnoses that ``deflect.line.playbook.DIAGNOSES`` lets a tool name.
_RUNS = {
    "dns": _Run("diagnose_dns", "domain", reads_files=False),
    "assets": _Run("diagnose_assets", "path"),
    "timeouts": _Run("diagnose_timeouts", "log"),
}


def run_tool(
    tool: Tool,
    parameters: Mapping[str, str],
    *,
    allowed: str | os.PathLike[str] | None = None,
    network: Network | None = None,
) -> Diagnosis:
    """Run the diagnosis of a playbook's tool.

    Use it behind the tool's form, also for strangers: "dns" asks public name servers about public names, and "assets"
    and "timeouts", which read files of this machine, do so in one folder only.

    Parameters
    ----------
    tool
        The tool of a suggestion; it must name a diagnosis, not a url.
    parameters
        What the form has: a value for the tool's first parameter. Where the playbook names none, that is "domain" for
        dns, "path" for assets and "log" for timeouts.
    allowed
        The folder in which "assets" and "timeouts" may read, such as that of a customer's uploads; a relative path
        begins there. None (default) lets them read nothing. Links that lead out of it are refused, so nobody but you
        may make any there meanwhile.
    network
        Whom "dns" asks, and with what limits; None (default) is this machine's resolvers.

    Returns
    -------
        What the diagnosis says.

    Raises
    ------
    ParameterError
        If the tool names no diagnosis, the value is missing, or a path is not in the folder.
    DiagnosisError
        If the diagnosis could not look.

    Examples
    --------
    >>> run_tool(Tool("DNS check", diagnosis="dns", parameters=("domain",)), {})
    Traceback (most recent call last):
    deflect.errors.ParameterError: parameters must have domain. Got nothing instead. Ask the customer for it.
    >>> run_tool(Tool("Log check", diagnosis="timeouts"), {"log": "/etc/passwd"}, allowed="uploads")
    Traceback (most recent call last):
    deflect.errors.ParameterError: log must be in the allowed folder. Got '/etc/passwd' instead.
    """
    run, name = _run_of(tool), _parameter(tool)
    value = parameters.get(name, "")
    if not value:
        got = ", ".join(sorted(parameters)) or "nothing"
        msg = f"parameters must have {name}. Got {got} instead. Ask the customer for it."
        raise ParameterError(msg)
    # By name, so that each diagnosis is imported when it runs: it has needs of its own.
    diagnose = getattr(import_module("deflect.diagnose"), run.function)
    if run.reads_files:
        return cast("Diagnosis", diagnose(_inside(allowed, value, name)))
    return cast("Diagnosis", diagnose(value, network=network))


def _inside(allowed: str | os.PathLike[str] | None, value: str, name: str) -> Path:
    """Return the path of a value in the allowed folder, with every link followed."""
    if allowed is None:
        msg = f"allowed must be the folder in which {name} may be, for this diagnosis reads files. Got None instead."
        raise ParameterError(msg)
    folder = Path(allowed).resolve()
    try:
        path = (folder / value).resolve()
        is_inside = path.is_relative_to(folder)
    except (OSError, RuntimeError, ValueError):  # A loop of links, a name that is too long, a NUL character.
        is_inside = False
    if not is_inside:
        msg = f"{name} must be in the allowed folder. Got {shown(value)} instead."
        raise ParameterError(msg)
    return path


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
