"""Which servers may be asked."""

from __future__ import annotations

import pytest

from deflect.diagnose import Network
from deflect.diagnose.dns.network import is_public, is_usable_in_a_record, parse_server
from deflect.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", ("192.0.2.1", 53)),
        ("127.0.0.1:5353", ("127.0.0.1", 5353)),
        ("::1", ("::1", 53)),
        ("[2001:db8::1]:5353", ("2001:db8::1", 5353)),
        ("[2001:db8::1]", ("2001:db8::1", 53)),
    ],
)
def test_server_is_read(text: str, server: tuple[str, int]) -> None:
    """A server is an address with or without a port, in either family."""
    assert parse_server(text, 53) == server


@pytest.mark.parametrize("text", ["", "resolver", "192.0.2.1:0", "192.0.2.1:99999", "192.0.2.300", "[::1", "1.2.3.4:x"])
def test_what_is_no_server_is_refused(text: str) -> None:
    """Anything else is refused before a question is sent."""
    with pytest.raises(ParameterError, match=r"A DNS server must be an address"):
        Network(resolvers=(text,))


@pytest.mark.parametrize(
    "options",
    [{"timeout_seconds": 0}, {"timeout_seconds": 3600}, {"max_queries": 0}, {"resolvers": ("192.0.2.1",) * 6}],
)
def test_limits_are_limited(options: dict[str, object]) -> None:
    """Time, queries and resolvers are bounded."""
    with pytest.raises(ParameterError, match="must be"):
        Network(**options)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.1.2.3", "224.0.0.1",
        "255.255.255.255", "240.0.0.1", "::1", "::", "fe80::1", "fd00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1", "203.0.113.1",
    ],
)  # fmt: skip  # A table reads best by kind.
def test_private_address_is_not_asked(address: str) -> None:
    """Private, reserved and multicast addresses are not asked, nor those that carry one inside."""
    assert not is_public(address)
    assert not Network().may_ask(address)
    assert Network(allow_private=True).may_ask(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "198.41.0.4", "2001:503:ba3e::2:30", "64:ff9b::808:808"])
def test_public_address_may_be_asked(address: str) -> None:
    """Everybody's addresses may be asked."""
    assert is_public(address)


@pytest.mark.parametrize(("address", "in_lab"), [("203.0.113.1", True), ("10.0.0.1", False), ("127.0.0.1", False)])
def test_laboratory_may_use_documentation_addresses(address: str, in_lab: object) -> None:
    """In a laboratory the networks for examples stand for public addresses; private ones stay private."""
    assert is_usable_in_a_record(address, is_lab=True) is in_lab
    assert is_usable_in_a_record(address, is_lab=False) is False
