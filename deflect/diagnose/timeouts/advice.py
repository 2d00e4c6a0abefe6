"""What to do about a slow path, by kind: one row a kind, the first whose sign is seen."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advice:
    """One kind of slow path: its name, how its path looks, and what to do."""

    kind: str
    path: re.Pattern[str]
    fix: str


_LIMIT = "Until then end such requests early, so that they free their thread:\n"
_RACK_TIMEOUT = (
    "  bundle add rack-timeout && heroku config:set RACK_TIMEOUT_SERVICE_TIMEOUT=15      # Rails\n"
    "  web: gunicorn app:app --timeout 15                                                # Python, in the Procfile"
)

#: The database took this part of the time, or more: it is a matter of queries, whatever the path is called.
MIN_DATABASE_FRACTION = 0.5
QUERY = Advice(
    "query",
    re.compile("(?!)"),
    "Most of its time is spent in the database. Find the query, and give it an index or less to do:\n"
    "  heroku pg:outliers; heroku pg:locks\n"
    "Let no statement run longer than a visitor waits:\n"
    "  heroku pg:psql -c \"ALTER ROLE CURRENT_USER SET statement_timeout = '15s'\"",
)
_BY_PATH = (
    Advice(
        "background job",
        re.compile(
            r"export|report|invoice|statement|backup|archive|generate|render|convert|resize|thumbnail|import|upload"
            r"|batch|bulk|rebuild|reindex|recalculate|newsletter|mailing|\.(?:pdf|csv|xlsx?|zip|docx?)\b",
            re.IGNORECASE,
        ),
        "Do the work in a background job: answer 202 with the job's address at once, let the page ask for the result.\n"
        "  heroku ps:scale worker=1\n" + _LIMIT + _RACK_TIMEOUT,
    ),
    Advice(
        "stream",
        re.compile(
            r"download|stream|feed|events?/live|\bsse\b|tail|video|audio|\.(?:mp4|mov|tar|gz|dump)\b", re.IGNORECASE
        ),
        "Send the first byte at once and the rest as it comes; better, redirect to a signed address of the files.\n"
        + _LIMIT
        + _RACK_TIMEOUT,
    ),
    Advice(
        "outbound call",
        re.compile(
            r"webhook|callback|oauth|\bsso\b|saml|payment|checkout|charge|stripe|paypal|shipping|rates?\b|geocode|weather"
            r"|sync|proxy|integration|external|gateway|notify|sms|email",
            re.IGNORECASE,
        ),
        "It seems to wait for another service. Give each call a time-out of its own, and go on without the answer:\n"
        "  Net::HTTP.start(host, port, open_timeout: 2, read_timeout: 5)      # Ruby\n"
        "  requests.get(url, timeout=(2, 5))                                  # Python\n"
        "  fetch(url, { signal: AbortSignal.timeout(5000) })                  # Node.js",
    ),
    Advice(
        "query",
        re.compile(
            r"search|filter|query|list|index|dashboard|stats|statistics|analytics|graphql|autocomplete", re.IGNORECASE
        ),
        "It looks like a matter of queries: find the slow one, give it an index, and fetch a page at a time.\n"
        "  heroku pg:outliers; heroku pg:locks\n" + _LIMIT + _RACK_TIMEOUT,
    ),
)
_OTHERWISE = Advice(
    "in-app time-out",
    re.compile(""),
    "End such a request early: the router's limit cannot be changed, and the dyno works on after it.\n"
    + _RACK_TIMEOUT
    + "\nThe trace of the error then says where it spends its time; move that to a background job or make it faster.",
)
STREAMING = (
    "If each connection holds a thread, use an asynchronous server or its own process type for it; and send something "
    "at least every 50 seconds."
)


def advise(path: str, database_fraction: float) -> Advice:
    """Return the advice for a slow path; ``database_fraction`` is not a number where nobody measured it."""
    if database_fraction >= MIN_DATABASE_FRACTION:
        return QUERY
    return next((advice for advice in _BY_PATH if advice.path.search(path)), _OTHERWISE)
