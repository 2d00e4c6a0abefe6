"""The tool that the starter playbook gives to DNS, from the ticket to the diagnosis, over real name servers."""

from __future__ import annotations

from typing import Protocol

import pytest

from deflect import Deflector
from deflect.diagnose import Network, run_tool
from deflect.line.playbook import Tool


class Laboratory(Protocol):
    """What conftest.py provides."""

    def network(self, **changes: object) -> Network:
        """Return what to ask."""


def test_from_the_ticket_to_the_diagnosis(laboratory: Laboratory) -> None:
    """The ticket is given the DNS check, its form has the domain, and the check names the wrong target."""
    ticket = "Our custom domain app.targets.test does not work, which CNAME do I set?"
    deflector = Deflector.load()
    suggestion = deflector.suggest(ticket)
    assert suggestion.tool is not None
    form = deflector.prefill(suggestion, ticket)
    diagnosis = run_tool(suggestion.tool, form, network=laboratory.network())
    assert (diagnosis.tool, diagnosis.subject) == ("dns", "app.targets.test")
    assert "rec.target_app_host" in {finding.check for finding in diagnosis.findings}


@pytest.mark.parametrize(
    "tool", [Tool("DNS check", diagnosis="dns"), Tool("DNS check", diagnosis="dns", parameters=("host", "domain"))]
)
def test_parameter(tool: Tool, laboratory: Laboratory) -> None:
    """The check is given the tool's first parameter, or the domain where the playbook names none."""
    form = {tool.parameters[0] if tool.parameters else "domain": "www.good.test"}
    assert run_tool(tool, form, network=laboratory.network()).subject == "www.good.test"


def test_private_names_are_not_looked_up() -> None:
    """By default the check asks for public names only, for strangers type them."""
    diagnosis = run_tool(Tool("DNS check", diagnosis="dns"), {"domain": "router.local"})
    assert [finding.check for finding in diagnosis.findings] == ["name.invalid"]
    assert diagnosis.checked == ("name.invalid",)
