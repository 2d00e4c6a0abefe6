"""Knows the proxies that stand in front of platforms, by the names and addresses of fronts.toml."""

from __future__ import annotations

import ipaddress
import tomllib
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources


@dataclass(frozen=True, slots=True)
class Front:
    """A proxy."""

    name: str
    names: tuple[str, ...]
    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    fix: str


def front_of_name(name: str) -> Front | None:
    """Return the proxy that a name belongs to."""
    return next((front for front in _fronts() if any(fnmatchcase(name, p) for p in front.names)), None)


def front_of_address(address: str) -> Front | None:
    """Return the proxy that an address belongs to."""
    parsed = ipaddress.ip_address(address)
    return next((front for front in _fronts() if any(parsed in network for network in front.networks)), None)


@cache
def _fronts() -> tuple[Front, ...]:
    """Read the list, once."""
    tables = tomllib.loads((resources.files("deflect.diagnose.dns") / "fronts.toml").read_text("utf-8"))
    return tuple(
        Front(
            name,
            tuple(table.get("names", ())),
            tuple(ipaddress.ip_network(network) for network in table.get("networks", ())),
            table.get("fix", "Let the record lead to the platform itself, or give the proxy a certificate of its own."),
        )
        for name, table in tables.items()
    )
