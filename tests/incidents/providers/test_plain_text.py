"""Plain text out of what status pages write."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.incidents.providers.plain_text import clean, one_line, plain


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("We <b>look</b> into it.", "We look into it."),
        ("One.<br/>Two.<p>Three.</p><p>Four.</p>", "One.\nTwo.Three.\nFour."),
        ("1 < 2 &amp; 3 > 2", "1 < 2 & 3 > 2"),
        ("&lt;script&gt;", "<script>"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ('<a href="https://x.example" onclick="y()">Link</a>', "Link"),
        ("<!-- hidden -->shown", "shown"),
        ("a\r\n\r\n\r\n\r\nb\tc  d", "a\n\nb c d"),
        ("\x1b[2Jgone\x07\x9b", "[2Jgone"),
        ("admin\u202egnp.exe", "admingnp.exe"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("क\u200dष", "क\u200dष"),
        ("line\u2028end", "line\nend"),
        ("", ""),
    ],
)
def test_plain(html: str, text: str) -> None:
    """Tags, control characters and overrides go; references become characters once; the rest stays."""
    assert plain(html) == text


def test_printable_text_is_clean() -> None:
    """Printable characters need no cleaning one by one, so a text that has no others is left as it is."""
    printable = "".join(chr(i) for i in range(0x110000) if chr(i).isprintable() and chr(i) != "<" and chr(i) != "&")
    kept = (clean(f"x\n{printable[i : i + 1000]}\nx") for i in range(0, len(printable), 1000))
    assert "".join(text[2:-2] for text in kept) == printable.replace(" ", "")


def test_length() -> None:
    """A text is cut."""
    assert len(plain("x" * 1_000_000)) == 10_000


@given(st.text())
def test_clean_twice(text: str) -> None:
    """Cleaning a clean text changes nothing."""
    assert clean(clean(text)) == clean(text)


@given(st.text(alphabet="ab \n\r\u2028\t", max_size=20))
def test_one_line(text: str) -> None:
    """A name stands on one line, and cleaning it again changes nothing."""
    assert one_line(text).splitlines() in ([], [one_line(text)])
    assert one_line(one_line(text)) == one_line(text)


@pytest.mark.parametrize("piece", ["<", "<a", "<a ", "<!--", "&", "&#x", "<br", "\n ", " \n"])
def test_time_is_linear(piece: str) -> None:
    """Twenty times the markup does not take a hundred times as long."""

    def seconds(n: int) -> float:
        text, spent = (piece * n)[:n], []
        for _ in range(3):
            start = time.perf_counter()
            plain(text, n)
            spent.append(time.perf_counter() - start)
        return min(spent)

    assert seconds(200_000) < 100 * seconds(10_000) + 0.05
