"""Times as logs write them."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.diagnose.timeouts.times import parse_epoch, parse_iso_columns, parse_time

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def parse_many(texts: list[str]) -> list[float]:
    """Return the times of many lines at once."""
    heads = np.zeros((len(texts), 40), np.uint8)
    for row, text in zip(heads, texts, strict=True):
        row[: len(text)] = np.frombuffer(text.encode(), np.uint8)
    return parse_iso_columns(heads, np.array([len(text) for text in texts])).tolist()


@given(
    st.datetimes(datetime(1971, 1, 1), datetime(2099, 1, 1)),  # noqa: DTZ001 - the zone comes next.
    st.timedeltas(timedelta(hours=-14), timedelta(hours=14)),
    st.sampled_from(["seconds", "milliseconds", "microseconds"]),
)
def test_both_ways_read_alike(at: datetime, zone: timedelta, precision: str) -> None:
    """One time and many at once are read alike, in any zone and precision."""
    zone = timedelta(minutes=zone // timedelta(minutes=1))
    text = at.replace(tzinfo=timezone(zone)).isoformat(timespec=precision)
    expected = datetime.fromisoformat(text).timestamp()
    assert parse_time(text, NOW) == pytest.approx(expected, abs=1e-5)
    assert parse_many([text]) == pytest.approx([expected], abs=1e-5)


@pytest.mark.parametrize(
    "text", ["", "2026", "2026-02-30T00:00:00Z", "2026-11-23X00:00:00Z", "2026-13-01T00:00:00Z", "x" * 39]
)
def test_no_time(text: str) -> None:
    """What is no time is not a number."""
    assert math.isnan(parse_many([text])[0])
    assert math.isnan(parse_time(text, NOW))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Feb 28 10:00:00", datetime(2026, 2, 28, 10, tzinfo=UTC)),
        ("Mar  2 00:00:00", datetime(2026, 3, 2, tzinfo=UTC)),  # Within a day: another zone.
        ("Dec 31 23:59:59", datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ("Feb 29 00:00:00", datetime(2024, 2, 29, tzinfo=UTC)),
    ],
)
def test_year_that_is_not_written(text: str, expected: datetime) -> None:
    """A time without a year is the last one that was."""
    assert parse_time(text, NOW) == expected.timestamp()


@pytest.mark.parametrize("number", [1.7e9, 1.7e12, 1.7e15, 1.7e18])
def test_epochs(number: float) -> None:
    """Seconds, milliseconds, microseconds and nanoseconds are told apart."""
    assert parse_epoch(number) == pytest.approx(1.7e9)


@pytest.mark.parametrize("number", [math.nan, math.inf, -5.0, 0.0, 12.0])
def test_no_epochs(number: float) -> None:
    """Other numbers are no times."""
    assert math.isnan(parse_epoch(number))
