"""Decides whether what was typed is the public name of a host."""

from __future__ import annotations

from deflect.diagnose.dns.hostname import HostName
from deflect.diagnose.finding import Finding

CHECKS = ("name.invalid",)


def check_name(host: HostName, *, allow_private: bool) -> Finding | None:
    """Say what is wrong with the name; it can still be looked at if ``host.name`` is not empty and it is public."""
    if host.fault:
        return _finding(f"{host.typed!r} is {host.fault}.", "Type a host name such as www.example.com.")
    if host.is_private and not allow_private:
        summary = f"{host.readable} is no public name: nobody outside your own network can look it up."
        return _finding(summary, "Use a name under a domain that you have registered, such as www.example.com.")
    if host.was_pasted:
        return _finding(f"{host.typed!r} is more than a host name.", f"Use {host.name}", f"looked at {host.name}")
    return None


def _finding(summary: str, fix: str, evidence: str = "") -> Finding:
    return Finding("name.invalid", "error", summary, evidence, fix)
