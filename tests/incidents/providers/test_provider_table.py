"""The table of providers: which is chosen, and how a wrong choice is refused."""

from __future__ import annotations

import pytest

from deflect.errors import NoStatusPageError, ParameterError
from deflect.incidents.providers import PROVIDERS, choose, named


@pytest.mark.parametrize("document", [{}, [], None, 1, "text", {"error": "not found"}, [{"id": 1}], {"data": {}}])
def test_no_status_page(document: object) -> None:
    """JSON that is no status page is refused, with what to do."""
    with pytest.raises(NoStatusPageError, match=r"here answered, but it is no status page .* Give the address"):
        choose(document, "here")


def test_another_providers_answer() -> None:
    """An answer that is not the named provider's is refused."""
    with pytest.raises(NoStatusPageError, match="must answer as heroku does"):
        choose({"page": {}, "incidents": []}, "here", PROVIDERS["heroku"])


@pytest.mark.parametrize("document", [[], {"data": []}, {"data": [], "included": []}])
def test_nothing_on(document: object) -> None:
    """An empty list has no mark of its provider, and is taken for the named one's."""
    assert choose(document, "here", PROVIDERS["zendesk"]).name == "zendesk"


def test_unknown_name() -> None:
    """A provider that there is not is refused with those that there are."""
    with pytest.raises(ParameterError, match=r"provider must be one of status\.io, .*, own\. Got 'nagios' instead\."):
        named("nagios")
