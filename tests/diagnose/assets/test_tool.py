"""The tool that the starter playbook gives to stale assets, from the ticket to the diagnosis."""

from __future__ import annotations

from deflect import Deflector
from deflect.diagnose import run_tool

TICKET = "I changed application.css but after the deploy the site still serves the old stylesheet from public/assets"
MANIFEST = f"public/assets/.sprockets-manifest-{'a' * 32}.json"


def test_from_the_ticket_to_the_diagnosis(repository) -> None:
    """The ticket is given the asset check, which finds the committed manifest in the repository that was uploaded."""
    repository.commit({"Gemfile": "", MANIFEST: '{"files": {}, "assets": {}}', "app/assets/a.css": "old"})
    deflector = Deflector.load()
    suggestion = deflector.suggest(TICKET)
    assert suggestion.tool is not None
    form = {**deflector.prefill(suggestion, TICKET), "path": repository.path.name}
    diagnosis = run_tool(suggestion.tool, form, allowed=repository.path.parent)
    assert (diagnosis.tool, [finding.check for finding in diagnosis.findings]) == ("assets", ["manifest.tracked"])
    assert MANIFEST in diagnosis.findings[0].evidence
