"""Makes plain text of what a status page wrote: no markup, no control characters, bounded."""

from __future__ import annotations

import html
import re

#: An update is cut here, a title and a name sooner.
MAX_BODY_CHARACTERS = 10_000
MAX_TITLE_CHARACTERS = 300
#: Markup may take this many times the room of the text in it; what lies behind is not looked at.
_MARKUP_FACTOR = 4

_BREAK = re.compile(
    r"<br[^<>]*>"  # A line ends here,
    r"|</(?:p|div|li|tr|h[1-6]|ul|ol|blockquote)\s*>",  # and where a block ends.
    re.IGNORECASE,
)
_TAG = re.compile(
    r"<(?:[a-z/!?])"  # "a < b" is no tag.
    r"[^<>]*>",  # No tag runs over the beginning of another: the search stays linear on any input.
    re.IGNORECASE,
)
_LINE_END = re.compile(r"\r\n|[\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
_NOT_TEXT = re.compile(
    "["
    "\x00-\x08\x0e-\x1b\x1f\x7f-\x84\x86-\x9f"  # Control characters: they move a terminal's cursor.
    "\u202a-\u202e\u2066-\u2069"  # Overrides of the writing direction: they show a text as another.
    "\ufeff\ufffe\uffff"  # Byte order marks and characters that are none.
    "\ud800-\udfff"  # Lone surrogates: UTF-8 cannot hold them.
    "]"
)
_SPACES = re.compile(r"[ \t\xa0]+")
_AROUND_LINE_END = re.compile(r" ?\n ?")
_EMPTY_LINES = re.compile(r"\n{3,}")


def clean(text: str, max_characters: int = MAX_BODY_CHARACTERS) -> str:
    """Clean a text that is plain already; doing it twice changes nothing more."""
    text = text[: max_characters * _MARKUP_FACTOR]
    if not text.isprintable() or "  " in text:  # All else is clean, as most names are: a page has thousands.
        text = _NOT_TEXT.sub("", _LINE_END.sub("\n", text))
        text = _EMPTY_LINES.sub("\n\n", _AROUND_LINE_END.sub("\n", _SPACES.sub(" ", text)))
    return text.strip()[:max_characters].strip()


def plain(text: str, max_characters: int = MAX_BODY_CHARACTERS) -> str:
    """Make plain text of HTML: tags go, a block's end becomes a line's end, references become characters, once."""
    text = text[: max_characters * _MARKUP_FACTOR]
    if "<" in text or "&" in text:
        text = html.unescape(_TAG.sub("", _BREAK.sub("\n", text)))
    return clean(text, max_characters)


def one_line(text: str, max_characters: int = MAX_TITLE_CHARACTERS) -> str:
    """Clean a text that must stand on one line, such as a name."""
    return clean(clean(text, max_characters).replace("\n", " "))
