"""A real HTTP server on this machine, which does what each test says, also what no decent server does."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

Answer = Callable[["Asked"], Iterable[bytes]]


@dataclass(frozen=True)
class Asked:
    """A request that came in; header names are in lower case."""

    path: str
    headers: dict[str, str]


@dataclass
class Site:
    """A running server: ``answer`` may be replaced at any time; ``released`` ends every delay."""

    url: str = ""
    answer: Answer = lambda _: [http_answer(b'{"incidents": []}')]
    asked: list[Asked] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)

    def says(self, body: bytes | str, status: int = 200, **headers: str) -> None:
        """Answer everything with this; underscores in header names stand for hyphens."""
        self.answer = lambda _: [http_answer(body, status, **headers)]

    def sends(self, *pieces: bytes) -> None:
        """Send these bytes to everybody, as they are, and hang up."""
        self.answer = lambda _: pieces


def http_answer(body: bytes | str, status: int = 200, **headers: str) -> bytes:
    """Return a whole HTTP answer."""
    raw = body.encode() if isinstance(body, str) else body
    fields = {"Content-Length": str(len(raw)), "Connection": "close"}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + raw


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 64

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: clients hang up on purpose here."""


@contextmanager
def serving(
    wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain, scheme: str = "http"
) -> Iterator[Site]:
    """Run a server; ``wrap`` may put TLS around each connection."""
    site = Site()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError):
                connection = wrap(self.request)
                with connection.makefile("rb") as lines:
                    first = lines.readline().decode("latin-1").split()
                    pairs = (line.decode("latin-1").partition(":") for line in iter(lines.readline, b"\r\n") if line)
                    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
                asked = Asked(first[1] if len(first) > 1 else "", headers)
                site.asked.append(asked)
                for piece in site.answer(asked):
                    connection.sendall(piece)
                connection.close()

    with _Server(("127.0.0.1", 0), Handler) as server:
        site.url = f"{scheme}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            site.released.set()
            server.shutdown()
            thread.join()
