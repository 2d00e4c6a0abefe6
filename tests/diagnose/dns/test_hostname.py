"""Reading a host name from what a customer typed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.diagnose.dns.hostname import read_host


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("www.example.com", "www.example.com"),
        (" WWW.Example.COM. ", "www.example.com"),
        ("http://www.example.com", "www.example.com"),
        ("https://user:secret@www.example.com:8443/a/b?c=d#e", "www.example.com"),
        ("www.example.com:443", "www.example.com"),
        ("www.example.com/", "www.example.com"),
        ("info@example.com", "example.com"),
        ("<https://example.com>", "example.com"),
        ("bücher.example.com", "xn--bcher-kva.example.com"),
        ("BÜCHER.example.com", "xn--bcher-kva.example.com"),
        ("例え。example。com", "xn--r8jz45g.example.com"),
        ("*.example.com", "*.example.com"),
    ],
)
def test_name_is_found(typed: str, name: str) -> None:
    """The host name is found in what surrounds it, in the form that DNS knows."""
    host = read_host(typed)
    assert (host.name, host.fault) == (name, "")


@pytest.mark.parametrize(
    ("typed", "was_pasted"), [("www.example.com", False), (" www.example.com. ", False), ("https://example.com", True)]
)
def test_pasting_is_noticed(typed: str, was_pasted: object) -> None:
    """A dot at the end, capitals and spaces are no fault; a scheme or a path is more than a name."""
    assert read_host(typed).was_pasted is was_pasted


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("co.uk", "public suffix"),
        ("com", "public suffix"),
        ("printer", None),
        ("192.0.2.1", "an address"),
        ("http://[2001:db8::1]:80/", "an address"),
        ("1.2.3.4.5", "an address"),
        ("", "empty"),
        ("a..example.com", "is empty"),
        ("my_app.example.com", "letters, digits and hyphens"),
        ("-a.example.com", "hyphen at an end"),
        ("a b.example.com", "letters, digits and hyphens"),
        ("a" * 64 + ".com", "1 to 63"),
        ("a." * 150 + "com", "at most 253"),
        ("x" * 3000, "3,000 characters"),
    ],
)
def test_fault_is_named(typed: str, words: str | None) -> None:
    """What is no host name is said so; a single label that is no suffix is private, not faulty."""
    host = read_host(typed)
    assert host.is_private if words is None else (words in host.fault and not host.name)


@pytest.mark.parametrize(
    ("name", "registrable"),
    [
        ("www.example.com", "example.com"),
        ("example.co.uk", "example.co.uk"),
        ("a.b.example.co.uk", "example.co.uk"),
        ("x.y.kawasaki.jp", "x.y.kawasaki.jp"),
        ("www.city.kawasaki.jp", "city.kawasaki.jp"),
        ("www.example.newtld", "example.newtld"),
        ("shop.herokuapp.com", "herokuapp.com"),
        ("*.example.com", "example.com"),
    ],
)
def test_registrable_domain(name: str, registrable: str) -> None:
    """The registries' part of the Public Suffix List says what is an apex, wildcards and exceptions included."""
    assert read_host(name).registrable == registrable


@pytest.mark.parametrize(
    ("name", "sibling"), [("example.com", "www.example.com"), ("www.example.com", "example.com"), ("a.example.com", "")]
)
def test_sibling(name: str, sibling: str) -> None:
    """Only the domain itself and its www have a sibling."""
    assert read_host(name).sibling == sibling


def test_control_characters_are_not_repeated() -> None:
    """What a terminal would obey is not in what is shown."""
    host = read_host("a\x1b[31m\x07.example.com")
    assert host.typed.isprintable()
    assert host.fault.isprintable()


@given(st.text(max_size=300))
def test_any_text_is_read(typed: str) -> None:
    """Any text gives a name or a fault, never both, never an exception; and a name reads as itself."""
    host = read_host(typed)
    assert bool(host.name) != bool(host.fault)
    if host.name:
        again = read_host(host.name)
        assert (again.name, again.registrable, again.was_pasted) == (host.name, host.registrable, False)
