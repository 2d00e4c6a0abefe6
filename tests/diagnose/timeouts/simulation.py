"""A queue with a known truth: dynos with a few threads each, fast paths, and a few that are slow by themselves."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

START = 1_760_000_000.0
LIMIT = 30.0


@dataclass(frozen=True)
class Plan:
    """What to simulate; ``slow`` has of each slow path the median of its work in seconds, and its requests a second."""

    slow: dict[str, tuple[float, float]] = field(
        default_factory=lambda: {
            "/reports/{id}/export": (14.0, 0.19),
            "/api/v1/search/full": (8.0, 0.24),
            "/admin/invoices/{id}.pdf": (20.0, 0.14),
        }
    )
    n_fast: int = 137
    requests_per_second: float = 12.0
    seconds: float = 1800.0
    slow_from: float = 300.0
    slow_until: float = 1500.0
    n_dynos: int = 2
    n_threads: int = 5
    seed: int = 0


@dataclass(frozen=True)
class Request:
    """One request as it really was: seconds since the start."""

    path: str
    arrival: float
    wait: float
    work: float
    dyno: int
    request_id: str

    @property
    def service(self) -> float:
        """Return what the router saw."""
        return min(self.wait + self.work, LIMIT)

    @property
    def is_timeout(self) -> bool:
        """Say whether the router gave up."""
        return self.wait + self.work > LIMIT


def simulate(plan: Plan) -> list[Request]:
    """Return the requests of a plan, each dyno first come, first served, by the end that the router saw."""
    rng = np.random.default_rng(plan.seed)
    arrivals = _arrivals(plan, rng)
    threads = [[0.0] * plan.n_threads for _ in range(plan.n_dynos)]
    requests = []
    for at, path, work in arrivals:
        dyno = int(rng.integers(plan.n_dynos))
        free = heapq.heappop(threads[dyno])
        begin = max(at, free)
        heapq.heappush(threads[dyno], begin + work)
        request_id = rng.bytes(16).hex()
        requests.append(Request(path, at, begin - at, work, dyno + 1, request_id))
    return sorted(requests, key=lambda request: request.arrival + request.service)


def _arrivals(plan: Plan, rng: np.random.Generator) -> list[tuple[float, str, float]]:
    weights = 1 / np.arange(1, plan.n_fast + 1) ** 0.8
    weights /= weights.sum()
    typical = rng.lognormal(np.log(0.06), 0.7, plan.n_fast)
    arrivals = []
    for i in range(plan.n_fast):
        n = rng.poisson(weights[i] * plan.requests_per_second * plan.seconds)
        work = rng.lognormal(np.log(typical[i]), 0.5, n)
        arrivals += [(at, fast_path(i), w) for at, w in zip(rng.uniform(0, plan.seconds, n), work, strict=True)]
    for path, (median, rate) in plan.slow.items():
        n = rng.poisson(rate * (plan.slow_until - plan.slow_from))
        at = rng.uniform(plan.slow_from, plan.slow_until, n)
        work = rng.lognormal(np.log(median), 0.4, n)
        arrivals += list(zip(at, [path] * n, work, strict=True))
    return sorted(arrivals)


def fast_path(i: int) -> str:
    """Return the template of the i-th fast path."""
    names = ("users", "orders", "products", "carts", "pages", "teams", "files", "tags", "events", "notes")
    shapes = ("/{a}", "/{a}/{id}", "/api/v1/{a}", "/api/v1/{a}/{id}/edit", "/api/v2/{a}/{id}", "/{a}/{id}/history")
    a = names[i % 10] + ("" if i < 60 else f"-{'abcdefghij'[i // 10 % 10]}")
    return shapes[i // 10 % 6].replace("{a}", a)


def written(path: str, rng: np.random.Generator) -> str:
    """Return a path as a visitor asks for it."""
    kinds = (
        str(rng.integers(1, 10**6)),
        rng.bytes(16).hex(),
        f"{rng.bytes(4).hex()}-1111-4222-8333-{rng.bytes(6).hex()}",
    )
    return path.replace("{id}", kinds[int(rng.integers(3))]) + ("?page=2&q=a=b" if rng.random() < 0.2 else "")


def router_lines(requests: list[Request], seed: int = 0) -> list[str]:
    """Write requests as the router does."""
    rng = np.random.default_rng(seed + 1)
    return [router_line(request, written(request.path, rng)) for request in requests]


def stamp(seconds: float) -> str:
    """Write a time as the router does."""
    return datetime.fromtimestamp(START + seconds, UTC).isoformat(timespec="microseconds")


def router_line(request: Request, path: str, method: str = "GET") -> str:
    """Write one request as the router does."""
    failed = 'code=H12 desc="Request timeout" ' if request.is_timeout else ""
    return (
        f"{stamp(request.arrival + request.service)} heroku[router]: at={'error' if failed else 'info'} {failed}"
        f'method={method} path="{path}" host=shop.example.com request_id={request.request_id} fwd="203.0.113.7" '
        f"dyno=web.{request.dyno} connect=1ms service={round(request.service * 1000)}ms "
        f"status={503 if failed else 200} bytes={0 if failed else 1234} protocol=https"
    )
