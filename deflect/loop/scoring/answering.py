"""Answers a group of blocks: what each worker of a scoring run does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa

from deflect.line.decision import Decisions
from deflect.loop.records import RowFault
from deflect.loop.scoring.answers import answer_columns
from deflect.loop.scoring.blocks import BLOCK_BYTES, Block, Place, Step
from deflect.loop.scoring.tables import Wanted, joined, read_block, text_column
from deflect.loop.scoring.targets import Rendered, Target

#: What a row that is read already counts, in bytes, where blocks are gathered to groups.
_ROW_BYTES = 500

#: Decides about many texts; workers are threads, so it should not take more of these by itself.
Decide: TypeAlias = Callable[[Sequence[str]], Decisions]


@dataclass(frozen=True, slots=True)
class Job:
    """What is to be done with every block."""

    decide: Decide
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
    decisions = job.decide(text_column(joined([tickets.texts for tickets in read])))
    counts = np.bincount(decisions.order[decisions.is_suggested, 0], minlength=len(decisions.categories))
    return Part(
        job.target.render(joined([tickets.kept for tickets in read]), answer_columns(decisions)),
        len(decisions.reasons),
        tuple((block.file, fault) for block, tickets in zip(group, read, strict=True) for fault in tickets.faults),
        {name: int(n) for name, n in zip(decisions.categories, counts, strict=True) if n},
    )
