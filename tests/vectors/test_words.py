from __future__ import annotations

from vectors.words import Dictionaries, choose_words

KNOWN = Dictionaries(words=["the", "certificate"], encoder=["server"], hosting=["h12"])


def chosen(tickets: list[str]) -> list[str]:
    """Return the words that tickets add to the dictionaries'."""
    return [word for word in choose_words(tickets, KNOWN) if word not in {"the", "certificate", "server", "h12"}]


def test_dictionaries_are_in() -> None:
    """Words of a dictionary, of the encoder and of hosting get a vector without any ticket."""
    assert set(choose_words([], KNOWN)) == {"the", "certificate", "server", "h12"}


def test_words_of_eight_tickets_are_in() -> None:
    """A word that no dictionary has must stand in eight tickets, however often it stands in one."""
    assert chosen(["kubectl kubectl kubectl"] * 7) == []
    assert chosen(["kubectl"] * 8) == ["kubectl"]


def test_handles_are_out() -> None:
    """A word that stands behind an @ anywhere is a name, and gets no vector."""
    assert chosen(["ask jdoe"] * 9 + ["thanks @JDoe"]) == ["ask"]


def test_keys_are_out() -> None:
    """Words of letters and digits, and numbers of more than four digits, get no vector, however frequent."""
    assert chosen(["ab12 12345 443"] * 20) == ["443"]


def test_words_of_tickets_come_first() -> None:
    """The most frequent words of tickets come before those that only dictionaries have."""
    words = choose_words(["my server"] * 9 + ["my"], KNOWN)
    assert words.index("my") < words.index("certificate")
