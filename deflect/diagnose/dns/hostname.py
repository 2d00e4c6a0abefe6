"""Reads the name that a customer typed: the host name in it, its registrable domain, and whether it is public."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from functools import cache

import idna
from publicsuffixlist import PublicSuffixList

#: What is longer is not looked at; no host name is longer than 253 characters, whatever was pasted around it.
_MAX_TYPED_CHARACTERS = 2_000
_MAX_NAME_CHARACTERS = 253
_SHOWN_CHARACTERS = 60

#: Names under these are never in the public DNS (RFC 6761, 6762, 7686, 8375 and ICANN's reservations).
PRIVATE_SUFFIXES = (
    "corp",
    "example",
    "home",
    "home.arpa",
    "internal",
    "intranet",
    "invalid",
    "lan",
    "local",
    "localdomain",
    "localhost",
    "mail",
    "onion",
    "private",
    "test",
)

_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:/{1,2}", re.IGNORECASE)
_AFTER_HOST = re.compile(r"[/?#\\].*", re.DOTALL)
_PORT = re.compile(r":\d{0,5}$")
_LABEL = re.compile(
    "[a-z0-9]"  # No hyphen first,
    "(?:[a-z0-9-]{0,61}[a-z0-9])?"  # none last, 63 characters at most.
)


@dataclass(frozen=True, slots=True)
class HostName:
    """Holds what was typed and the host name in it; ``name`` is empty where there is none.

    ``fault`` says why it is none, in words that follow "is": "a public suffix: ...". ``was_pasted`` says that more than
    a host name was typed, such as a URL. ``registrable`` is the part that a registrar sells, ``suffix`` what is above.
    """

    typed: str
    name: str = ""
    registrable: str = ""
    suffix: str = ""
    fault: str = ""
    was_pasted: bool = False
    is_private: bool = False

    @property
    def is_registrable(self) -> bool:
        """Say whether it is the domain itself, as opposed to a sub-domain."""
        return self.name == self.registrable

    @property
    def is_wildcard(self) -> bool:
        """Say whether it is a name such as ``*.example.com``."""
        return self.name.startswith("*.")

    @property
    def readable(self) -> str:
        """Return it in its own script."""
        return readable(self.name)

    @property
    def sibling(self) -> str:
        """Return the other one of ``example.com`` and ``www.example.com``; empty for any other name."""
        if self.is_registrable:
            return f"www.{self.name}"
        return self.registrable if self.name == f"www.{self.registrable}" else ""


def read_host(typed: str) -> HostName:
    """Read a host name from what a customer typed, pasted URLs and all."""
    shown = printable(typed.strip()[:_SHOWN_CHARACTERS])
    if len(typed) > _MAX_TYPED_CHARACTERS:
        return HostName(shown, fault=f"{len(typed):,} characters long; a host name has at most {_MAX_NAME_CHARACTERS}")
    text = typed.strip().strip("<>\"'`")
    bare = _without_surroundings(text)
    was_pasted = bare != text
    name, fault = _to_ascii(bare)
    if fault:
        return HostName(shown, fault=fault, was_pasted=was_pasted)
    return _with_domain(HostName(shown, name, was_pasted=was_pasted))


def ancestors(name: str) -> list[str]:
    """Return a name and every name above it, the root left out."""
    labels = name.split(".")
    return [".".join(labels[i:]) for i in range(len(labels))]


def is_under(name: str, zone: str) -> bool:
    """Say whether a name is a zone's top or lies below it; the root is "."."""
    return zone in {".", name} or name.endswith(f".{zone}")


def readable(name: str) -> str:
    """Return a name in its own script, as far as it can be shown."""
    try:
        return idna.decode(name) if "xn--" in name else name
    except idna.IDNAError:
        return name


def printable(text: str) -> str:
    """Return a text without what a terminal would obey."""
    return "".join(char if char.isprintable() else "\ufffd" for char in text)


def _without_surroundings(text: str) -> str:
    """Take scheme, user, path and port away; what is left may still be no host name."""
    bare = _AFTER_HOST.sub("", _SCHEME.sub("", text))
    return _PORT.sub("", bare.rpartition("@")[2])


def _to_ascii(text: str) -> tuple[str, str]:
    """Return the name in the form that DNS knows, or what is wrong with it."""
    text = text.rstrip(".\u3002") if not text.endswith("..") else text
    prefix, rest = ("*.", text[2:]) if text.startswith("*.") else ("", text)
    if not rest:
        return "", "empty"
    if _is_address(rest):
        return "", "an address, not a name"
    try:
        name = rest.lower() if rest.isascii() else idna.encode(rest, uts46=True).decode("ascii").lower()
    except idna.IDNAError as error:
        return "", f"no host name: {str(error)[:_MAX_NAME_CHARACTERS]}"
    fault = _label_fault(name)
    return ("", fault) if fault else (prefix + name, "")


def _label_fault(name: str) -> str:
    """Say what is wrong with a name in ASCII."""
    if len(name) > _MAX_NAME_CHARACTERS:
        return f"{len(name)} characters long; a host name has at most {_MAX_NAME_CHARACTERS}"
    for label in name.split("."):
        if not label:
            return "no host name: a part between two dots is empty"
        if not _LABEL.fullmatch(label):
            short = label if len(label) <= _SHOWN_CHARACTERS else f"{label[:_SHOWN_CHARACTERS]}..."
            return f"no host name: {short!r} must be 1 to 63 letters, digits and hyphens, with no hyphen at an end"
    return "an address, not a name" if name.rpartition(".")[2].isdigit() else ""


def _is_address(text: str) -> bool:
    """Say whether it is an IP address, in brackets or not."""
    try:
        ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return True


def _with_domain(host: HostName) -> HostName:
    """Add the registrable domain, or the reason why there is none."""
    name = host.name.removeprefix("*.")
    suffixes = _suffixes()
    is_single = "." not in name and not suffixes.publicsuffix(name, accept_unknown=False)
    is_private = is_single or any(is_under(name, suffix) for suffix in PRIVATE_SUFFIXES)
    suffix, registrable = suffixes.publicsuffix(name) or "", suffixes.privatesuffix(name) or ""
    if not registrable and not is_private:
        fault = f"a public suffix: others register their own names under {name}"
        return HostName(host.typed, fault=fault, was_pasted=host.was_pasted)
    return HostName(
        host.typed, host.name, registrable or name, suffix, was_pasted=host.was_pasted, is_private=is_private
    )


@cache
def _suffixes() -> PublicSuffixList:
    """Load the list that the library ships: the part of the registries, as Heroku's own tools use it."""
    return PublicSuffixList(only_icann=True)
