"""Answers a group of blocks: what each worker of a scoring run does, on this machine or on another."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import pyarrow as pa

from deflect.errors import BundleError
from deflect.line.decision import Decisions
from deflect.line.deflector import Deflector
from deflect.loop.records import RowFault
from deflect.loop.scoring.answers import Decider, answer_columns
from deflect.loop.scoring.blocks import BLOCK_BYTES, Block, Place, Step
from deflect.loop.scoring.tables import Wanted, read_block
from deflect.loop.scoring.targets import Rendered, Target

#: What a row that is read already counts, in bytes, where blocks are gathered to groups.
_ROW_BYTES = 500


@dataclass(frozen=True, slots=True)
class SavedModel:
    """A bundle on the disk with its version, and the version that its answers name."""

    directory: Path
    version: str
    named: str

    def decide_many(self, texts: Sequence[str], /) -> Decisions:
        """Decide about each text; each process loads the bundle once."""
        return replace(_loaded(self).decide_many(texts), model_version=self.named)


@cache
def _loaded(model: SavedModel) -> Deflector:
    deflector = Deflector.load(model.directory)
    if deflector.model_version != model.version:
        msg = f"{model.directory} must stay as it is while it answers. It was changed. Run the same again."
        raise BundleError(msg)
    return deflector


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with every block."""

    decider: Decider
    wanted: Wanted
    target: Target


@dataclass(frozen=True, slots=True)
class Part:
    """A group of blocks, answered: as it stands in the target, its faults with the number of their file, and counts."""

    rendered: Rendered
    n_rows: int
    faults: tuple[tuple[int, RowFault], ...]
    per_category: dict[str, int]


def groups(steps: Iterable[Step]) -> Iterator[tuple[list[Block], Place]]:
    """Gather blocks to groups of about BLOCK_BYTES, each with the place behind it."""
    group: list[Block] = []
    n_bytes = 0
    for block, place in steps:
        group.append(block)
        n_bytes += _n_bytes(block)
        if n_bytes >= BLOCK_BYTES // 2:
            yield group, place
            group, n_bytes = [], 0
    if group:
        yield group, place


def _n_bytes(block: Block) -> int:
    if isinstance(block.content, tuple):
        return len(block.content) * _ROW_BYTES
    return block.content.nbytes if isinstance(block.content, pa.RecordBatch) else len(block.content)


def answer(job: Job, group: Sequence[Block]) -> Part:
    """Read, answer and render a group of blocks."""
    read = [read_block(block, job.wanted) for block in group]
    texts = [text for tickets in read for text in tickets.texts]
    decisions = job.decider.decide_many(texts)
    counts = np.bincount(decisions.order[decisions.is_suggested, 0], minlength=len(decisions.categories))
    kept = [tickets.kept for tickets in read]
    whole = [row for rows in kept for row in rows] if job.wanted.kept is None else pa.concat_tables(kept)
    return Part(
        job.target.render(whole, answer_columns(decisions)),
        len(texts),
        tuple((block.file, fault) for block, tickets in zip(group, read, strict=True) for fault in tickets.faults),
        {name: int(n) for name, n in zip(decisions.categories, counts, strict=True) if n},
    )
