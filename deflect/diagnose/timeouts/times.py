"""Reads the times that logs write: ISO 8601 for many lines at once, and whatever else for one line."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Bytes: TypeAlias = npt.NDArray[np.uint8]
Seconds: TypeAlias = npt.NDArray[np.float64]

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"  # The day.
    r"[T ](\d\d):(\d\d):(\d\d)"  # The time.
    r"(?:[.,](\d{1,9}))?"  # The fraction of a second.
    r"\s?(Z|[+-]\d\d:?\d\d)?"  # The zone; UTC where there is none.
)
_SYSLOG = re.compile(
    r"([A-Z][a-z]{2})\s+(\d{1,2})"  # Jun 02, without a year.
    r"\s+(\d\d):(\d\d):(\d\d)"  # The time.
)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
#: A number of seconds, milliseconds, microseconds or nanoseconds since 1970 is told from its size.
_EPOCH_UNITS = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3), (1e8, 1.0))

#: Columns of the digits in 2026-11-23T08:00:00, and what each is worth in its number.
_DIGIT_COLUMNS = np.array([0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18])
_SIGNS = ((4, "-"), (7, "-"), (10, "T"), (13, ":"), (16, ":"))
_N_FRACTION = 6


def parse_time(text: str, now: datetime) -> float:
    """Return the seconds since 1970 of the first time in a text; not a number where there is none."""
    iso, syslog = _ISO.search(text), _SYSLOG.search(text)
    try:
        if iso and not (syslog and syslog.start() < iso.start()):
            return _iso(iso)
        return _syslog(syslog, now) if syslog else math.nan
    except ValueError:  # The 31st of February, hour 25.
        return math.nan


def _iso(found: re.Match[str]) -> float:
    year, month, day, hour, minute, second = (int(found[i]) for i in range(1, 7))
    at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC).timestamp()
    return at + float("0." + (found[7] or "0")) - _offset(found[8] or "Z")


def _offset(zone: str) -> int:
    """Return how many seconds a zone such as -07:00 is ahead of UTC."""
    if zone == "Z":
        return 0
    seconds = int(zone[1:3]) * 3600 + int(zone[-2:]) * 60
    return -seconds if zone[0] == "-" else seconds


def _syslog(found: re.Match[str], now: datetime) -> float:
    """Give a time without a year the year that puts it last before tomorrow."""
    month = _MONTHS.index(found[1]) + 1
    day, hour, minute, second = (int(found[i]) for i in range(2, 6))
    for year in range(now.year + 1, now.year - 9, -1):  # Nine years have a 29th of February among them.
        try:
            at = datetime(year, month, day, hour, minute, min(second, 59), tzinfo=UTC)
        except ValueError:
            continue
        if at <= now + timedelta(days=1):
            return at.timestamp()
    return math.nan


def parse_epoch(number: float) -> float:
    """Return the seconds since 1970 of a number that counts them, or a thousandth, millionth or billionth of them."""
    for least, unit in _EPOCH_UNITS:
        if least <= number < least * 1e3:
            return number / unit
    return math.nan


def parse_iso_columns(heads: Bytes, lengths: npt.NDArray[np.int64]) -> Seconds:
    """Return the time at the head of each line, a row of bytes; not a number where a row begins otherwise.

    ``lengths`` says where the time ends: at the line's first space.
    """
    columns = np.ascontiguousarray(heads.T)  # A vector operation on a column is many times faster than on short rows.
    digits = columns[_DIGIT_COLUMNS] - np.uint8(48)
    is_time = (digits <= 9).all(axis=0) & (lengths >= 19) & (lengths < len(columns))
    for column, sign in _SIGNS:
        is_time &= columns[column] == ord(sign)
    n = digits.astype(np.int64)
    hours, minutes = n[8] * 10 + n[9], n[10] * 10 + n[11]
    is_time &= (hours < 24) & (minutes < 60)
    seconds = hours * 3600 + minutes * 60 + n[12] * 10 + n[13]
    fraction, width = _fractions(columns)
    offset, zone_width = _offsets(columns, lengths)
    is_time &= 19 + width + zone_width == lengths
    return np.where(is_time, _days(n[:8]) * 86400.0 + seconds + fraction - offset, np.nan)


def _days(digits: npt.NDArray[np.int64]) -> Seconds:
    """Count days since 1970: of each different date once."""
    dates = 10 ** np.arange(7, -1, -1) @ digits
    is_new = np.append(True, dates[1:] != dates[:-1])[: len(dates)]
    different, place = np.unique(dates[is_new], return_inverse=True)
    days = np.array([_day(int(date)) for date in different])
    return days[place].take(np.cumsum(is_new) - 1)


def _day(date: int) -> float:
    try:
        return datetime(date // 10000, date // 100 % 100, date % 100, tzinfo=UTC).timestamp() / 86400
    except ValueError:
        return math.nan


def _fractions(columns: Bytes) -> tuple[Seconds, npt.NDArray[np.int64]]:
    """Return the fraction of a second of each line, and how many characters it takes."""
    digits = columns[20 : 20 + _N_FRACTION] - np.uint8(48)
    is_part = np.logical_and.accumulate(digits <= 9) & (columns[19] == ord("."))
    fraction: Seconds = np.array([10.0**-i for i in range(1, _N_FRACTION + 1)]) @ np.where(is_part, digits, 0)
    n_digits: npt.NDArray[np.int64] = is_part.sum(axis=0)
    return fraction, np.where(n_digits > 0, n_digits + 1, 0)


def _offsets(columns: Bytes, lengths: npt.NDArray[np.int64]) -> tuple[Seconds, npt.NDArray[np.int64]]:
    """Return how far each line's zone is ahead of UTC, and how many characters it takes: Z, +00:00 or none."""
    last = np.clip(lengths, 6, len(columns)) - 1
    zone = columns[last + np.arange(-5, 1)[:, None], np.arange(len(last))]
    n = zone[[1, 2, 4, 5]].astype(np.int64) - 48
    is_signed = ((zone[0] == ord("+")) | (zone[0] == ord("-"))) & (zone[3] == ord(":"))
    seconds = (n[0] * 10 + n[1]) * 3600 + (n[2] * 10 + n[3]) * 60
    signed = np.where(zone[0] == ord("-"), -seconds, seconds)
    width = np.where(is_signed, 6, np.where(zone[5] == ord("Z"), 1, 0))
    return np.where(is_signed, signed, 0).astype(np.float64), width
