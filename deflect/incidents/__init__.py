"""What the platform's status page says, read once in the background and never waited for."""

from __future__ import annotations

from importlib import import_module

#: Where each public name lives. They are imported when first used: a form without incidents must not pay for HTTP.
_PUBLIC = {
    "Banner": "deflect.line.banner",
    "Incident": "deflect.incidents.snapshot",
    "IncidentFeed": "deflect.incidents.feed",
    "Snapshot": "deflect.incidents.snapshot",
    "StatusBoard": "deflect.incidents.board",
    "Surge": "deflect.incidents.surge",
    "SurgeMonitor": "deflect.incidents.surge",
    "Update": "deflect.incidents.snapshot",
    "write_export": "deflect.incidents.export",
}

__all__ = list(_PUBLIC)


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        msg = f"module 'deflect.incidents' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
