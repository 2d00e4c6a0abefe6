"""Names of files on a screen and in a command."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.diagnose.assets.names import listed, quoted, shown

TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=50)


@given(st.text())
def test_shown_is_printable(text: str) -> None:
    """Whatever a name has in it, nothing but printable characters is shown."""
    assert shown(text).isprintable()


@pytest.mark.parametrize("text", ["a\x1b[31m", "\u202egnp.exe", "a\nb", "\udcff", "\x9b", "\u2028"])
def test_shown_escapes(text: str) -> None:
    """Escapes, direction marks, line ends and halves of characters are shown as such."""
    assert "\\" in shown(text)


def test_long_name_is_cut() -> None:
    """A name of a thousand characters is cut."""
    assert shown("a" * 1_000) == f"{'a' * 300}..."


def test_long_list_is_counted() -> None:
    """Of many names a few are shown, and the rest is counted."""
    assert listed([str(i) for i in range(1_005)]) == "0, 1, 2, 3, 4 and 1,000 more"


@given(st.lists(TEXT, min_size=20, max_size=20))
def test_quoted_is_one_word(names: list[str]) -> None:
    """A shell reads a quoted name as that very name, behind "./" where it would look like an option."""
    words = " ".join(quoted(name) for name in names)
    command = f"printf '%s\\0' {words}"
    printed = subprocess.run(["/bin/bash", "-c", command], capture_output=True, check=True).stdout
    expected = [f"./{name}" if name.startswith("-") and name.isprintable() else name for name in names]
    assert printed.decode().split("\0")[:-1] == expected
