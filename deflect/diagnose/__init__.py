"""Tools that look: at a domain's DNS, at committed assets, at a router log. Each says what is wrong and its fix."""

from __future__ import annotations

from importlib import import_module

#: Where each public name lives. They are imported when first used: each tool has needs of its own.
_PUBLIC = {
    "Diagnosis": "deflect.diagnose.finding",
    "Finding": "deflect.diagnose.finding",
    "Network": "deflect.diagnose.dns.network",
    "TimeoutsDiagnosis": "deflect.diagnose.timeouts.report",
    "diagnose_assets": "deflect.diagnose.assets.diagnosis",
    "diagnose_dns": "deflect.diagnose.dns.diagnosis",
    "diagnose_dns_async": "deflect.diagnose.dns.diagnosis",
    "diagnose_timeouts": "deflect.diagnose.timeouts.diagnosis",
    "load_profile": "deflect.diagnose.dns.profile",
    "plot_timeouts": "deflect.diagnose.timeouts.plot",
    "run_tool": "deflect.diagnose.tools",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        msg = f"module 'deflect.diagnose' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
