"""What each provider of status pages answers, one module each: JSON or XML to a Snapshot, no network, no clock."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from deflect.errors import NoStatusPageError, ParameterError
from deflect.incidents.providers import (
    better_stack,
    cachet,
    heroku,
    incident_io,
    instatus,
    own,
    salesforce,
    status_io,
    statuspage,
    syndication,
    zendesk,
)
from deflect.incidents.providers.fields import Fields
from deflect.incidents.snapshot import Snapshot

HEROKU_AT_SALESFORCE = "https://api.status.salesforce.com/v1/incidents/active"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider: how to recognise and parse its answer, and where on a page the answer is.

    ``path`` is the main answer, ``further`` are others that belong to it, relative to it; they may be missing.
    ``hosts`` are hosts that are known to be this provider's, ``failover`` is asked when these do not answer.
    ``lists_news``: what it lists may be long over though it does not say so.
    """

    name: str
    recognises: Callable[[object], bool]
    parse: Callable[[Sequence[object], str], Snapshot]
    path: str = ""
    further: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    failover: tuple[str, str] | None = None
    lists_news: bool = False


#: In the order of guessing: the most particular shapes first.
_ALL = (
    Provider("status.io", status_io.recognises, status_io.parse),
    Provider("better_stack", better_stack.recognises, better_stack.parse, "/index.json"),
    Provider("instatus", instatus.recognises, instatus.parse, "/summary.json"),
    Provider(
        "heroku",
        heroku.recognises,
        heroku.parse,
        "/api/v4/current-status",
        hosts=("status.heroku.com",),
        failover=(HEROKU_AT_SALESFORCE, "salesforce"),
    ),
    Provider(
        "salesforce",
        salesforce.recognises,
        salesforce.parse,
        "/v1/incidents/active",
        further=("../instances?products=Heroku", "../maintenances?product=Heroku"),
        hosts=("api.status.salesforce.com",),
    ),
    Provider("statuspage", statuspage.recognises, statuspage.parse, "/api/v2/summary.json"),
    Provider("rootly", statuspage.recognises, statuspage.parse, "/api/v1/status.json"),
    Provider("incident.io", incident_io.recognises, incident_io.parse, "/api/v1/summary"),
    Provider("cachet3", cachet.recognises_3, cachet.parse_3, "/api/incidents?include=components,updates&sort=-id"),
    Provider(
        "zendesk",
        zendesk.recognises,
        zendesk.parse,
        "/api/incidents/active",
        further=("maintenance",),
        hosts=("status.zendesk.com",),
    ),
    Provider(
        "cachet", cachet.recognises_1, cachet.parse_1, "/api/v1/incidents?sort=id&order=desc", further=("components",)
    ),
    Provider("feed", syndication.recognises, syndication.parse, "/history.atom", lists_news=True),
    Provider("own", own.recognises, own.parse),
)
PROVIDERS = {provider.name: provider for provider in _ALL}


def named(name: str) -> Provider:
    """Return the provider of a name; ParameterError lists those that there are."""
    if name not in PROVIDERS:
        msg = f"provider must be one of {', '.join(PROVIDERS)}. Got {name!r} instead."
        raise ParameterError(msg)
    return PROVIDERS[name]


def choose(document: object, source: str, provider: Provider | None = None) -> Provider:
    """Return the provider whose answer this is: the given one, or the guessed one where none is given.

    Raises NoStatusPageError where it is not the given one's answer, or no status page at all.
    """
    if provider is not None:
        if provider.recognises(document) or _says_nothing(document):
            return provider
        msg = f"{source} must answer as {provider.name} does, got something else. Let deflect guess the provider."
        raise NoStatusPageError(msg)
    guessed = next((known for known in _ALL if known.recognises(document)), None)
    if guessed is None:
        msg = f"{source} answered, but it is no status page that deflect knows. Give the address of its JSON or feed."
        raise NoStatusPageError(msg)
    return guessed


def _says_nothing(document: object) -> bool:
    """Say whether an answer is an empty list, which has no mark of its provider: nothing is on."""
    return document == [] or Fields(document).values.get("data") == []
