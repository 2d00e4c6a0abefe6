"""The tool that the starter playbook gives to time-outs, from the ticket to the diagnosis."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from deflect import Deflector
from deflect.diagnose import TimeoutsDiagnosis, run_tool

TICKET = "We get H12 request timeout errors on many requests since the deploy, the router log says service=30000ms"


def test_from_the_ticket_to_the_diagnosis(simulation: ModuleType, tmp_path: Path) -> None:
    """The ticket is given the time-out check, which finds the slow paths in the log that was uploaded."""
    plan = simulation.Plan(seed=5)
    (tmp_path / "app.log").write_text("\n".join(simulation.router_lines(simulation.simulate(plan))))
    deflector = Deflector.load()
    suggestion = deflector.suggest(TICKET)
    assert suggestion.tool is not None
    form = {**deflector.prefill(suggestion, TICKET), "log": "app.log"}
    diagnosis = run_tool(suggestion.tool, form, allowed=tmp_path)
    assert isinstance(diagnosis, TimeoutsDiagnosis)
    assert {route.path for route in diagnosis.culprits} == set(plan.slow)
