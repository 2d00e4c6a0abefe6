"""Which categories an incident touches, by the words of its title and components: a table to change in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from deflect.incidents.words import stems

#: For each category of the starter playbook, words that a status page uses for what it is about. A category without
#: words, and one that is not here, is never touched: give a ``StatusBoard`` a table for your own.
CATEGORY_WORDS: Mapping[str, tuple[str, ...]] = {
    "dns": ("dns", "domain", "nameserver", "resolver", "cname"),
    "tls-certificate": ("tls", "ssl", "certificate", "https", "acm"),
    "asset-caching": ("cdn", "cache", "caching", "asset", "static"),
    "timeout": ("timeout", "latency", "slow", "routing", "router", "h12", "503", "504"),
    "memory": ("memory",),
    "boot-crash": ("boot", "crash", "restart", "startup"),
    "build-failure": ("build", "deploy", "deployment", "release", "registry", "git"),
    "database": ("database", "postgres", "postgresql", "mysql", "redis", "data"),
    "account-access": ("login", "sign", "authentication", "sso", "dashboard", "account"),
    "billing": (),
    "incident": (),
    "other": (),
}


def touched_categories(texts: Sequence[str], table: Mapping[str, Sequence[str]] = CATEGORY_WORDS) -> tuple[str, ...]:
    """Return the categories of which a word stands in the texts (an incident's title and components).

    Examples
    --------
    >>> touched_categories(["Custom domains do not resolve", "DNS"])
    ('dns',)

    """
    found = stems(" ".join(texts))
    return tuple(category for category, words in table.items() if found & stems(" ".join(words)))
