"""What an incident feed costs the form: with its page alive, dead, slow and hostile, in one run.

python benchmarks/feed.py [REFRESHES]     default: 100,000 refreshes for the growth of threads and memory
"""

from __future__ import annotations

import gc
import json
import resource
import statistics
import sys
import threading
import time
import timeit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle

from deflect import Deflector, IncidentFeed
from deflect.line.banner import Banner, Customer, Outlook

CLEAR, BUSY, BANNER = Outlook(), Outlook("major"), Banner("banner", "incident", "major", "There is an incident.")
TICKET = "Our custom domain does not resolve since this morning, the CNAME points to the old host."
N_ROUNDS = 40
N_SUGGESTIONS = 100
INTERVAL_SECONDS = 0.2  # Three hundred times as often as anybody asks a page.
GOOD = json.dumps(
    {
        "page": {"name": "Acme", "url": "https://status.acme.example"},
        "status": {"indicator": "major"},
        "incidents": [
            {
                "id": str(i),
                "name": f"Incident {i}",
                "status": "identified",
                "impact": "major",
                "started_at": "2026-11-23T10:00:00Z",
                "incident_updates": [{"status": "identified", "body": "<p>We look into it.</p>"}] * 3,
            }
            for i in range(10)
        ],
    }
).encode()


@cache
def huge() -> bytes:
    """Return 50 MB, made once: to make them takes memory bandwidth from whoever else runs."""
    return b" " * 50_000_000


class Page(BaseHTTPRequestHandler):
    """Answers as its path says: /good, /changing, /slow, /huge, /unsaid, /nonsense."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # It would hold each answer back for 40 ms.
    released = threading.Event()
    numbers = cycle(range(1000))

    def do_GET(self) -> None:
        """Answer a request."""
        kind = self.path.strip("/")
        if kind == "slow":
            self.released.wait(30)
        elif kind == "huge":
            self.answer(huge())
        elif kind == "unsaid":
            self.answer(huge(), says_length=False)
        elif kind == "nonsense":
            self.answer(b"\x00[" * 100_000)
        else:
            self.answer(GOOD.replace(b"We look", b"We look %d" % next(self.numbers)) if kind == "changing" else GOOD)

    def answer(self, body: bytes, *, says_length: bool = True) -> None:
        """Send a body, and its length before it or the end of the connection behind it."""
        self.send_response(200)
        self.send_header(*(("Content-Length", str(len(body))) if says_length else ("Connection", "close")))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Keep quiet: the feed hangs up on what is too long."""


@contextmanager
def page() -> Iterator[str]:
    """Run the page in a process of its own: in this one it would take the time that is measured."""
    from multiprocessing import get_context

    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(sender,), daemon=True)
    process.start()
    yield f"http://127.0.0.1:{receiver.recv()}"
    process.terminate()
    process.join()


def serve(sender: object) -> None:
    """Serve until the end."""
    with _Server(("127.0.0.1", 0), Page) as server:
        sender.send(server.server_port)
        server.serve_forever()


def microseconds(call: Callable[[], object], n: int) -> list[float]:
    """Return how long each of some calls takes."""
    spent = []
    for _ in range(n):
        start = time.perf_counter_ns()
        call()
        spent.append((time.perf_counter_ns() - start) / 1000)
    return spent


class Watched:
    """The incidents of a Deflector: reads the snapshot for each ticket."""

    def __init__(self, feed: IncidentFeed) -> None:
        self.feed = feed

    def outlook(self, customer: Customer) -> Outlook:  # noqa: ARG002  # What a Deflector gives.
        """Read the snapshot, and return the same whatever it says: to make something of it takes time too."""
        return CLEAR if self.feed.snapshot is not None else BUSY

    def banner(self, text: str, **context: object) -> Banner | None:  # noqa: ARG002  # The same.
        """Read the snapshot, and return the same whatever it says."""
        return BANNER if self.feed.snapshot is not None else None


def latencies(url: str) -> None:
    """Print how long an answer takes beside each kind of page; rounds take turns, so that all meet the same machine."""
    feeds = {
        "alive": IncidentFeed(f"{url}/good", interval_seconds=INTERVAL_SECONDS),
        "changing": IncidentFeed(f"{url}/changing", interval_seconds=INTERVAL_SECONDS),
        "dead": IncidentFeed("http://127.0.0.1:9/x", interval_seconds=INTERVAL_SECONDS),
        "slow": IncidentFeed(f"{url}/slow", interval_seconds=INTERVAL_SECONDS, timeout_seconds=1),
        "50 MB": IncidentFeed(f"{url}/huge", interval_seconds=INTERVAL_SECONDS),
        "unsaid": IncidentFeed(f"{url}/unsaid", interval_seconds=INTERVAL_SECONDS),
        "nonsense": IncidentFeed(f"{url}/nonsense", interval_seconds=INTERVAL_SECONDS),
    }
    spent: dict[str, list[float]] = {name: [] for name in ("none", *feeds)}
    deflectors = {name: Deflector.load(incidents=Watched(feed)) for name, feed in feeds.items()}
    deflectors["none"] = Deflector.load()
    for deflector in deflectors.values():
        microseconds(lambda d=deflector: d.suggest(TICKET), 300)
    for _ in range(N_ROUNDS):
        for name, deflector in deflectors.items():
            feed = feeds.get(name)
            if feed is not None:
                feed.start(check=False)
                time.sleep(0.05)
            spent[name] += microseconds(lambda d=deflector: d.suggest(TICKET), N_SUGGESTIONS)
            if feed is not None:
                feed.close()
    alive = statistics.median(spent["alive"])
    for name, values in spent.items():
        median, late = statistics.median(values), statistics.quantiles(values, n=100)[98]
        print(f"  suggest, page {name:<9} median {median:6.1f} us  x{median / alive:.3f}   99 of 100 in {late:7.1f} us")


def reading(url: str) -> None:
    """Print how long reading a snapshot takes."""
    with IncidentFeed(f"{url}/good") as feed:
        rounds = timeit.repeat(lambda: feed.snapshot, number=1_000, repeat=1_000)
        print(
            f"  reading a snapshot: median {statistics.median(rounds) * 1e3:.3f} us, at best {min(rounds) * 1e3:.3f} us"
        )


def growth(url: str, n_refreshes: int) -> None:
    """Print threads and memory after refreshes, good and bad in turn."""
    paths = ("good", "changing", "nonsense")
    feeds = [IncidentFeed(f"{url}/{path}") for path in paths] + [IncidentFeed("http://127.0.0.1:9/x")]
    for i, feed in zip(range(n_refreshes + 1), cycle(feeds), strict=False):
        feed.refresh()
        if i in {2_000, n_refreshes // 10, n_refreshes // 2, n_refreshes}:
            gc.collect()
            with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123  # As short as it gets.
                n_bytes = int(file.read().split()[1]) * resource.getpagesize()
            print(f"  {i:>7,} refreshes: {threading.active_count()} threads, {n_bytes / 1e6:.1f} MB", flush=True)
    for feed in feeds:
        feed.close()


def main(n_refreshes: int) -> None:
    """Measure it all."""
    with page() as url:
        reading(url)
        latencies(url)
        growth(url, n_refreshes)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
