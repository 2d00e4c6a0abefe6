"""How figures are shown: each quantity has a name, a unit, and a direction that is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


def seconds(value: float) -> str:
    """Show a time in the unit that suits it."""
    factor, unit = next(((f, u) for f, u in ((1, "s"), (1e3, "ms")) if value * f >= 1), (1e6, "µs"))
    return f"{_three_digits(value * factor)} {unit}"


def size(value: float) -> str:
    """Show a number of bytes in the unit that suits it."""
    factor, unit = (1e-9, "GB") if value >= 1e9 else (1e-6, "MB")
    return f"{_three_digits(value * factor)} {unit}"


def rate(value: float) -> str:
    """Show a number of tickets a second."""
    return f"{float(f'{value:.3g}'):,.0f}"


def percent(value: float) -> str:
    """Show a share."""
    return f"{100 * value:.1f} %"


def ratio(own: float, other: float) -> str:
    """Show how many times smaller the first is."""
    return f"× {_three_digits(other / own)}"  # noqa: RUF001  # The sign that readers know.


def inverse_ratio(own: float, other: float) -> str:
    """Show how many times larger the first is."""
    return ratio(other, own)


def points(own: float, other: float) -> str:
    """Show by how many hundredths the first is larger."""
    return f"{100 * (own - other):+.1f}"


def _three_digits(value: float) -> str:
    digits = 2 if value < 10 else 1 if value < 100 else 0
    return f"{value:,.{digits}f}"


@dataclass(frozen=True)
class Quantity:
    """What was measured: its name in tables, how a value is shown, and how two are compared."""

    name: str
    shown: Callable[[float], str]
    compared: Callable[[float, float], str] = ratio


QUANTITIES = {
    "training_seconds": Quantity("training", seconds),
    "tickets_per_second": Quantity("batch, tickets/s", rate, inverse_ratio),
    "p50_seconds": Quantity("one ticket, p50", seconds),
    "p99_seconds": Quantity("one ticket, p99", seconds),
    "first_answer_seconds": Quantity("cold start", seconds),
    "training_bytes": Quantity("memory, training", size),
    "answering_bytes": Quantity("memory, answering", size),
    "model_bytes": Quantity("on disk", size),
    "accuracy": Quantity("accuracy", percent, points),
    "archive_seconds": Quantity("archive", seconds),
    "archive_bytes": Quantity("memory", size),
}
