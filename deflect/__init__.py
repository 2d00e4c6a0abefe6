"""Learns what support tickets are about, promises a precision, and offers the article or tool that solves them."""

from __future__ import annotations

from importlib import import_module

#: Where each public name lives. They are imported when first used: a form back end must not pay for training.
_PUBLIC = {
    "DeflectError": "deflect.errors",
    "Deflector": "deflect.line.deflector",
    "IncidentFeed": "deflect.incidents.feed",
    "Playbook": "deflect.line.playbook",
    "Report": "deflect.loop.evaluation",
    "Split": "deflect.loop.splits",
    "Suggestion": "deflect.line.suggestion",
    "Summary": "deflect.loop.batch",
    "Thresholds": "deflect.line.thresholds",
    "TicketClassifier": "deflect.loop.classifier",
    "distil": "deflect.loop.distilling",
    "evaluate": "deflect.loop.evaluation",
    "fit_thresholds": "deflect.loop.promises",
    "load_encoder": "deflect.line.encoder_packages",
    "load_playbook": "deflect.line.playbook",
    "read_tickets": "deflect.loop.tickets",
    "score_batches": "deflect.loop.batch",
    "score_file": "deflect.loop.batch",
    "split_tickets": "deflect.loop.splits",
}

__all__ = list(_PUBLIC)
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _PUBLIC:
        msg = f"module 'deflect' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
