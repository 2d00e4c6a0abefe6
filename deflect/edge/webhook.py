"""Tells another program about something by posting JSON to its address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from deflect.errors import OptionalDependencyError, ParameterError

_TIMEOUT_SECONDS = 5.0
_N_TRIES = 2


def open_webhook(url: str) -> Callable[[Mapping[str, object]], str]:
    """Return a function that posts values as JSON and returns what went wrong, an empty text if nothing did.

    It tries twice, five seconds at most each time, and follows no redirect: who listens is chosen once.

    Raises
    ------
    ParameterError
        The URL is none of the web.
    OptionalDependencyError
        httpx is not installed.

    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = f"A webhook must be an http or https address. Got {url!r} instead."
        raise ParameterError(msg)
    try:
        import httpx
    except ImportError:
        package, extra = "httpx", "incidents"
        raise OptionalDependencyError(package, extra) from None

    def post(values: Mapping[str, object]) -> str:
        fault = ""
        for _ in range(_N_TRIES):
            try:
                httpx.post(url, json=values, timeout=_TIMEOUT_SECONDS).raise_for_status()
            except httpx.HTTPStatusError as error:
                fault = f"{parts.hostname} answered HTTP {error.response.status_code}"
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                fault = f"{parts.hostname} could not be reached: {type(error).__name__}"
            else:
                return ""
        return fault

    return post
