"""Many lines at once: the same as one by one."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.diagnose.timeouts import fields
from deflect.diagnose.timeouts.lines import RequestLine, parse_line
from deflect.diagnose.timeouts.reader import Reader

NOW = datetime(2026, 11, 23, tzinfo=UTC)
word = st.text(
    st.characters(codec="utf-8", exclude_characters='"\n\r= \\', exclude_categories=["Cs", "Cc", "Z"]), max_size=30
)
times = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)).map(lambda at: at.isoformat())  # noqa: DTZ001 - a zone follows.
zones = st.sampled_from(["Z", "+00:00", "-07:00", "+05:30"])


@given(
    times,
    zones,
    st.sampled_from(["", 'code=H12 desc="Request timeout" ', "code=H27 desc=x "]),
    st.sampled_from(["GET", "POST", "OPTIONS", ""]),
    word,
    st.sampled_from(['"', ""]),
    st.none() | st.integers(0, 10**7),
    st.none() | st.integers(0, 599),
)
def test_same_as_one_by_one(  # noqa: PLR0917 - hypothesis gives these.
    time: str, zone: str, code: str, method: str, path: str, quote: str, service: int | None, status: int | None
) -> None:
    """A usual line says to both readers the same."""
    text = (
        f"{time}{zone} heroku[router]: at=info {code}method={method} path={quote}/{path}{quote} host=a.example "
        f'request_id=r-1 fwd="192.0.2.1" dyno=web.1 connect=1ms service={"" if service is None else f"{service}ms"} '
        f"status={'' if status is None else status} bytes=0 protocol=http1.1"
    ).encode()
    line = parse_line(text, NOW)
    assert isinstance(line, RequestLine)
    found = fields.read_fields(text + b"\n")
    assert found.rest == []
    assert found.time[0] == pytest.approx(line.time, abs=1e-5)
    assert fields.text_of(int(found.methods[0])) == line.method
    assert fields.text_of(int(found.codes[0])).strip() == line.code
    assert found.service[0] == (-1 if math.isnan(line.service_ms) else line.service_ms)
    assert max(found.status[0], 0) == line.status
    assert found.paths.decode() == line.path.partition("?")[0] + "\n"
    assert int(found.requests[0]) == fields.hash_text(b"r-1")


@given(st.lists(st.binary(max_size=120).map(lambda raw: raw.replace(b"\n", b"")), max_size=8), st.data())
def test_any_block(raws: list[bytes], data: st.DataObject) -> None:
    """A block of any lines is read, usual ones among them are found, and all others are left to look at or an app's."""
    usual = b"2026-11-23T08:00:00Z heroku[router]: at=info method=GET path=/ host=a request_id=r fwd=f dyno=web.1 "
    usual += b"connect=0ms service=7ms status=200 bytes=0"
    place = data.draw(st.integers(0, len(raws)))
    block = b"\n".join([*raws[:place], usual, *raws[place:]]) + b"\n"
    found = fields.read_fields(block)
    assert (found.n_lines, found.service.tolist()) == (len(raws) + 1, [7])
    assert len(Reader(NOW).read(block)) >= 1


@pytest.mark.parametrize(
    "change",
    [
        ("dyno=web.1", "dyno=web.1 dyno=web.2"),
        ("heroku[router]", "app[web.1]"),
        (" status=200", ""),
        ("path=", "path=/x service=9ms "),
        ("2026-11-23T00", "2026-11-23 00"),
        ("2026-11-23T00:00", "2026-11-23T00:61"),
        ("at=info method=GET", "method=GET at=info"),
    ],
)
def test_unusual_lines_are_left(line: Callable[..., str], change: tuple[str, str]) -> None:
    """A line with a field twice, in another place or missing, or with another head, is not read here."""
    text = line(1.0, "/x", 7).replace(*change)
    found = fields.read_fields(f"{text}\n".encode())
    assert len(found.time) == 0


def test_app_lines_are_passed_over(line: Callable[..., str]) -> None:
    """Of an app's lines only those that tell a time are looked at; those of the platform are all."""
    head = line(1.0, "/x", 7)[:33]
    said = [
        "app[web.1]: hello at=1",
        "app[web.1]: duration=5 request_id=r",
        "heroku[web.1]: Error R14 (x)",
        "app[api]: hi",
    ]
    block = "".join(f"{head}{text}\n" for text in said).encode()
    assert [block[start:end].decode()[33:] for start, end in fields.read_fields(block).rest] == said[1:]


def test_empty_block() -> None:
    """An empty line is a line, and says nothing."""
    assert np.array_equal(fields.read_fields(b"\n").time, [])


def test_drain_lines(line: Callable[..., str]) -> None:
    """Lines of a syslog drain are usual ones, with their length before them, and one dash or two."""
    text = line(1.0, "/x", 7)
    fields_of_line = text.partition("]: ")[2]
    heads = ("<158>1 {} host heroku router - ", "83 <158>1 {} d.0f0f heroku router - - ")
    block = "".join(f"{head.format(text[:32])}{fields_of_line}\n" for head in heads).encode()
    found = fields.read_fields(block)
    assert (found.service.tolist(), found.rest) == ([7, 7], [])


@pytest.mark.parametrize("source", ["app web.1 - heroku router", "host app web.1 - heroku router", "h heroku web.1"])
def test_drain_lines_of_others(line: Callable[..., str], source: str) -> None:
    """In a drain, too, nobody else can play the router."""
    text = line(1.0, "/x", 7)
    block = f"<158>1 {text[:32]} {source} - {text.partition(']: ')[2]}\n".encode()
    assert len(fields.read_fields(block).time) == 0
    assert len(Reader(NOW).read(block)) == 0
