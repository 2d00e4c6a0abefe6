"""Reads what a platform wants of a domain's DNS: a TOML file for each platform, which a user can add to."""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Literal, cast, get_args

from deflect.diagnose.finding import SEVERITIES, Severity
from deflect.errors import ParameterError
from deflect.line.toml_table import TomlTable

#: Where address records are right: nowhere but through ALIAS, at the apex, or anywhere.
AddressRule = Literal["alias", "apex", "anywhere"]

_MAX_BYTES = 200_000
_PACKAGE = "deflect.diagnose.dns"
_LISTS = (
    "targets",
    "app_hosts",
    "retired_hosts",
    "addresses",
    "stale_addresses",
    "apex_records",
    "certificate_authorities",
    "own_fronts",
)
_TEXTS = ("target_example", "find_target", "add_host")
_KEYS = ("name", "url", "address_rule", *_LISTS, *_TEXTS, "not_added", "statuses")
_NOT_ADDED_KEYS = ("status", "header", "body")
_STATUS_KEYS = ("severity", "summary", "fix")


@dataclass(frozen=True, slots=True)
class NotAdded:
    """How the platform answers for a host that is on none of its apps: a header, or words in the page."""

    status: int = 0
    header: str = ""
    body: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """What a certificate status of the platform's API means."""

    severity: Severity
    summary: str
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a platform wants; docs/diagnose-dns.md describes each key of the file.

    Examples
    --------
    >>> load_profile("heroku").is_target("shallow-stream-1.herokudns.com")
    True

    """

    name: str
    url: str = ""
    targets: tuple[str, ...] = ()
    app_hosts: tuple[str, ...] = ()
    retired_hosts: tuple[str, ...] = ()
    address_rule: AddressRule = "alias"
    addresses: tuple[str, ...] = ()
    stale_addresses: tuple[str, ...] = ()
    apex_records: tuple[str, ...] = ()
    certificate_authorities: tuple[str, ...] = ()
    own_fronts: tuple[str, ...] = ()
    target_example: str = ""
    find_target: str = ""
    add_host: str = ""
    not_added: NotAdded = field(default_factory=NotAdded)
    statuses: Mapping[str, Status] = field(default_factory=dict)

    def is_target(self, name: str) -> bool:
        """Say whether a name is one that a CNAME may lead to."""
        return _matches(name, self.targets)

    def is_app_host(self, name: str) -> bool:
        """Say whether a name is the app's own, which gets no certificate for the customer's name."""
        return _matches(name, self.app_hosts)

    def is_retired_host(self, name: str) -> bool:
        """Say whether a name belongs to a service that no longer is."""
        return _matches(name, self.retired_hosts)

    def has_address(self, address: str) -> bool:
        """Say whether an address is one that the platform tells its customers to use."""
        return in_networks(address, self.addresses)


def load_profile(name_or_path: str | Path) -> Profile:
    """Load a shipped profile by its name, or a user's own by the path of its TOML file.

    Parameters
    ----------
    name_or_path
        A name of :func:`profile_names`, or a path that ends in ``.toml``.

    Returns
    -------
    Profile
        What the platform wants.

    Raises
    ------
    ParameterError
        There is no such profile, or the file has faults; the message names all of them.

    Examples
    --------
    >>> load_profile("github-pages").certificate_authorities
    ('letsencrypt.org',)

    """
    text = str(name_or_path)
    if not text.endswith(".toml") and text not in profile_names():
        msg = f"profile must be one of {', '.join(profile_names())}, or the path of a .toml file. Got {text[:60]!r}"
        raise ParameterError(msg)
    is_file = text.endswith(".toml")
    source: Path | Traversable = Path(text) if is_file else resources.files(_PACKAGE) / "profiles" / f"{text}.toml"
    return _parse(_read(source), text)


def profile_names() -> tuple[str, ...]:
    """Return the names of the shipped profiles."""
    folder = resources.files(_PACKAGE) / "profiles"
    return tuple(sorted(file.name.removesuffix(".toml") for file in folder.iterdir() if file.name.endswith(".toml")))


def in_networks(address: str, networks: Iterable[str]) -> bool:
    """Say whether an address lies in one of some networks."""
    parsed = ipaddress.ip_address(address)
    return any(parsed in ipaddress.ip_network(network) for network in networks)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    """Say whether a name matches one of some patterns such as ``*.example.com``."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _read(path: Path | Traversable) -> bytes:
    """Read a profile's file, unless it is far too long to be one."""
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        msg = f"A profile must be a file that can be read. Got {error.strerror} for {path}"
        raise ParameterError(msg) from None
    if len(data) > _MAX_BYTES:
        msg = f"A profile must have at most {_MAX_BYTES:,} bytes. Got more in {path}"
        raise ParameterError(msg)
    return data


def _parse(data: bytes, name: str) -> Profile:
    """Read a profile, and name every fault at once."""
    try:
        values = tomllib.loads(data.decode("utf-8"))
    except ValueError as error:
        msg = f"A profile must be TOML in UTF-8. Got {name}: {error}"
        raise ParameterError(msg) from None
    faults: list[str] = []
    profile = _profile(TomlTable(values, "", faults))
    if faults:
        msg = "\n  ".join([f"{name} must be mended:", *faults])
        raise ParameterError(msg)
    return profile


def _profile(table: TomlTable) -> Profile:
    """Read the keys of a profile."""
    table.accept(_KEYS)
    lists = {key: _texts(table, key) for key in _LISTS}
    texts = {key: table.text(key, is_required=False) for key in _TEXTS}
    for key in ("addresses", "stale_addresses"):
        if not all(_is_network(network) for network in lists[key]):
            table.fault(key, "a list of addresses or networks such as 192.0.2.0/24")
    rule = cast("AddressRule", table.choice("address_rule", get_args(AddressRule), "alias"))
    url = table.web_url("url") if "url" in table.values else ""
    statuses = {name: _status(status) for name, status in table.by_name("statuses").items()}
    return Profile(
        name=table.text("name"),
        url=url,
        address_rule=rule,
        not_added=_not_added(table.table("not_added")),
        statuses=statuses,
        targets=lists["targets"],
        app_hosts=lists["app_hosts"],
        retired_hosts=lists["retired_hosts"],
        addresses=lists["addresses"],
        stale_addresses=lists["stale_addresses"],
        apex_records=lists["apex_records"],
        certificate_authorities=lists["certificate_authorities"],
        own_fronts=lists["own_fronts"],
        **texts,
    )


def _texts(table: TomlTable, key: str) -> tuple[str, ...]:
    """Read a list of texts."""
    value = table.values.get(key, [])
    if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
        return tuple(value)
    table.fault(key, "a list of texts")
    return ()


def _is_network(text: str) -> bool:
    """Say whether a text is an address or a network."""
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True


def _not_added(table: TomlTable | None) -> NotAdded:
    """Read how the platform answers for a host that it does not know."""
    if table is None:
        return NotAdded()
    table.accept(_NOT_ADDED_KEYS)
    status = table.values.get("status", 0)
    if not isinstance(status, int):
        table.fault("status", "an HTTP status such as 404")
        status = 0
    return NotAdded(status, table.text("header", is_required=False).lower(), table.text("body", is_required=False))


def _status(table: TomlTable) -> Status:
    """Read what a certificate status means."""
    table.accept(_STATUS_KEYS)
    severity = cast("Severity", table.choice("severity", SEVERITIES, "info"))
    return Status(severity, table.text("summary"), table.text("fix", is_required=False))
