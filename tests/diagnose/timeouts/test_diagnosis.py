"""What comes out in the end: findings, figures, and errors for what is no log."""

from __future__ import annotations

import gzip
import io
import json
import math
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import pytest

from deflect.diagnose import TimeoutsDiagnosis, diagnose_timeouts
from deflect.diagnose.timeouts.codes import CODES
from deflect.diagnose.timeouts.tally import quantile
from deflect.diagnose.timeouts.timeline import MAX_SLOTS, Timeline
from deflect.diagnose.timeouts.window import MAX_HELD
from deflect.errors import DiagnosisError

Diagnose = Callable[[Iterable[str]], TimeoutsDiagnosis]
Line = Callable[..., str]


@pytest.mark.parametrize(
    "raw", [b"", b"\n\n", b"hello\nworld\n", bytes(100_000), b'{"a": 1}\n', b"GET /index.html 200\n" * 99]
)
def test_no_log(raw: bytes) -> None:
    """What has no line of a router is refused, with the command that writes such a log."""
    with pytest.raises(DiagnosisError, match=r"(?s)must have lines of Heroku's router.*heroku logs --num 1500"):
        diagnose_timeouts(io.BytesIO(raw))


def test_picture_is_no_log(root: Path) -> None:
    """A binary file is refused in the same words."""
    with pytest.raises(DiagnosisError, match="none of them such"):
        diagnose_timeouts(root / "models" / "starter" / "table.npy")


def test_small_ticket(diagnose: Diagnose, line: Line) -> None:
    """The few lines that a customer pastes into a ticket are enough where they are plain."""
    slow = [line(10 * i, f"/reports/{i}", 14_000) for i in range(6)]
    quick = [line(10 * i + 5, "/health", 12) for i in range(12)]
    diagnosis = diagnose([*slow, *quick, line(80, "/reports/9", 30_000, code="H12")])
    assert [route.name for route in diagnosis.culprits] == ["GET /reports/{id}"]
    assert diagnosis.exit_code == 1


def test_slow_without_timeouts_is_a_warning(diagnose: Diagnose, line: Line) -> None:
    """A path that is slow, but not yet timed out, is a warning."""
    lines = [line(20 * i, "/search", 14_000) for i in range(20)] + [line(2 * i, "/", 12) for i in range(200)]
    [finding] = diagnose(lines).findings
    assert (finding.check, finding.severity) == ("timeouts.culprit", "warning")
    assert "p50 14." in finding.evidence or "p50 13." in finding.evidence


def test_streaming_is_not_accused(diagnose: Diagnose, line: Line) -> None:
    """A path that keeps connections open for minutes is told of, and not accused."""
    lines = [line(100 + 20 * i, "/events", 90_000) for i in range(20)] + [line(100 + i, "/", 12) for i in range(300)]
    diagnosis = diagnose(lines)
    assert diagnosis.is_fine
    assert [finding.check for finding in diagnosis.findings] == ["timeouts.streaming"]


@pytest.mark.parametrize("code", sorted(set(CODES) - {"H12"}))
def test_known_codes(diagnose: Diagnose, line: Line, code: str) -> None:
    """Each code is explained, counted and given its severity."""
    said = line(5, "/", 3, code=code) if code[0] == "H" else f"{line(5, '/', 3)[:33]}heroku[web.1]: Error {code} (x)"
    [finding] = diagnose([line(1, "/", 3), said, said]).findings
    assert (finding.check, finding.severity) == (f"code.{code}", CODES[code].severity)
    assert CODES[code].meaning in finding.summary
    assert finding.evidence.startswith("2 times, 2026-11-23T00:00:05")


@pytest.mark.parametrize("code", ["H98", "R42", "L77"])
def test_unknown_codes(diagnose: Diagnose, line: Line, code: str) -> None:
    """A code that is not in the table is reported with what the log says about it."""
    said = f"{line(5, '/', 3)[:33]}heroku[web.1]: Error {code} (Teapot overheated)"
    [finding] = diagnose([line(1, "/", 3), said]).findings
    assert finding.is_problem
    assert f"{code} (Teapot overheated)" in finding.summary


def test_lost_lines_are_told(diagnose: Diagnose, line: Line) -> None:
    """Where a drain dropped lines, their number is told, for every count is too low."""
    dropped = f"{line(5, '/', 3)[:33]}heroku[logplex]: Error L10 (output buffer overflow): 491 messages dropped"
    assert any("491 lines" in reason for _, reason in diagnose([line(1, "/", 3), dropped]).skipped)


def test_advice_by_kind(diagnose: Diagnose, line: Line) -> None:
    """What to do depends on what the path does, and on the database where the app measured it."""
    paths = {
        "/export.csv": "background job",
        "/stripe/charge": "outbound call",
        "/search": "query",
        "/zzz": "in-app time-out",
    }
    for path, kind in paths.items():
        diagnosis = diagnose([line(20 * i, path, 14_000) for i in range(9)] + [line(2 * i, "/", 12) for i in range(90)])
        assert [route.advice for route in diagnosis.culprits] == [kind]
    told = [
        f"{line(20 * i, '/', 1)[:33]}app[web.1]: duration=13990 db=12000 request_id=id-{20 * i}-14000" for i in range(9)
    ]
    lines = [line(20 * i, "/zzz", 14_000) for i in range(9)] + [line(2 * i, "/", 12) for i in range(90)]
    [culprit] = diagnose([*told, *lines]).culprits
    assert (culprit.advice, culprit.database_fraction) == ("query", pytest.approx(12_000 / 13_990, abs=0.001))


def test_shapes_mix(diagnose: Diagnose, line: Line) -> None:
    """Lines of several shapes in one stream count alike."""
    text = line(1, "/a/1", 7)
    fields = text.partition("]: ")[2]
    other = [f"<158>1 {text[:32]} host heroku router - - {fields}", json.dumps({"time": text[:32], "message": fields})]
    [route] = diagnose([text, *other, "", "\0\0", f"{text}\r"]).routes
    assert (route.name, route.n_requests) == ("GET /a/{id}", 4)


def test_several_logs(tmp_path: Path, line: Line) -> None:
    """Several logs are one, plain or packed, in any order."""
    (tmp_path / "2.log").write_text(line(100, "/b", 5), "utf-8")
    (tmp_path / "1.gz").write_bytes(gzip.compress(line(1, "/a", 5).encode()))
    diagnosis = diagnose_timeouts([tmp_path / "2.log", str(tmp_path / "1.gz")])
    assert (diagnosis.n_requests, diagnosis.begins_at) == (2, "2026-11-23T00:00:01+00:00")
    assert diagnosis.subject == f"{tmp_path}/2.log, {tmp_path}/1.gz"


def test_damage_is_told(line: Line) -> None:
    """What could not be read of a log is among what was not checked."""
    packed = gzip.compress("".join(f"{line(i, f'/{i}', i)}\n" for i in range(3000)).encode())
    diagnosis = diagnose_timeouts(io.BytesIO(packed[:-2000]))
    assert 100 < diagnosis.n_requests < 3000
    assert dict(diagnosis.skipped)["part of the log"].endswith("the gzip file is cut off")


def test_json_is_json(diagnose: Diagnose, line: Line) -> None:
    """What goes to programs has no value that JSON lacks, such as one that is not a number."""
    diagnosis = diagnose([line(1, "/", 3).replace("service=3ms", "service="), line(2, "/b", 3)])
    read = json.loads(json.dumps(diagnosis.to_dict(), allow_nan=False))
    assert [route["p50_ms"] for route in read["routes"]] == [pytest.approx(3, rel=0.05), None]


def test_many_routes_stay_bounded(line: Line) -> None:
    """More routes than are told apart become one where they differ in a word, and else count as other."""
    rng = np.random.default_rng(0)
    words = ["".join(chr(97 + c) for c in rng.integers(0, 26, 9)) for _ in range(9000)]
    titles = "".join(f"{line(i, f'/blog/{word}', 5)}\n" for i, word in enumerate(words))
    diagnosis = diagnose_timeouts(io.BytesIO(titles.encode()))
    assert sum(route.n_requests for route in diagnosis.routes) == 9000
    assert max(diagnosis.routes, key=lambda route: route.n_requests).path == "/blog/{slug}"
    trees = "".join(f"{line(i, f'/{word}/{word}', 5)}\n" for i, word in enumerate(words))
    diagnosis = diagnose_timeouts(io.BytesIO(trees.encode()))
    assert sum(route.n_requests for route in diagnosis.routes) == 9000
    assert "routes" in dict(diagnosis.skipped)


class Endless(io.RawIOBase):
    """A log of many megabytes that is never in memory as a whole."""

    def __init__(self, block: bytes, n: int) -> None:
        self._block, self._left = block, n

    def read(self, _: int = -1) -> bytes:
        """Return the next block."""
        self._left -= 1
        return self._block if self._left >= 0 else b""


@pytest.mark.slow
def test_memory_is_flat(run_python: Callable[[str], str], tmp_path: Path, line: Line) -> None:
    """A log three times as long takes no more memory: what is kept has a bound."""
    block = "".join(f"{line(i / 20, f'/{i % 50}x/{i}', i % 900)}\n" for i in range(3000)).encode()
    (tmp_path / "block").write_bytes(block)
    code = f"""
import io, pathlib, resource
from deflect.diagnose import diagnose_timeouts
class Endless(io.RawIOBase):
    def __init__(self, n):
        self.left = n
    def read(self, _=-1):
        self.left -= 1
        return block if self.left >= 0 else b""
block = pathlib.Path("block").read_bytes()
for n in (150, 450):
    assert diagnose_timeouts(Endless(n)).n_requests == 3000 * n > {MAX_HELD}
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
    first, second = map(int, run_python(code).split())
    assert second < 1.1 * first


def test_window_hands_on_each_once(line: Line) -> None:
    """However many requests are held back, each is counted once."""
    block = "".join(f"{line(i / 50, '/x', i % 900)}\n" for i in range(2000)).encode()
    diagnosis = diagnose_timeouts(Endless(block, 2 * MAX_HELD // 2000 + 7))
    assert diagnosis.routes[0].n_requests == diagnosis.n_requests == 2 * MAX_HELD + 7 * 2000


def test_quantiles_are_near() -> None:
    """A quantile is off by 2.5 % at most, from a millisecond to a quarter of an hour."""
    for milliseconds in (1.5, 7, 42, 999, 30_000, 900_000):
        bins = np.zeros(284, np.uint32)
        bins[math.ceil(math.log(milliseconds) / math.log(1.05))] = 10
        assert quantile(bins, 0.95) == pytest.approx(milliseconds, rel=0.025)


def test_timeline_is_bounded() -> None:
    """A time line of years has few slots, keeps every count, and one wrong year costs it nothing."""
    timeline = Timeline()
    for start in (1_700_000_000.0, 1_700_050_000.0, 0.0):
        times = start + np.arange(0, 1000, 0.5)
        flags = np.zeros(len(times), bool)
        timeline.add(times, np.ones(len(times), np.int64), np.full(len(times), 0.5), flags, flags)
    assert len(timeline.slots) <= MAX_SLOTS
    assert timeline.counts[:, 0].sum() == 6000
    assert timeline.own_seconds[:, 1].sum() == 3000
    assert timeline.width_seconds == 8
