"""Names that strangers wrote: numbered, few, and safe to show."""

from __future__ import annotations

#: The number of all names that came when there were too many.
OTHER = 0


def printable(text: str) -> str:
    """Return a text whose control characters, which a terminal would obey, are question marks."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in text)


class Names:
    """Numbers names as they come; number 0 is for those that come when there are too many."""

    def __init__(self, limit: int, first: str) -> None:
        self.limit = limit
        self.texts = [first]
        self._numbers = {first: OTHER}

    def number(self, text: str) -> int:
        """Return the number of a name."""
        text = printable(text)
        number = self._numbers.get(text)
        if number is None:
            number = len(self.texts) if len(self.texts) < self.limit else OTHER
            if number != OTHER:
                self._numbers[text] = number
                self.texts.append(text)
        return number
