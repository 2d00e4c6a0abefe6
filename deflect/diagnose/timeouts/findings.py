"""Says in words what the figures show: pure decisions on a diagnosis' figures."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping

from deflect.diagnose.finding import Finding
from deflect.diagnose.timeouts.advice import STREAMING, advise
from deflect.diagnose.timeouts.codes import TIMEOUT, URL, explain
from deflect.diagnose.timeouts.report import CodeCount, Dyno, Route, TimeoutsDiagnosis

#: One page of the platform's own on time-outs.
TIMEOUT_URL = "https://devcenter.heroku.com/articles/request-timeout"
#: What can be found out about requests, in the order of looking.
CHECKS = ("timeouts.culprit", "timeouts.victims", "timeouts.unexplained", "timeouts.one_dyno", "timeouts.streaming")
_N_NAMED = 5
#: All time-outs but a few on one dyno that had no more than this part of the requests: it is the dyno.
_MIN_ON_ONE_DYNO = 0.9
_MAX_TRAFFIC_OF_ONE_DYNO = 0.7
_MIN_TIMEOUTS_OF_ONE_DYNO = 10
#: A dyno that hangs has fewer late answers than this part of its time-outs.
_MAX_LATE = 0.05


def findings_of(figures: TimeoutsDiagnosis, descriptions: Mapping[str, str]) -> tuple[Finding, ...]:
    """Return what is wrong; ``descriptions`` is what the log itself says about codes."""
    return (
        *_culprits(figures),
        *_victims(figures),
        *_unexplained(figures),
        *_streams(figures),
        *(_code(count, descriptions.get(count.code, "")) for count in figures.codes if count.code != TIMEOUT),
    )


def _culprits(figures: TimeoutsDiagnosis) -> Iterator[Finding]:
    by_path: dict[str, list[Route]] = defaultdict(list)
    for route in figures.culprits:
        by_path[route.path].append(route)
    for path, routes in by_path.items():
        worst = routes[0]
        share = sum(route.share_fraction for route in routes)
        methods = ", ".join(route.method for route in routes)
        yield Finding(
            "timeouts.culprit",
            "error" if figures.n_timeouts else "warning",
            f"{methods} {path} is slow by itself: it holds {share:.0%} of the dynos' time.",
            "\n".join(_evidence(route, figures) for route in routes),
            advise(path, -1 if worst.database_fraction is None else worst.database_fraction).fix,
            TIMEOUT_URL,
        )


def _evidence(route: Route, figures: TimeoutsDiagnosis) -> str:
    told = "the app measured it" if route.n_measured >= route.n_judged / 2 else "without the wait for a thread"
    text = (
        f"{route.n_slow} of {route.n_judged} requests took 5 s or more by themselves ({told}): "
        f"p50 {_time(route.own_p50_ms)}, p95 {_time(route.own_p95_ms)}; {route.n_timeouts} {TIMEOUT}s of "
        f"{figures.n_timeouts}"
    )
    if route.database_fraction is not None:
        text += f"; {route.database_fraction:.0%} of the time in the database"
    if route.first_slow_at:
        text += f"; first slow at {route.first_slow_at}"
    return text + (f", after release {route.since}" if route.since else "")


def _victims(figures: TimeoutsDiagnosis) -> Iterator[Finding]:
    waited = [route for route in figures.routes if route.verdict != "culprit" and route.n_timeouts_behind]
    n_waited = sum(route.n_timeouts_behind for route in waited)
    if not waited or not figures.culprits:
        return
    victims = sorted(waited, key=lambda route: -route.n_timeouts_behind)
    named = ", ".join(f"{route.name} ({route.n_timeouts_behind})" for route in victims[:_N_NAMED])
    more = f" and {len(victims) - _N_NAMED} more" if len(victims) > _N_NAMED else ""
    proved = sum(route.n_proved_victims for route in waited)
    evidence = f"{named}{more}"
    if proved:
        evidence += f"\nthe app measured that {proved} of them waited first and then took less than 5 s"
    yield Finding(
        "timeouts.victims",
        "notice",
        f"{n_waited} of {figures.n_timeouts} {TIMEOUT}s hit {len(victims)} paths that only waited behind slow ones.",
        evidence,
        "Leave these paths as they are: their time-outs end when the slow paths are mended. More dynos seldom help.",
        TIMEOUT_URL,
    )


def _unexplained(figures: TimeoutsDiagnosis) -> Iterator[Finding]:
    if not figures.n_timeouts or figures.culprits:
        return
    stuck = next((dyno for dyno in figures.dynos if _hangs(dyno, figures)), None)
    if stuck:
        yield Finding(
            "timeouts.one_dyno",
            "error",
            f"Dyno {stuck.name} has {stuck.n_timeouts} of {figures.n_timeouts} {TIMEOUT}s: it hangs, not the app.",
            f"it got {stuck.n_requests / figures.n_requests:.0%} of the requests, and hardly any was answered late: "
            "either at once or never; no path is slow by itself",
            f"heroku ps:restart {stuck.name}",
            TIMEOUT_URL,
        )
        return
    worst = sorted((route for route in figures.routes if route.n_timeouts), key=lambda route: -route.n_timeouts)
    named = ", ".join(f"{route.name} ({route.n_timeouts})" for route in worst[:_N_NAMED])
    behind = sum(route.n_timeouts_behind for route in worst)
    yield Finding(
        "timeouts.unexplained",
        "error",
        f"{figures.n_timeouts} {TIMEOUT}s on {len(worst)} paths, and nothing proves which path is to blame.",
        f"{named}\n{behind} of them came while other requests were slow on the same dyno, "
        f"with {figures.n_beside_timeouts:.1f} requests beside them ({figures.n_beside:.1f} usually)",
        "Look at what all requests share: database, memory (R14), a lock, too few threads. To find a slow path, let "
        "the app say how long each request waited and worked, and run this again on a longer log:\n"
        "  bundle add rack-timeout lograge      # Rails",
        TIMEOUT_URL,
    )


def _hangs(dyno: Dyno, figures: TimeoutsDiagnosis) -> bool:
    """Say whether it is this dyno: nearly all time-outs are its, and it answers at once or never, as no queue does."""
    is_most = dyno.n_timeouts >= max(_MIN_ON_ONE_DYNO * figures.n_timeouts, _MIN_TIMEOUTS_OF_ONE_DYNO)
    is_one_of_several = dyno.n_requests <= _MAX_TRAFFIC_OF_ONE_DYNO * figures.n_requests
    is_dead = dyno.n_slow_answers <= _MAX_LATE * dyno.n_timeouts
    return bool(dyno.name) and is_most and is_one_of_several and is_dead


def _streams(figures: TimeoutsDiagnosis) -> Iterator[Finding]:
    for route in figures.routes:
        if route.verdict == "stream":
            yield Finding(
                "timeouts.streaming",
                "notice",
                f"{route.name} keeps its connections open for longer than 30 s.",
                f"{route.n_requests} requests, p50 {_time(route.p50_ms)}, without an error: the answer began in time",
                STREAMING,
                TIMEOUT_URL,
            )


def _code(count: CodeCount, description: str) -> Finding:
    known = explain(count.code, description)
    when = f", {count.first_at} to {count.last_at}" if count.first_at else ""
    return Finding(
        f"code.{count.code}",
        known.severity,
        f"{count.code} ({known.title}): {known.meaning}.",
        f"{count.n} times{when}",
        known.fix,
        URL,
    )


def _time(milliseconds: float | None) -> str:
    if milliseconds is None:
        return "?"
    return f"{milliseconds / 1000:.1f} s" if milliseconds >= 1000 else f"{milliseconds:.0f} ms"
