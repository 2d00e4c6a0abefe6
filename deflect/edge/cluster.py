"""Scores a source on many machines: cuts it into parts, has each scored into a file of its own, and gathers these."""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from itertools import accumulate
from pathlib import Path
from typing import TypeAlias

from deflect.errors import ParameterError
from deflect.line.bundle import starter_bundle
from deflect.line.deflector import Deflector
from deflect.loop.batch import Summary
from deflect.loop.rows import open_bytes, open_parquet, packing
from deflect.loop.scoring.answering import Job
from deflect.loop.scoring.blocks import Place, TicketFile, blocks
from deflect.loop.scoring.plans import Plan, faults_path, make_plan
from deflect.loop.scoring.runs import Notify, Run, State, about_run, changes

#: A part of a file that can be cut is about so long: bytes of text, rows of Parquet.
_PART_BYTES = 256 << 20
_PART_ROWS = 1_000_000
_PART = re.compile(r"part-\d{5,}\.[a-z.]+")
#: What belongs to the run and not to the target lies in folders that readers of the target pass over.
_COUNTS, _ABOUT = "_counts", "_about.json"


@dataclass(frozen=True)
class Shipped:
    """A bundle on its way to the workers: its version, and the content of its files by their names."""

    version: str
    files: Mapping[str, bytes] = field(compare=False, repr=False)

    @classmethod
    def read(cls, directory: Path | None) -> Shipped:
        """Read a bundle, after it was checked; None is the starter bundle."""
        place = starter_bundle() if directory is None else directory
        version = Deflector.load(place).model_version
        return cls(version, {path.name: path.read_bytes() for path in sorted(place.iterdir()) if path.is_file()})


@cache
def unpacked(shipped: Shipped) -> Deflector:
    """Return the deflector of a bundle that was shipped; each process loads it once."""
    # The tables stay mapped after their files are gone; where a system forbids that, these stay.
    with tempfile.TemporaryDirectory(prefix="deflect-", ignore_cleanup_errors=True) as folder:
        for name, content in shipped.files.items():
            Path(folder, name).write_bytes(content)
        return Deflector.load(folder)


@dataclass(frozen=True)
class PartsJob:
    """What a worker must know to score parts: the plan, where the parts go, and the options of the run."""

    plan: Plan
    folder: Path
    options: list[object]


#: A part as clusters send it: its number, and as JSON the places where it begins and ends.
Part: TypeAlias = dict[str, int | str]
#: Scores parts on a cluster.
Distribute: TypeAlias = Callable[[list[Part], PartsJob, Shipped], None]


def score_parts(parts: Iterable[Mapping[str, object]], job: PartsJob, deflector: Deflector) -> list[dict[str, int]]:
    """Score parts, and return their numbers with how many rows each had; Dask and Spark call this on the workers."""
    return [{"number": int(str(part["number"])), "n_rows": _score_part(part, job, deflector)} for part in parts]


def _score_part(part: Mapping[str, object], job: PartsJob, deflector: Deflector) -> int:
    number, begin, end = int(str(part["number"])), _place(part["begin"]), _place(part["end"])
    target = job.folder / _part_name(job, number)
    answering = Job(partial(deflector.decide_many, n_threads=1), job.plan.wanted, job.plan.target)
    state, _ = Run(job.plan, target, answering, begin=begin, end=end).run(deflector.model_version, job.options)
    counts = _counts_path(job.folder, number)
    draft = counts.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(asdict(state)))
    draft.replace(counts)
    return state.n_rows


def score_on_cluster(
    source: str,
    target: Path,
    distribute: Distribute,
    *,
    model: Path | None = None,
    text: Sequence[str] = ("subject", "body"),
    columns: Sequence[str] | None = None,
    format: str | None = None,
    notify: Notify | None = None,
) -> Summary:
    """Score a source on a cluster into a folder of part files, which appears whole or not at all.

    Workers read the source and write beside the target, so both must lie where every machine sees them under the same
    path. Parts that an interrupted run has finished are not scored again.
    """
    begun = time.perf_counter()
    plan = make_plan(os.path.abspath(source), target.absolute(), text, columns, format)  # noqa: PTH100  # A pattern is no path.
    _check_target(target)
    shipped = Shipped.read(model)
    options: list[object] = [list(text), columns and list(columns), format, target.name]
    folder = target.absolute().with_name(f".{target.name[:200]}.parts")
    _begin(folder, about_run(plan.files, shipped.version, options), notify)
    job = PartsJob(plan, folder, options)
    parts = _parts(plan)
    done = [number for number in range(len(parts)) if _counts_path(folder, number).exists()]
    n_resumed = sum(_state(folder, number).n_rows for number in done)
    if left := [part for number, part in enumerate(parts) if number not in set(done)]:
        distribute(left, job, shipped)
    states = [_state(folder, number) for number in range(len(parts))]
    _finish(job, target.absolute(), len(parts))
    return _summary(states, n_resumed, time.perf_counter() - begun)


def _check_target(target: Path) -> None:
    """Check that the target is new, or parts of an earlier run and nothing else: it is going to be replaced."""
    if target.exists() and not (target.is_dir() and all(_PART.fullmatch(path.name) for path in target.iterdir())):
        msg = f"The target of a cluster must be a folder of parts. Got {target}, which is something else. Name another."
        raise ParameterError(msg)


def _parts(plan: Plan) -> list[Part]:
    """Return the parts of a source: their numbers, and where they begin and end, as JSON."""
    places = (span for number, file in enumerate(plan.files) for span in _spans(plan.files, number, file))
    return [
        {"number": number, "begin": json.dumps(asdict(begin)), "end": json.dumps(asdict(end))}
        for number, (begin, end) in enumerate(places)
    ]


def _spans(files: list[TicketFile], number: int, file: TicketFile) -> Iterator[tuple[Place, Place]]:
    """Yield the parts of a file. What is packed cannot be read from its middle on, so it stays whole."""
    begin, last = Place(number), Place(number + 1)
    for cut in _cuts(files, number, file):
        yield begin, cut
        begin = cut
    yield begin, last


def _cuts(files: list[TicketFile], number: int, file: TicketFile) -> Iterator[Place]:
    if file.kind == "parquet":
        with open_bytes(file.path) as raw:
            metadata = open_parquet(file.path, raw).metadata
        ends = accumulate(metadata.row_group(i).num_rows for i in range(metadata.num_row_groups))
        yield from (Place(number, offset) for offset in _far_apart(ends, _PART_ROWS) if offset < metadata.num_rows)
    elif not packing(file.path) and file.path.stat().st_size > _PART_BYTES:
        places = {place.offset: place for _, place in blocks(files, Place(number), Place(number + 1))}
        yield from (places[offset] for offset in _far_apart(places, _PART_BYTES) if places[offset].file == number)


def _far_apart(offsets: Iterable[int], distance: int) -> Iterator[int]:
    """Yield of growing offsets those that lie far enough behind the one before."""
    last = 0
    for offset in offsets:
        if offset >= last + distance:
            last = offset
            yield offset


def _begin(folder: Path, about: Mapping[str, object], notify: Notify | None) -> None:
    """Make the folder of parts; drop one that is about something else."""
    file = folder / _ABOUT
    before = json.loads(file.read_text()) if file.exists() else None
    if before != about:
        if before is not None and notify is not None:
            notify(f"an earlier run was interrupted, but {changes(about, before)} changed since: starting afresh")
        shutil.rmtree(folder, ignore_errors=True)
        (folder / _COUNTS).mkdir(parents=True)
        file.write_text(json.dumps(about))
    elif notify is not None:
        notify("going on with the parts that an interrupted run has not finished")


def _finish(job: PartsJob, target: Path, n_parts: int) -> None:
    """Gather the faults of all parts, and put the folder in the target's place."""
    listed = [faults_path(job.folder / _part_name(job, number)) for number in range(n_parts)]
    faults = [path.read_bytes() for path in listed if path.exists()]
    if faults:
        head = faults[0][: faults[0].index(b"\n") + 1]
        faults_path(target).write_bytes(head + b"".join(raw[len(head) :] for raw in faults))
    else:
        faults_path(target).unlink(missing_ok=True)
    for path in listed:
        path.unlink(missing_ok=True)
    shutil.rmtree(job.folder / _COUNTS)
    (job.folder / _ABOUT).unlink()
    older = job.folder.with_suffix(".older")
    if target.exists():
        target.replace(older)
    job.folder.replace(target)
    shutil.rmtree(older, ignore_errors=True)


def _summary(states: Sequence[State], n_resumed: int, seconds: float) -> Summary:
    counts: dict[str, int] = {}
    for state in states:
        for name, count in state.per_category.items():
            counts[name] = counts.get(name, 0) + count
    n_rows, n_suggested = sum(state.n_rows for state in states), sum(counts.values())
    n_faults = sum(state.n_faults for state in states)
    return Summary(
        n_rows, n_suggested, n_rows - n_suggested, n_faults, dict(sorted(counts.items())), seconds, n_resumed
    )


def _part_name(job: PartsJob, number: int) -> str:
    target = job.plan.target
    return f"part-{number:05d}.{target.kind}{target.packed}"


def _counts_path(folder: Path, number: int) -> Path:
    return folder / _COUNTS / f"{number:05d}.json"


def _state(folder: Path, number: int) -> State:
    return State.from_dict(json.loads(_counts_path(folder, number).read_text()))


def _place(text: object) -> Place:
    return Place(**json.loads(str(text)))
