"""Turns a request's path into its template: ids, hashes, dates and addresses become one word each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from deflect.diagnose.timeouts.names import printable

#: A template is cut after so many segments and characters: no application routes on more.
_MAX_SEGMENTS = 12
_MAX_CHARACTERS = 160

_HEX = "[0-9a-fA-F]"
_UUID = f"{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}"
_HAS_DIGIT = "(?=[^/]*[0-9])"
_HAS_LETTER = "(?=[^/]*[A-Za-z])"
_HASH = f"{_HAS_DIGIT}{_HEX}{{8,}}"

#: What a whole segment may be, and its word. The first that fits counts.
_SEGMENTS = (
    (r"\d{4}-\d{2}(?:-\d{2})?(?:T[\d:.%+Z-]*)?", "{date}"),  # 2024-05, 2024-05-17, 2024-05-17T10:00:00Z
    (r"-?\d+(?:[.,:-]\d+)*", "{id}"),  # 42, -3.5, 52.1,13.4, 12-5
    (rf"{{?{_UUID}}}?", "{id}"),  # 123e4567-e89b-12d3-a456-426614174000
    (rf"(?:0x)?{_HASH}", "{id}"),  # 3fa9c21b, and longer hashes
    (rf"{_HEX}{{16,}}", "{id}"),  # A hash without a digit.
    (r"[^/@]+(?:@|%40)[^/@]+\.[^/@.]+", "{email}"),  # ann@example.com
    (r"eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?", "{id}"),  # A JSON web token.
    (rf"{_HAS_DIGIT}{_HAS_LETTER}[A-Za-z0-9]{{16,}}={{0,2}}", "{id}"),  # ULID, base62, base64
    (rf"{_HAS_DIGIT}(?=[^/]*[A-Z])(?=[^/]*[a-z])[\w-]{{20,}}={{0,2}}", "{id}"),  # base64 for URLs
)
#: What a piece of a segment may be, between separators.
_PIECES = (
    (r"(?<![A-Za-z0-9])\d{4}-\d{2}-\d{2}(?![A-Za-z0-9])", "{date}"),  # backup-2024-05-17
    (rf"(?<![A-Za-z0-9]){_UUID}(?![A-Za-z0-9])", "{id}"),  # user-123e4567-...
    (rf"(?<![A-Za-z0-9%])(?=[0-9a-fA-F]*\d){_HEX}{{8,}}(?![A-Za-z0-9])", "{id}"),  # app-3fa9c21b.js
    (r"(?<=[a-z]_)(?=[A-Za-z]*\d)[A-Za-z0-9]{12,}(?![A-Za-z0-9])", "{id}"),  # cus_9s6XKzkNRiz8i3
    (r"(?<![A-Za-z0-9%])\d{4,}(?![A-Za-z0-9])", "{id}"),  # invoice-48291
)
_EXTENSION = re.compile(r"(?<=.)\.[A-Za-z][A-Za-z0-9]{0,4}$")
_SEGMENT_RULES = tuple((re.compile(pattern, re.ASCII), word) for pattern, word in _SEGMENTS)
_PIECE_RULES = tuple((re.compile(pattern, re.ASCII), word) for pattern, word in _PIECES)

#: The ids that are nearly all of a log's: mended in one pass over many paths before each is looked at.
_NUMBER_SEGMENT = rb"\d+(?=[/\n]|\.[A-Za-z])"  # 42, 42.pdf
_LONG_PIECE = (
    rb"(?:"
    rb"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}"  # a UUID, before its parts
    rb"|\d{4,}(?!-\d\d)"  # 48291, but not the year of a date
    rb"|(?=[a-f]*\d)[0-9a-f]{8,64}"  # a hash
    rb")(?![A-Za-z0-9])"
)
#: Each begins with one character, which a regex finds fast, and keeps it.
_COMMON_IDS = (
    (re.compile(b"/(?=[0-9a-fA-F])(?:" + _NUMBER_SEGMENT + b"|" + _LONG_PIECE + b")"), b"/{id}"),
    (re.compile(b"-" + _LONG_PIECE), b"-{id}"),
    (re.compile(b"_" + _LONG_PIECE), b"_{id}"),
)
_DIGITS = re.compile(r"\d+")
#: More than so many routes, of fewer than so many requests each, are one if they differ in a number or the last word.
_MANY = 50
_RARE = 20


def template(path: str) -> str:
    """Return the template of a path: no query, and each part that varies as ``{id}``, ``{date}`` or ``{email}``."""
    path = path.partition("?")[0].partition("#")[0].partition(";")[0]
    segments = re.sub("/{2,}", "/", path).split("/")
    if len(segments) > _MAX_SEGMENTS:
        segments = [*segments[:_MAX_SEGMENTS], "…"]
    joined = "/".join(map(_segment, segments)) or "/"
    shown = printable(joined)
    return shown if len(shown) <= _MAX_CHARACTERS else shown[: _MAX_CHARACTERS - 1] + "…"


def _segment(segment: str) -> str:
    if segment.isalpha():
        return segment if len(segment) < 16 or not _whole(segment) else "{id}"
    extension = _EXTENSION.search(segment)
    if extension and "@" not in segment and "%40" not in segment and not segment.startswith("eyJ"):
        stem = segment[: extension.start()]
        return (_whole(stem) or _pieces(stem)) + extension.group()
    return _whole(segment) or _pieces(segment)


def _whole(segment: str) -> str:
    return next((word for rule, word in _SEGMENT_RULES if rule.fullmatch(segment)), "")


def _pieces(segment: str) -> str:
    for rule, word in _PIECE_RULES:
        segment = rule.sub(word, segment)
    return segment


def without_common_ids(paths: bytes) -> list[bytes]:
    """Replace the most usual ids in many paths at once, each a line; ``template`` would do the same to each."""
    for rule, word in _COMMON_IDS:
        paths = rule.sub(word, paths)
    return paths.split(b"\n")[:-1]


def merged(routes: Sequence[str], counts: Sequence[float]) -> tuple[list[str], list[int]]:
    """Find the many rare routes that are one, such as the titles of a blog.

    Returns the routes that are left, and for each of the given ones its place among them. A route with requests enough
    stands for itself: one slow page among many quick ones must not drown.
    """
    names = list(routes)
    for merge in (_without_numbers, _without_last_segment):
        rare: dict[str, list[int]] = {}
        for i, name in enumerate(names):
            wider = merge(name)
            if counts[i] < _RARE and wider != name:
                rare.setdefault(wider, []).append(i)
        for wider, members in rare.items():
            if len({names[i] for i in members}) > _MANY:
                for i in members:
                    names[i] = wider
    places = {name: place for place, name in enumerate(dict.fromkeys(names))}
    return list(places), [places[name] for name in names]


def _without_numbers(route: str) -> str:
    """Make /page{id} of /page2."""
    return _DIGITS.sub("{id}", route)


def _without_last_segment(route: str) -> str:
    """Make /blog/{slug} of /blog/a-title."""
    head, slash, last = route.rpartition("/")
    return f"{head}/{{slug}}" if slash and last else route
