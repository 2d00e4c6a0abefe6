"""Speed of `diagnose timeouts` on generated logs of each shape, in one process.

python benchmarks/timeouts.py [MEGABYTES]     default: 200 of the usual shape, a tenth of the others
"""

from __future__ import annotations

import gzip
import io
import json
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

import numpy as np

from deflect.diagnose import diagnose_timeouts

ROUNDS = 5
LINES_PER_BLOCK = 20_000
PATHS = ("/", "/health", "/users/{}", "/api/v1/orders/{}/items", "/reports/{}.pdf", "/assets/app-{}.js", "/search?q={}")


def router_lines(seed: int) -> Iterator[tuple[str, str]]:
    """Yield time and fields of requests: half have an id in their path, one in a thousand times out."""
    rng = np.random.default_rng(seed)
    at = 1_760_000_000 + 1000.0 * seed
    for _ in range(LINES_PER_BLOCK):
        at += float(rng.exponential(0.01))
        number = int(rng.integers(10**6))
        path = PATHS[number % len(PATHS)].format(f"{number:x}a0b1c2" if number % 2 else number)
        failed = rng.random() < 0.001
        service = 30_000 if failed else int(rng.lognormal(4, 1))
        level = 'error code=H12 desc="Request timeout"' if failed else "info"
        fields = (
            f"at={level} method=GET "
            f'path="{path}" host=shop.example.com request_id={uuid.UUID(bytes=rng.bytes(16))} fwd="203.0.113.7" '
            f"dyno=web.{number % 4 + 1} connect={number % 3}ms service={service}ms status={503 if failed else 200} "
            f"bytes={number % 9000} protocol=https"
        )
        yield datetime.fromtimestamp(at, UTC).isoformat(timespec="microseconds"), fields


APP_LINE = (
    "app[web.1]: Started GET for 203.0.113.7, rendered layouts/application with 12 partials, and went on for 31ms"
)
SHAPES: dict[str, Callable[[str, str], str]] = {
    "heroku logs": lambda at, fields: f"{at} heroku[router]: {fields}\n",
    "with as many app lines": lambda at, fields: f"{at} {APP_LINE}\n{at} heroku[router]: {fields}\n",
    "syslog drain": lambda at, fields: f"<158>1 {at} host heroku router - {fields}\n",
    "JSON": lambda at, fields: json.dumps({"timestamp": at, "proc_id": "router", "message": fields}) + "\n",
}


def log(shape: str, megabytes: float) -> bytes:
    """Return a log: one generated block, over and over with later hours, for its making is slower than its reading."""
    block = "".join(SHAPES[shape](at, fields) for at, fields in router_lines(0)).encode()
    n = max(1, round(megabytes * 1e6 / len(block)))
    hour = next(router_lines(0))[0][11:14].encode()
    return b"".join(block.replace(b"T" + hour, b"T%02d:" % (i % 24)) for i in range(n))


def report(name: str, raw: bytes, n_bytes: int) -> None:
    """Print the best of several rounds, on the clock and of the processor."""
    spent = []
    for _ in range(ROUNDS):
        clock, processor = time.perf_counter(), time.process_time()
        diagnosis = diagnose_timeouts(io.BytesIO(raw))
        spent.append((time.perf_counter() - clock, time.process_time() - processor))
    seconds, busy = (min(times) for times in zip(*spent, strict=True))
    print(
        f"{name:<24} {n_bytes / seconds / 1e6:7.0f} MB/s {diagnosis.n_lines / seconds:11,.0f} lines/s"
        f"   ({n_bytes / busy / 1e6:.0f} MB/s of processor time)"
    )


def main() -> None:
    """Print a row for each shape, and for gzip."""
    megabytes = float(sys.argv[1]) if len(sys.argv) > 1 else 200.0
    for i, shape in enumerate(SHAPES):
        raw = log(shape, megabytes / (10 if i > 1 else 1))
        report(shape, raw, len(raw))
    raw = log("heroku logs", megabytes / 4)
    report("heroku logs, gzip", gzip.compress(raw, 6), len(raw))


if __name__ == "__main__":
    main()
