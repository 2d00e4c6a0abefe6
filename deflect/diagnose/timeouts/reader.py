"""Turns blocks of a log into requests as rows of one array, and into what else the log says."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

import numpy as np

from deflect.diagnose.timeouts import paths
from deflect.diagnose.timeouts.fields import Fields, hash_text, read_fields, text_of
from deflect.diagnose.timeouts.heads import Ints, Words
from deflect.diagnose.timeouts.lines import (
    CodeLine,
    PieceLine,
    ReleaseLine,
    RequestLine,
    TimingLine,
    as_printed,
    join_pieces,
    parse_line,
    read_piece,
)
from deflect.diagnose.timeouts.names import OTHER, Names, printable

#: One request: when the router wrote its line (seconds since 1970), how long it took (milliseconds), and the numbers of
#: its names. Not a number: the line does not say.
REQUEST = np.dtype(
    [
        ("time", "f8"),
        ("service", "f8"),
        ("status", "i2"),
        ("code", "i2"),
        ("dyno", "i4"),
        ("route", "i4"),
        ("id", "u8"),
    ]
)
Requests: TypeAlias = np.ndarray[tuple[int], np.dtype[np.void]]

#: So many routes, dynos, codes and releases are told apart; the rest is "other".
MAX_ROUTES = 4096
MAX_DYNOS = 1024
_CROWDED = MAX_ROUTES // 4
MAX_CODES = 200
MAX_RELEASES = 64
_ONE_RELEASE_SECONDS = 60
#: So many different paths, and measured times of the app, are remembered.
_MAX_REMEMBERED = 200_000


@dataclass
class Seen:
    """What a log has said so far beside its requests; ``codes`` counts the platform's, ``first`` and ``last`` when."""

    n_lines: int = 0
    n_requests: int = 0
    n_dropped: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    descriptions: dict[str, str] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    releases: list[tuple[float, str]] = field(default_factory=list)
    timings: dict[int, TimingLine] = field(default_factory=dict)

    def note_code(self, code: str, time: float, n: int = 1, description: str = "") -> None:
        """Count a code."""
        if code not in self.codes and len(self.codes) >= MAX_CODES:
            return
        self.codes[code] += n
        self.descriptions.setdefault(code, printable(description[:80]))
        if not math.isnan(time):
            self.first[code] = min(time, self.first.get(code, math.inf))
            self.last[code] = max(time, self.last.get(code, -math.inf))

    def note_release(self, line: ReleaseLine) -> None:
        """Take note of a release; the lines that tell of its commit and of its version come together."""
        if self.releases and abs(line.time - self.releases[-1][0]) < _ONE_RELEASE_SECONDS:
            time, name = self.releases[-1]
            self.releases[-1] = (time, name if line.name in name else f"{name}, {line.name}")
        elif len(self.releases) < MAX_RELEASES and not math.isnan(line.time):
            self.releases.append((line.time, line.name))


class Reader:
    """Reads blocks one after the other, and gives the same name the same number in all of them."""

    def __init__(self, now: datetime) -> None:
        self.seen = Seen()
        self.routes = Names(MAX_ROUTES, "other")
        self.dynos = Names(MAX_DYNOS, "")
        self.codes = Names(MAX_CODES, "")
        self._now = now
        self._begun: PieceLine | None = None
        self._routes: dict[tuple[int, bytes], int] = {}
        self._n_by_route = np.zeros(MAX_ROUTES)
        self._crowded = _CROWDED

    def read(self, block: bytes) -> Requests:
        """Return the requests of a block."""
        fields = read_fields(block)
        self.seen.n_lines += fields.n_lines
        lines = [block[start:end] for start, end in fields.rest]
        found = [self._usual(block, fields)]
        printed = [as_printed(line) for line in lines]
        if any(printed):
            block = b"".join(printed)
            fields = read_fields(block)
            lines = [line for line, text in zip(lines, printed, strict=True) if not text]
            lines += [block[start:end] for start, end in fields.rest]
            found.append(self._usual(block, fields))
        rows = [row for line in lines if (row := self._row_of(line)) is not None]
        requests = np.concatenate([*found, np.array(rows, REQUEST)])
        self._note_codes(requests)
        self._n_by_route += np.bincount(requests["route"], minlength=MAX_ROUTES)
        self.seen.n_requests += len(requests)
        return requests

    @property
    def is_crowded(self) -> bool:
        """Say whether so many routes have been numbered that it is time to merge them."""
        return len(self.routes.texts) > self._crowded

    def merge_routes(self) -> Ints:
        """Make one of the many rare routes that differ in little; return each route's new number."""
        texts, numbers = paths.merged(self.routes.texts, self._n_by_route.tolist())
        self._n_by_route = np.bincount(numbers, self._n_by_route[: len(numbers)], MAX_ROUTES).astype(np.float64)
        self._crowded = max(_CROWDED, len(texts) * 5 // 4)
        self.routes = Names(MAX_ROUTES, texts[OTHER])
        for text in texts[1:]:
            self.routes.number(text)
        self._routes.clear()
        return np.array(numbers, np.int64)

    def _usual(self, block: bytes, fields: Fields) -> Requests:
        rows = np.zeros(len(fields.time), REQUEST)
        rows["time"], rows["id"] = fields.time, fields.requests
        rows["service"] = np.where(fields.service >= 0, fields.service, np.nan)
        rows["status"] = np.clip(fields.status, 0, 999)
        rows["code"] = _numbered(fields.codes, lambda i: self.codes.number(text_of(int(fields.codes[i])).strip()))
        rows["dyno"] = _numbered(fields.dynos, lambda i: self.dynos.number(self._text(block, fields.dyno_bounds, i)))
        rows["route"] = self._route_numbers(fields)
        return rows

    @staticmethod
    def _text(block: bytes, bounds: tuple[Ints, Ints], i: int) -> str:
        return block[bounds[0][i] : bounds[1][i]].decode("utf-8", "replace").strip('"')[:64]

    def _route_numbers(self, fields: Fields) -> list[int]:
        keys = list(zip(fields.methods.tolist(), paths.without_common_ids(fields.paths), strict=True))
        known = map(self._routes.get, keys)  # Nearly all are.
        return [self._route(key) if number is None else number for key, number in zip(keys, known, strict=True)]

    def _route(self, key: tuple[int, bytes]) -> int:
        method, path = key
        number = self._number_of_route(text_of(method), path)
        if len(self._routes) < _MAX_REMEMBERED:
            self._routes[key] = number
        return number

    def _number_of_route(self, method: str, path: bytes) -> int:
        shown = "".join(c for c in method.upper() if c.isalpha()) or "-"
        return self.routes.number(f"{shown} {paths.template(path.decode('utf-8', 'replace'))}")

    def _row_of(self, raw: bytes) -> tuple[object, ...] | None:
        """Return the row of a request of which a line, read by itself, tells."""
        line = parse_line(raw, self._now)
        return None if line is None else self._note(line)

    def _note(self, line: object) -> tuple[object, ...] | None:
        """Take note of a line that was read by itself; return the row of a request."""
        match line:
            case RequestLine():
                return self._row(line)
            case PieceLine(is_first=True):
                lonely, self._begun = self._begun, line
                return self._row(read_piece(lonely)) if lonely else None
            case PieceLine() if self._begun:
                joined = join_pieces(self._begun, line)
                if joined:
                    self._begun = None
                    return self._row(joined)
            case CodeLine():
                self.seen.note_code(line.code, line.time, description=line.description)
                self.seen.n_dropped += line.n_dropped
            case ReleaseLine():
                self.seen.note_release(line)
            case TimingLine():
                self._note_timing(line)
        return None

    def _note_timing(self, line: TimingLine) -> None:
        timings = self.seen.timings
        key = hash_text(line.request_id.encode())
        before = timings.pop(key, None)
        while len(timings) >= _MAX_REMEMBERED:
            del timings[next(iter(timings))]
        timings[key] = _joined(before, line) if before else line

    def _row(self, line: RequestLine) -> tuple[object, ...]:
        written = line.path.partition("?")[0].replace("\n", " ") + "\n"
        path = paths.without_common_ids(written.encode("utf-8", "replace"))[0]
        key = (int.from_bytes(line.method.encode("utf-8", "replace")[:8], "little"), path)
        return (
            line.time,
            line.service_ms,
            line.status,
            self.codes.number(line.code),
            self.dynos.number(line.dyno),
            known if (known := self._routes.get(key)) is not None else self._route(key),
            hash_text(line.request_id.encode("utf-8", "replace")) if line.request_id else 0,
        )

    def _note_codes(self, requests: Requests) -> None:
        for number in np.unique(requests["code"]).tolist():
            code = self.codes.texts[number]
            times = requests["time"][requests["code"] == number]
            if code:
                known = times[~np.isnan(times)]
                self.seen.note_code(code, float(known.min()) if len(known) else math.nan, len(times))
                self.seen.note_code(code, float(known.max()) if len(known) else math.nan, 0)


def _joined(one: TimingLine, other: TimingLine) -> TimingLine:
    """Join what two lines say about one request: rack-timeout and the framework each write one."""
    return TimingLine(
        one.request_id,
        float(np.fmax(one.own_ms, other.own_ms)),
        float(np.fmax(one.wait_ms, other.wait_ms)),
        float(np.fmax(one.database_ms, other.database_ms)),
    )


def _numbered(hashes: Words, number: Callable[[int], int]) -> Ints:
    """Give each different hash a number, once; ``number`` says which the i-th item gets."""
    _, first, place = np.unique(hashes, return_index=True, return_inverse=True)
    return np.array([number(i) for i in first.tolist()], np.int64)[place]
