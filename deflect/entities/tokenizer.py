"""Cuts a text into tokens, because what tools ask for must be one: a host, a web address, a path, ``key=``.

spaCy's own tokenizers cut paths and log lines apart, differ between languages, and take most of a millisecond for a
ticket whose words they have not met before.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from spacy.tokens import Doc

if TYPE_CHECKING:
    from spacy.vocab import Vocab

#: Scripts that are written without spaces, or that put endings right behind a host name.
_UNSPACED = (
    r"\u0e00-\u0eff"  # Thai, Lao.
    r"\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer.
    r"\u3005-\u3007\u3040-\u30ff"  # Kana.
    r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han.
    r"\uac00-\ud7af"  # Hangul.
)
_LETTER = rf"[^\W{_UNSPACED}]"
#: What cannot stand in a web address as people paste them.
_NOT_IN_URL = (
    r"\s<>\"'`{}|\\^\[\]()"
    r"\u00ab\u00bb\u2018-\u201f"  # Curly and angle quotes.
    r"\u3000-\u303f\uff00-\uff20"  # East Asian punctuation.
    rf"{_UNSPACED}"
)
#: What may stand behind a path: a query.
_QUERY = r"\?[^\s\"'`]*[\w/]"
_TOKEN = re.compile(
    "("
    r"[A-Za-z]++(?=[\s,;!?)])"  # A plain word: most are.
    rf"|[A-Za-z][A-Za-z0-9+.-]{{1,15}}://[^{_NOT_IN_URL}]*[^{_NOT_IN_URL}.,;:!?*_]"  # A web address, no full stop.
    rf"|[\w-]++@[A-Za-z0-9.-]+:{_LETTER}[\w./-]*{_LETTER}"  # git@example.com:name.git
    rf"|[\w.+%-]++@(?:[^\W_]|-)++(?:\.(?:[^\W_{_UNSPACED}]|-)+)+"  # An e-mail address.
    r"|--[A-Za-z][A-Za-z-]*=?|(?<!\S)-[A-Za-z]\b"  # --app=, --app, -a
    r"|[A-Za-z_]{1,30}(?:=|:(?=[A-Za-z]))"  # code=, domains: in domains:add
    rf"|(?:\.{{1,2}}|~|[A-Za-z]:)?(?:[/\\]+[\w.@%+~-]*{_LETTER})+/?(?:{_QUERY})?"  # A path, perhaps with a query.
    rf"|\.?{_LETTER}++(?:(?:[.\-/\\@%+~&]+|:(?=\d)){_LETTER}++)*(?:/?{_QUERY}|/)?"  # A word, host, file or number.
    rf"|[{_UNSPACED}]+"
    r"|\x1b\[[\d;]*[A-Za-z]"  # A colour of a terminal.
    r"|\n\s*"  # A new line, with the indentation or the empty lines behind it.
    r"|[^\S\n]+"  # Other spaces than the one that follows a token.
    r"|[-=]+>"  # An arrow.
    r"|--|."
    ")([ ]?)",  # spaCy counts one space as part of the token before it.
    re.DOTALL,
)


class Tokenizer:
    """Cuts a text into tokens that join to the same text again."""

    def __init__(self, vocab: Vocab) -> None:
        self.vocab = vocab

    def __call__(self, text: str) -> Doc:
        """Return the tokens of a text."""
        return self.tokens(text)[0]

    def tokens(self, text: str) -> tuple[Doc, list[str]]:
        """Return the tokens of a text, and their words: to ask spaCy's tokens for them would take as long again."""
        found = _TOKEN.findall(text)
        words = [word for word, _ in found]
        return Doc(self.vocab, words=words, spaces=[space != "" for _, space in found]), words
