"""Reads a time as status pages write it, and makes it an aware one in UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

#: No way of writing a time is longer.
_MAX_CHARACTERS = 100
#: Python refuses to print an int of more than 4,300 digits.
_MAX_BITS = 64
#: Unix times above this count milliseconds: as seconds it would be the year 5138.
_MILLISECONDS_FROM = 100_000_000_000
_NUMBER = re.compile(r"\d{9,14}(\.\d+)?")
_IN_WORDS = re.compile(
    r"(?:\w{3},?[ ])?"  # Sat
    r"(?P<month>\w{3})[ ](?P<day>\d{1,2})[ ](?P<year>\d{4})[ ]"  # Jun 11 2022
    r"(?P<clock>\d{2}:\d{2}(?::\d{2})?)"  # 18:55:50
    r"(?:[ ](?:GMT|UTC)?(?P<zone>[+-]\d{4})?)?"  # GMT+0000, and what stands in brackets behind it does not matter.
)


def read_time(value: object) -> datetime | None:
    """Read a time: ISO 8601, RFC 2822, Unix seconds or milliseconds, or as JavaScript prints it; None where it is none.

    A time without a zone is taken as UTC.
    """
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, int) and value.bit_length() > _MAX_BITS:
        return None
    text = str(value)[:_MAX_CHARACTERS].strip()
    for read in _WAYS:
        try:
            time = read(text)
            if time is not None:
                return (time if time.tzinfo else time.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError, OSError, TypeError, IndexError):  # Each of them, from one reader or another.
            continue
    return None


def _unix(text: str) -> datetime | None:
    if not _NUMBER.fullmatch(text):
        return None
    seconds = float(text)
    return datetime.fromtimestamp(seconds / 1000 if seconds >= _MILLISECONDS_FROM else seconds, UTC)


def _javascript(text: str) -> datetime | None:
    found = _IN_WORDS.match(text)
    if not found:
        return None
    zone = found["zone"] or "+0000"
    return parsedate_to_datetime(f"{found['day']} {found['month']} {found['year']} {found['clock']} {zone}")


_WAYS: tuple[Callable[[str], datetime | None], ...] = (
    _unix,  # First: to ISO 8601, eight digits are a day.
    datetime.fromisoformat,
    _javascript,  # Before RFC 2822, which would read it without its zone.
    parsedate_to_datetime,
)
