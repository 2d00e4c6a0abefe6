"""What may be asked, and how: resolvers, ports, limits, and which addresses a stranger's name may lead to."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from deflect.errors import ParameterError

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

_MAX_RESOLVERS = 5
_RESOLVER = re.compile(
    r"\[(?P<bracketed>[0-9a-fA-F:.]+)\](?::(?P<port6>\d{1,5}))?"  # [2001:db8::1]:5353
    r"|(?P<plain>\d+\.\d+\.\d+\.\d+)(?::(?P<port4>\d{1,5}))?"  # 192.0.2.1:5353
    r"|(?P<bare>[0-9a-fA-F:.]+)"  # 2001:db8::1
)
#: Addresses that carry another address: a public look, a private end.
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
#: Networks for examples. They reach nobody, but a lab may use them in place of public addresses.
_DOCUMENTATION = tuple(
    map(ipaddress.ip_network, ("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32"))
)


@dataclass(frozen=True, slots=True)
class Network:
    """Says which servers are asked and what it may cost.

    ``resolvers`` are addresses such as "192.0.2.1" or "127.0.0.1:5353"; empty means those of this machine. ``roots``
    are root servers to walk from; empty means to begin at the parent zone that the resolver names. Name servers are
    asked at ``server_port``, web servers at ``http_port``. Private names and addresses are asked only if
    ``allow_private``: a server that runs this for strangers must not be led into its own network.

    Examples
    --------
    >>> Network(resolvers=("127.0.0.1:5353",), timeout_seconds=2).timeout_seconds
    2

    """

    resolvers: tuple[str, ...] = ()
    roots: tuple[str, ...] = ()
    server_port: int = 53
    http_port: int = 80
    timeout_seconds: float = 5.0
    max_queries: int = 400
    allow_private: bool = False

    def __post_init__(self) -> None:
        for server in (*self.resolvers, *self.roots):
            parse_server(server, 53)
        if len(self.resolvers) > _MAX_RESOLVERS:
            msg = f"resolvers must be at most {_MAX_RESOLVERS}. Got {len(self.resolvers)}"
            raise ParameterError(msg)
        if not 0 < self.timeout_seconds <= 60:
            msg = f"timeout_seconds must be over 0 and at most 60. Got {self.timeout_seconds}"
            raise ParameterError(msg)
        if not 1 <= self.max_queries <= 10_000:
            msg = f"max_queries must be from 1 to 10,000. Got {self.max_queries}"
            raise ParameterError(msg)

    def may_ask(self, address: str) -> bool:
        """Say whether an address that DNS gave may be asked."""
        return self.allow_private or is_public(address)


def parse_server(text: str, default_port: int) -> tuple[str, int]:
    """Return address and port of a server given as text."""
    match = _RESOLVER.fullmatch(text.strip())
    parts = match.groupdict() if match else {}
    address = parts.get("bracketed") or parts.get("plain") or parts.get("bare") or ""
    port = int(parts.get("port4") or parts.get("port6") or default_port)
    try:
        ipaddress.ip_address(address)
    except ValueError:
        port = 0
    if not 0 < port < 65_536:
        msg = f"A DNS server must be an address with or without a port, such as 127.0.0.1:5353. Got {text[:60]!r}"
        raise ParameterError(msg)
    return address, port


def is_public(address: str) -> bool:
    """Say whether an address can be reached by anybody, as opposed to private, reserved or carrying such a one."""
    parsed = _innermost(ipaddress.ip_address(address))
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


def is_usable_in_a_record(address: str, *, is_lab: bool) -> bool:
    """Say whether a customer's record may point there."""
    parsed = ipaddress.ip_address(address)
    return is_public(address) or (is_lab and any(parsed in network for network in _DOCUMENTATION))


def _innermost(address: IPAddress) -> IPAddress:
    """Return the IPv4 address that an IPv6 address carries, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)
    if inner is None and address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return inner or address
