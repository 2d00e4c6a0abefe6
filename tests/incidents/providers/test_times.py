"""Times as status pages write them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.incidents.providers.times import read_time

MOMENT = datetime(2026, 11, 23, 10, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    "value",
    [
        "2026-11-23T10:30:00Z",
        "2026-11-23T10:30:00.000000000Z",
        "2026-11-23T05:30:00-05:00",
        "2026-11-23T11:30:00+0100",
        "2026-11-23 10:30:00",
        "2026-11-23 10:30",
        " 2026-11-23T10:30:00Z\n",
        "Mon, 23 Nov 2026 10:30:00 GMT",
        "Mon, 23 Nov 2026 11:30:00 +0100",
        "23 Nov 2026 10:30:00 -0000",
        "Mon Nov 23 2026 10:30:00 GMT+0000 (Coordinated Universal Time)",
        "Mon Nov 23 2026 11:30:00 GMT+0100 (CET)",
        1795429800,
        1795429800.0,
        "1795429800",
        1795429800000,
        "1795429800000",
    ],
)
def test_ways(value: object) -> None:
    """Each way of writing a time gives the same moment, in UTC."""
    assert read_time(value) == MOMENT
    assert str(read_time(value)).endswith("+00:00")


@pytest.mark.parametrize(
    "value",
    [None, "", "soon", True, [], {}, 0, -1, 1 << 70, float("nan"), float("inf"), "9" * 50, "0001-01-01T00:00:00+23:59"],
)
def test_none(value: object) -> None:
    """What is no time reads as none."""
    assert read_time(value) is None


@given(st.text() | st.integers() | st.floats())
def test_anything(value: object) -> None:
    """Anything gives an aware time or none."""
    found = read_time(value)
    assert found is None or found.tzinfo is UTC
