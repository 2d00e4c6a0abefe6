"""One line of a log, in every shape that was seen."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.diagnose.timeouts.lines import (
    CodeLine,
    PieceLine,
    ReleaseLine,
    RequestLine,
    TimingLine,
    as_printed,
    join_pieces,
    parse_line,
)

NOW = datetime(2026, 11, 23, tzinfo=UTC)
JUNE = datetime(2026, 6, 2, 15, 33, 25, tzinfo=UTC).timestamp()
AT = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC).timestamp()
ISO = "2024-01-02T03:04:05+00:00"
FIELDS = (
    'at=error code=H12 desc="Request timeout" method=GET path="/x/1?a=b" host=h.example request_id=r-1 '
    'fwd="192.0.2.1, 10.0.0.1" dyno=web.2 connect=1ms service=30001ms status=503 bytes=0 protocol=https'
)
SAME = RequestLine(AT, "GET", "/x/1?a=b", "web.2", "H12", "r-1", 30001.0, 503)


def parse(text: str) -> object:
    """Return what a line says."""
    return parse_line(text.encode(), NOW)


@pytest.mark.parametrize(
    "text",
    [
        f"{ISO} heroku[router]: {FIELDS}",
        f"2024-01-01T20:04:05-07:00 heroku[router]: {FIELDS}",
        f"2024-01-02T03:04:05.000000Z heroku[router]: {FIELDS}",
        f"2024-01-02 03:04:05 heroku[router]: {FIELDS}\r",
        f"{ISO} heroku[router]: {FIELDS} tls=true tls_version=tls1.3 new=thing",
        f"{ISO} heroku[router]: {FIELDS.replace('GET', chr(34) + 'GET' + chr(34))}",
        f"{ISO} app heroku/router {FIELDS}",
        f"1\t{ISO}\t{ISO}\t7\tshop\t192.0.2.1\tLocal3\tInfo\theroku/router\t{FIELDS}",
        f"{ISO} host heroku router - - {FIELDS}",
        f"83 <158>1 {ISO} host heroku router - {FIELDS}",
        f"<158>1 {ISO} host heroku router - [id a=1] {FIELDS}",
        json.dumps({"timestamp": ISO, "procid": "router", "message": FIELDS}),
        json.dumps({"time": AT, "msg": f"heroku[router]: {FIELDS}"}),
        json.dumps({"@timestamp": "1704164645000", "program": "heroku/router", "log": FIELDS}),
        json.dumps(
            {
                "dt": ISO,
                "proc_id": "router",
                "heroku": {"method": "GET", "path": "/x/1?a=b", "dyno": "web.2", "code": "H12"},
                "request_id": "r-1",
                "service": 30001,
                "status": 503,
            }
        ),
        json.dumps([{"ts": AT, "path": "/x/1?a=b", "method": "get", "dyno": "web.2", "code": "H12"}])[:-2]
        + ', "request_id": "r-1", "service": "30001ms", "status": "503"}],',
    ],
)
def test_shapes(text: str) -> None:
    """The same request is read from each shape."""
    assert parse(text) == SAME


@pytest.mark.parametrize("separator", ["app heroku/router:", "host heroku router - -"])
def test_time_without_a_year(separator: str) -> None:
    """A time without a year is the last such before tomorrow."""
    line = parse(f"Jun 02 15:33:25 {separator} {FIELDS}")
    assert isinstance(line, RequestLine)
    assert line.time == JUNE


def test_shape_of_2012() -> None:
    """The router of 2012 wrote code and address first, and left values empty."""
    text = (
        f"{ISO} heroku[router]: Error H12 (Request timeout) -> POST a.example/b dyno=web.1 queue= wait= service=30000ms"
    )
    assert parse(text) == RequestLine(AT, "POST", "/b", "web.1", "H12", "", 30000.0, 0)
    fine = parse(f"{ISO} heroku[router]: GET a.example/b dyno=web.1 queue=0 wait=0ms service=10ms status=200 bytes=1")
    assert fine == RequestLine(AT, "GET", "/b", "web.1", "", "", 10.0, 200)


def test_empty_values() -> None:
    """Values that are missing are not a number, or empty, and not a reason to drop the line."""
    line = parse(f"{ISO} heroku[router]: at=error code=H14 method=GET path=/ dyno= connect= service= status=503 bytes=")
    assert isinstance(line, RequestLine)
    assert (line.dyno, line.code, line.status, math.isnan(line.service_ms)) == ("", "H14", 503, True)


@pytest.mark.parametrize(
    "text",
    [
        f"{ISO} app[web.1]: heroku[router]: {FIELDS}",
        f"{ISO} app[web.1]: seen: Error H12 (Request timeout)",
        f"{ISO} app[web.1]: Release v9 is great",
        json.dumps({"proc_id": "web.1", "message": f"heroku[router]: {FIELDS}"}),
        f"{ISO} host app web.1 - - heroku router - - {FIELDS}",
    ],
)
def test_app_cannot_play_the_router(text: str) -> None:
    """What an app writes about the platform is not the platform's word."""
    assert parse(text) is None


def test_path_cannot_play_a_field() -> None:
    """A visitor who writes fields into a path or a header changes none of those behind it."""
    text = f"{ISO} heroku[router]: {FIELDS}".replace("/x/1?a=b", "/x service=1ms dyno=web.9 status=200")
    line = parse(text.replace("192.0.2.1,", "192.0.2.1 dyno=web.8,"))
    assert isinstance(line, RequestLine)
    assert (line.service_ms, line.dyno, line.status) == (30001.0, "web.2", 503)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"{ISO} app[web.1]: source=rack-timeout id=r-1 wait=25000ms timeout=15000ms service=120ms state=completed",
            TimingLine("r-1", 120.0, 25000.0, math.nan),
        ),
        (
            f"{ISO} app[web.1]: method=GET path=/x status=200 duration=58.33 view=4.1 db=15.2 request_id=r-1",
            TimingLine("r-1", 58.33, math.nan, 15.2),
        ),
        (
            f"{ISO} app[web.1]: [0f0f0f0f-0f0f-0f0f] Completed 200 OK in 37000ms (Views: 1.0ms | ActiveRecord: 9.5ms)",
            TimingLine("0f0f0f0f-0f0f-0f0f", 37000.0, math.nan, 9.5),
        ),
        (
            f'{ISO} app[web.1]: {{"path": "/x", "duration": 58.5, "request_id": "r-1"}}',
            TimingLine("r-1", 58.5, math.nan, math.nan),
        ),
    ],
)
def test_measured_times(text: str, expected: TimingLine) -> None:
    """What an app measured is read from rack-timeout, lograge and Rails."""
    assert repr(parse(text)) == repr(expected)  # nan is not equal to itself.


def test_request_that_is_not_over() -> None:
    """While rack-timeout says that a request is being worked on, its time is none yet."""
    assert parse(f"{ISO} app[web.1]: source=rack-timeout id=r-1 timeout=15000ms service=9ms state=active") is None


def test_platform_lines() -> None:
    """Codes of dynos and of the log itself are read, and releases."""
    memory = parse(f"{ISO} heroku[web.1]: Error R14 (Memory quota exceeded)")
    assert memory == CodeLine(AT, "R14", "Memory quota exceeded", "web.1")
    dropped = parse(f"{ISO} heroku[logplex]: Error L10 (output buffer overflow): 491 messages dropped since {ISO}.")
    assert dropped == CodeLine(AT, "L10", "output buffer overflow", "logplex", 491)
    assert parse(f"{ISO} app[api]: Release v42 created by user a@example.com") == ReleaseLine(AT, "v42")
    assert parse(f"{ISO} heroku[api]: Deploy 1a2b3c4d5e6f by a@example.com") == ReleaseLine(AT, "1a2b3c4d")


@pytest.mark.parametrize("cut", range(80, len(FIELDS) + 40, 7))
def test_split_anywhere(cut: int) -> None:
    """A line that was split tells the same once it is joined, wherever it was cut."""
    head = f"{ISO} heroku[router]: "
    text = head + FIELDS
    first, second = parse(text[:cut]), parse(head + text[cut:])
    if isinstance(first, PieceLine):
        assert isinstance(second, PieceLine)
        assert join_pieces(first, second) == SAME
    else:
        assert isinstance(first, RequestLine)
        assert (first.service_ms, first.dyno, first.path) == (SAME.service_ms, SAME.dyno, SAME.path)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_anything_is_a_line(raw: bytes) -> None:
    """No bytes make reading fail, alone or behind a router's head."""
    parse_line(raw, NOW)
    parse_line(f"{ISO} heroku[router]: at=".encode() + raw, NOW)
    parse_line(b'{"path": ' + raw + b"}", NOW)


said = st.sampled_from([FIELDS, "at=info status=200", "Completed 200 OK in 31ms", "State changed from up to down", ""])


@given(
    st.sampled_from(["timestamp", "@timestamp", "ts", "log.time", "none"]),
    st.sampled_from([ISO, "2024-01-02T03:04:05.123456Z", "2024-01-02 03:04:05", 1704164645, 1704164645123, "", None]),
    st.sampled_from(["proc_id", "program", "source"]),
    st.sampled_from(["router", "heroku/router", "app/web.1", "web.1", "api", "", None]),
    said | st.text(max_size=30),
    st.dictionaries(st.sampled_from(["path", "host", "service"]), st.text(max_size=5), max_size=1),
)
def test_printed_lines_say_the_same(  # noqa: PLR0917 - hypothesis gives these.
    time_name: str, time: object, name: str, process: object, message: str, more: dict[str, str]
) -> None:
    """A line in JSON that is read as if it were printed says what it says one by one, to the microsecond."""
    raw = json.dumps({time_name: time, name: process, "message": message, **more}).encode()
    printed = as_printed(raw)
    if printed:
        there, here = parse_line(raw, NOW), parse_line(printed, NOW)
        assert type(there) is type(here)
        if isinstance(there, RequestLine) and isinstance(here, RequestLine):
            assert here == replace(there, time=pytest.approx(there.time, abs=1e-6))


@pytest.mark.parametrize("process", ["router", "web.1"])
def test_usual_lines_are_printed(process: str) -> None:
    """The router's and the app's lines of a log service are the usual ones, with any kind of time."""
    for time in (ISO, 1704164645):
        assert as_printed(json.dumps({"time": time, "source": process, "msg": FIELDS}).encode()).endswith(b"https\n")
