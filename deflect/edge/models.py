"""Loads a bundle for a command, with the encoder that was named."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from deflect.line.deflector import Deflector, Incidents


def load_deflector(model: Path | None, *, encoder: str | None = None, incidents: Incidents | None = None) -> Deflector:
    """Load a bundle, the starter bundle if None; ``encoder`` is a name or path, None where the model needs none."""
    from deflect.line.deflector import Deflector
    from deflect.line.encoder_packages import load_encoder

    return Deflector.load(model, encoder=load_encoder(encoder) if encoder else None, incidents=incidents)
