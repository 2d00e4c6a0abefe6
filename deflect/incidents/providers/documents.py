"""Makes a document of the bytes of an answer: JSON or XML."""

from __future__ import annotations

import codecs
import json
import re
from dataclasses import dataclass, field

from deflect.errors import IncidentFeedError, NoStatusPageError

_DECLARATION = re.compile(
    r"\s*<\?xml\b[^<>]*?"  # <?xml version="1.0"
    r"(?:encoding\s*=\s*[\"'](?P<encoding>[\w.:-]{1,40})[\"'][^<>]*)?"  # encoding="ISO-8859-1"
    r"\?>"
)
_ROOT = re.compile(
    r"(?>\s+|<!--.*?-->|<\?[^<>]*>|<!doctype[^<>\[]*>)*+"  # What may stand before the root, never tried twice,
    r"<(?:[\w.-]+:)?(?P<name>[\w.-]{1,60})",  # which may have a prefix: <atom:feed
    re.DOTALL | re.IGNORECASE,
)
#: Python reads JSON in one go, and nothing else runs meanwhile: so many values take it less than 0.1 seconds. A page of
#: 3 MB, with 300 incidents of seven updates, has a third of them.
MAX_VALUES = 150_000
#: One of these stands beside each value.
_MARKS = (b",", b"{", b"[")
#: The root of a page stands near its beginning.
_HEAD_CHARACTERS = 5_000


@dataclass(frozen=True, slots=True)
class Xml:
    """An XML or HTML document, as text without its declaration; ``root`` is the name of its root element."""

    text: str = field(repr=False)
    root: str


def read_document(body: bytes, charset: str | None, source: str) -> object:
    """Read JSON or XML; of text in no encoding that it claims, the characters that cannot be read are replaced.

    Raises NoStatusPageError where it is neither, and IncidentFeedError where it is JSON of too many values.
    """
    if body.lstrip(codecs.BOM_UTF8 + b" \t\r\n").startswith(b"<"):
        return _xml(body, charset)
    if sum(map(body.count, _MARKS)) > MAX_VALUES:
        msg = f"{source} must have at most {MAX_VALUES:,} values, got more"
        raise IncidentFeedError(msg)
    try:
        document: object = json.loads(_decode(body, charset, json.detect_encoding(body)))
    except (ValueError, RecursionError) as error:  # RecursionError: nested more deeply than Python reads.
        why = "nothing" if not body.strip() else "something else"
        msg = f"{source} must be JSON, RSS or Atom, got {why}"
        raise NoStatusPageError(msg) from error
    return document


def _xml(body: bytes, charset: str | None) -> Xml:
    declared = _DECLARATION.match(body[:_HEAD_CHARACTERS].decode("latin-1"))
    text = _decode(body, charset, (declared and declared["encoding"]) or "utf-8").lstrip("\ufeff")
    declaration = _DECLARATION.match(text[:_HEAD_CHARACTERS])
    text = text[declaration.end() if declaration else 0 :].lstrip()
    root = _ROOT.match(text[:_HEAD_CHARACTERS])
    return Xml(text, root["name"] if root else "")


def _decode(body: bytes, charset: str | None, encoding: str) -> str:
    """Decode by what the text says itself, else by what the server says, else as far as it goes."""
    for name in (encoding, charset or encoding):
        try:
            return body.decode(name)
        except (LookupError, ValueError):  # An encoding that Python does not know, or the text is not in it.
            continue
    return body.decode("utf-8", "replace")
