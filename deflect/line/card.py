"""Writes a bundle's card: what the model is for, what it promises, and what it does not know."""

from __future__ import annotations

from collections.abc import Mapping

from deflect.line.scorer import Scorer
from deflect.line.thresholds import Threshold, Thresholds


def model_card(scorer: Scorer, thresholds: Thresholds, fingerprint: str, metrics: Mapping[str, float]) -> str:
    """Return the card as Markdown."""
    size = f"{scorer.nowhere:,} words and pairs, {len(scorer.gram_table) - 1:,} n-grams"
    lines = [
        "# Model card",
        "",
        f"A linear model over words, word pairs and character n-grams: {size}, {len(scorer.categories)} categories.",
        *_encoder_lines(scorer),
        f"Training data (SHA-256): `{fingerprint}`.",
        "",
        "Use it to suggest articles and tools while somebody writes a ticket. Do not use it to decide about people,",
        "nor on tickets of another kind than the training data: the promises hold for tickets like the calibration",
        "tickets.",
        "",
        "## Promises",
        "",
        "| category | promise | threshold | proved on | right | coverage |",
        "|---|---|---|---|---|---|",
        *(_row(promise) for promise in thresholds.promises),
        "",
        "## Measured on test tickets",
        "",
        "| figure | value |",
        "|---|---|",
        *(f"| {name} | {value:g} |" for name, value in metrics.items()),
        "",
    ]
    return "\n".join(lines)


def _encoder_lines(scorer: Scorer) -> tuple[str, ...]:
    part = scorer.encoder_part
    return () if part is None else (f"It needs the encoder {part.identity}, and is as slow as that is.",)


def _row(promise: Threshold) -> str:
    name = promise.category or "all together"
    stated = f"precision {promise.target_precision:g} at confidence {promise.confidence:g}"
    if promise.threshold is None:
        return f"| {name} | silent: {stated} takes at least {promise.n_needed} right ones | - | - | - | 0 |"
    counts = f"{promise.n_accepted} | {promise.n_right} | {promise.coverage:.3f}"
    return f"| {name} | {stated} | {promise.threshold:.4f} | {counts} |"
