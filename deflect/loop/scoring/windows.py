"""A window that slides over a text, so that its head can be looked at before it is known where to cut."""

from __future__ import annotations

from io import BufferedReader

_READ_BYTES = 1 << 20


class Window:
    """The part of a text held; ``offset`` is how much lies before it; ``is_cut`` says that its end is damaged."""

    def __init__(self, file: BufferedReader, offset: int = 0) -> None:
        self.offset = offset
        self.is_cut = False
        self._file = file
        self._raw = b""
        self._place = 0
        self._has_end = False

    def peek(self, n_bytes: int) -> memoryview:
        """Return the next bytes, fewer at the end, and stay."""
        self._hold(n_bytes)
        return memoryview(self._raw)[self._place : self._place + n_bytes]

    def take(self, n_bytes: int) -> bytes:
        """Return the next bytes, fewer at the end, and go on behind them."""
        taken = bytes(self.peek(n_bytes))
        self._step(len(taken))
        return taken

    def skip(self, n_bytes: int) -> None:
        """Go on by so many bytes."""
        while n_bytes > 0 and (n_held := self._hold(min(n_bytes, _READ_BYTES))):
            n_skipped = min(n_bytes, n_held)
            self._step(n_skipped)
            n_bytes -= n_skipped

    def readline(self, size: int, /) -> bytes:
        """Return the next line, or its first so many bytes; raise EOFError where it is not there for damage."""
        n_bytes, n_held = _READ_BYTES, self._hold(_READ_BYTES)
        while (end := self._raw.find(b"\n", self._place) + 1) == 0 and n_held < size and not self._has_end:
            n_bytes *= 2
            n_held = self._hold(n_bytes)
        if not end and self.is_cut and n_held < size:
            raise EOFError
        return self.take(min(end - self._place, size) if end else size)

    def _step(self, n_bytes: int) -> None:
        self._place += n_bytes
        self.offset += n_bytes

    def _hold(self, n_bytes: int) -> int:
        """Read on until so many bytes are held; return how many are."""
        n_held = len(self._raw) - self._place
        if n_held < n_bytes and not self._has_end:
            parts = [self._raw[self._place :]]
            while n_held < n_bytes and (part := self._read(max(n_bytes - n_held, _READ_BYTES))):
                parts.append(part)
                n_held += len(part)
            self._raw, self._place = b"".join(parts), 0
            self._has_end = n_held < n_bytes
        return n_held

    def _read(self, n_bytes: int) -> bytes:
        try:
            return self._file.read1(n_bytes)
        except EOFError:
            self.is_cut = True
            return b""
