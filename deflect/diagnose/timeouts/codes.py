"""What the platform's error codes mean, and what to do: one row a code."""

from __future__ import annotations

from dataclasses import dataclass

from deflect.diagnose.finding import Severity

#: The page that lists every code.
URL = "https://devcenter.heroku.com/articles/error-codes"
#: The codes that this module tells more about than that they were seen.
TIMEOUT = "H12"


@dataclass(frozen=True, slots=True)
class Code:
    """One code: its name, how bad it is, what it means in a sentence, and what to do."""

    code: str
    title: str
    severity: Severity
    meaning: str
    fix: str = ""


_ROWS = (
    # Web: what the router says.
    Code(
        "H10",
        "App crashed",
        "critical",
        "the web process ended or never started",
        "heroku logs --dyno web; heroku restart",
    ),
    Code(
        "H11",
        "Backlog too deep",
        "error",
        "requests came faster than the dynos took them",
        "make the slow paths faster first; then heroku ps:scale web=N",
    ),
    Code(TIMEOUT, "Request timeout", "error", "no first byte came back within 30 seconds"),
    Code(
        "H13",
        "Connection closed without response",
        "error",
        "the web process closed the connection before it answered: it crashed, was killed or ended a slow worker",
        "look for a worker time-out or a crash in the app's log at the same second",
    ),
    Code("H14", "No web dynos running", "critical", "no web dyno is scaled up", "heroku ps:scale web=1"),
    Code(
        "H15",
        "Idle connection",
        "warning",
        "nothing was sent for 55 seconds",
        "send something at least every 50 seconds on long connections",
    ),
    Code("H16", "No longer used", "notice", "this code is no longer given", ""),
    Code(
        "H17",
        "Poorly formatted response",
        "error",
        "the app's answer is not valid HTTP",
        "correct the headers of the answer",
    ),
    Code(
        "H18",
        "Server request interrupted",
        "warning",
        "the app closed the connection while the request or the answer was still on its way",
        "read the whole request body before answering; look for crashes at the same second",
    ),
    Code(
        "H19",
        "Backend connection timeout",
        "error",
        "the dyno did not take the connection within 5 seconds: it is overloaded",
        "make the slow paths faster; then more threads or dynos",
    ),
    Code(
        "H20",
        "App boot timeout",
        "critical",
        "no web process listened on its port in time while requests waited",
        "bind to $PORT earlier; load less at start",
    ),
    Code(
        "H21",
        "Backend connection refused",
        "error",
        "no process took connections in the dyno",
        "heroku restart; look for a crash",
    ),
    Code(
        "H22",
        "Connection limit reached",
        "warning",
        "a dyno has too many open connections",
        "make the slow paths faster; then more dynos",
    ),
    Code(
        "H23",
        "Endpoint misconfigured",
        "error",
        "a web socket was answered wrongly",
        "answer the upgrade as RFC 6455 says",
    ),
    Code(
        "H24",
        "Forced close",
        "notice",
        "a connection was closed because a dyno was restarted or a limit was reached",
        "",
    ),
    Code(
        "H25",
        "HTTP restriction",
        "error",
        "the answer breaks a limit, such as the length of a header or cookie",
        "send smaller headers and cookies",
    ),
    Code("H26", "Request error", "notice", "a visitor sent a request that is not valid HTTP", ""),
    Code(
        "H27",
        "Client request interrupted",
        "notice",
        "a visitor went away before the answer was ready; many of them wait in vain for a slow page",
    ),
    Code("H28", "Client connection idle", "notice", "a visitor sent nothing for 55 seconds", ""),
    Code(
        "H31",
        "Misdirected request",
        "warning",
        "a request came for a domain that the certificate is not for",
        "heroku domains; heroku certs",
    ),
    Code(
        "H32",
        "TLS certificate mismatch",
        "warning",
        "host name and certificate do not belong together",
        "heroku certs:auto",
    ),
    Code(
        "H80",
        "Maintenance mode",
        "notice",
        "maintenance mode is on, so visitors see a page that says so",
        "heroku maintenance:off",
    ),
    Code("H81", "Blank app", "notice", "nothing has been deployed yet", "git push heroku main"),
    Code(
        "H82",
        "Dyno hours used up",
        "error",
        "the hours of this plan are used up for this month",
        "heroku ps:type basic",
    ),
    Code(
        "H83",
        "Planned service degradation",
        "warning",
        "the platform said before that this would happen",
        "look at the status page",
    ),
    Code(
        "H99",
        "Platform error",
        "critical",
        "an error of the platform, not of the app",
        "look at https://status.heroku.com; nothing in the app to mend",
    ),
    # Runtime: what happens to a dyno.
    Code(
        "R10",
        "Boot timeout",
        "critical",
        "a web process did not listen on $PORT within 60 seconds, and was stopped",
        "bind to $PORT first, load the rest later",
    ),
    Code(
        "R12",
        "Exit timeout",
        "warning",
        "a process did not end within 30 seconds of SIGTERM, and was killed",
        "end requests and jobs on SIGTERM",
    ),
    Code("R13", "Attach error", "warning", "a one-off dyno could not be attached to", "try again"),
    Code(
        "R14",
        "Memory quota exceeded",
        "warning",
        "a dyno uses more memory than it has and swaps, which makes every request on it slow",
        "fewer workers for each dyno, or heroku ps:type web=standard-2x",
    ),
    Code(
        "R15",
        "Memory quota vastly exceeded",
        "error",
        "a dyno used far more memory than it has, and was killed",
        "fewer workers for each dyno, or heroku ps:type web=standard-2x",
    ),
    Code("R16", "Detached", "notice", "a one-off dyno went on after its terminal had gone", ""),
    Code("R17", "Checksum error", "error", "the app's slug is damaged", "deploy again"),
    Code(
        "R99",
        "Platform error",
        "critical",
        "an error of the platform, not of the app",
        "look at https://status.heroku.com; nothing in the app to mend",
    ),
    # Logging: what happens to the log itself.
    Code(
        "L10",
        "Drain buffer overflow",
        "notice",
        "a log drain was too slow, and lines are missing: every count here is too low",
    ),
    Code(
        "L11", "Tail buffer overflow", "notice", "the reader of heroku logs --tail was too slow, and lines are missing"
    ),
    Code(
        "L12",
        "Local buffer overflow",
        "notice",
        "a dyno logged faster than lines could be sent, and lines are missing",
        "log less",
    ),
    Code("L13", "Local delivery error", "notice", "a dyno could not send its lines, and some are missing"),
    Code(
        "L14",
        "Certificate validation error",
        "warning",
        "the log drain's certificate is not valid",
        "renew the drain's certificate",
    ),
    Code("L15", "Tail buffer temporarily unavailable", "notice", "the last lines could not be shown for a while"),
)
CODES = {row.code: row for row in _ROWS}


def explain(code: str, description: str = "") -> Code:
    """Return what a code means; one that is not in the table is a warning that says so."""
    known = CODES.get(code)
    if known:
        return known
    said = description or "no description"
    return Code(code, said, "warning", "this code is not in our table", f"look it up at {URL}")
