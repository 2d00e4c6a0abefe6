"""Reads one line of a log, whatever wrote it: the slow and lenient twin of ``fields``."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from deflect.diagnose.timeouts.times import parse_epoch, parse_time

#: How far into a line its header may reach.
_MAX_HEADER = 300
#: How far into an app's message its measured time may stand.
_MAX_TIMING = 4000
_NATIVE = re.compile(  # 2010-10-06T21:51:37-07:00 heroku[router]: ...
    r"(?P<time>[\d-]+[T ][\d:.,]+(?:Z|[+-][\d:]+)?)?\s*"
    r"(?P<source>[\w-]+)\[(?P<process>[^\]\s]+)\]:\s?"
)
_SYSLOG = re.compile(  # 83 <40>1 2012-11-30T06:45:29+00:00 host heroku router - - ...
    r"(?:\d+\s+)?(?:<\d+>1?\s*)?"  # Length, priority and version.
    r"(?P<time>(?:[A-Z][a-z]{2}\s+\d+\s+)?[\dT:.,+Z-]+)\s+"
    r"(?:\S+\s+)?"  # Host.
    r"(?P<source>heroku|app)\s+(?P<process>\S+)\s+-\s+"
    r"(?:-\s+|\[[^\]]*\]\s+)?"  # Structured data, which the platform leaves out.
)
_PAPERTRAIL = re.compile(  # Jun 02 15:33:25 app heroku/router: ..., in its archives behind tabs
    r"(?P<time>[^=]*?)\s(?P<source>heroku|app)/(?P<process>[\w.-]+):?\s+"
)
_HEADERS = (_NATIVE, _SYSLOG, _PAPERTRAIL)
_FIELD = re.compile(
    r"(?<![^\s,{])"  # At the beginning, or behind a space.
    r"([A-Za-z_][\w#.]*)="  # The key.
    r'("(?:[^"\\]|\\.)*"?|\S*)'  # The value, with or without quotes.
)
_OLD_REQUEST = re.compile(
    r"(?:Error (?P<code>[A-Z]\d\d) \((?P<desc>[^)]*)\) -> )?"  # Only where it failed.
    r"(?P<method>[A-Z]+) [^/\s]*(?P<path>/\S*) (?=.*\bservice=)"  # POST host/path
)
#: A router line that has either of these was not cut before it told what matters.
_WHOLE = re.compile(r"\bstatus=|\bservice=\d*(?:ms\b|\s)")
_CODE = re.compile(r"\bError (?P<code>[A-Z]\d\d)\b(?: \((?P<desc>[^)]*)\))?")
_DROPPED = re.compile(r"\b(\d+) messages? dropped")
_RELEASE = re.compile(r"\bRelease (v\d+)\b|\bDeploy ([0-9a-f]{6,40})\b")
_COMPLETED = re.compile(
    r"\[(?P<id>[0-9a-f-]{16,64})\].*"  # Rails' tag with the request's id.
    r"\bCompleted \d{3}\b.*? in (?P<own>[\d.]+)ms"
    r"(?:.*ActiveRecord: (?P<database>[\d.]+)ms)?"
)
_NUMBER = re.compile(r"(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)\s*(ms|s)?")
#: The fields that stand behind those that a visitor can write, such as the path: there the last one counts.
_TRUSTED_LAST = frozenset({"dyno", "connect", "service", "status", "bytes", "protocol"})
#: What log services call the time of a line, the line, and the part that wrote it.
_JSON_TIMES = (
    "timestamp",
    "@timestamp",
    "time",
    "_time",
    "ts",
    "dt",
    "date",
    "datetime",
    "generated_at",
    "received_at",
)
_JSON_TEXTS = ("message", "msg", "log", "line", "text", "_raw", "raw", "event", "content", "body")
_JSON_PROCESSES = ("proc_id", "procid", "process", "program", "proc", "ps", "source", "service_name", "logger")
_PRINTED_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?"  # To the microsecond.
    r"(?:Z|[+-]\d\d:\d\d)"  # The zone.
)
#: What an app calls its processes: what they write about the platform is hearsay.
_APP_PROCESS = re.compile(r"(?!.*\brouter\b)(?:web|worker|run|app|rake|sidekiq|release|scheduler)\b")
_MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class RequestLine:
    """What the router says about one request; numbers it does not give are not a number or 0."""

    time: float
    method: str = ""
    path: str = ""
    dyno: str = ""
    code: str = ""
    request_id: str = ""
    service_ms: float = math.nan
    status: int = 0


@dataclass(frozen=True, slots=True)
class CodeLine:
    """What the platform says went wrong with a dyno or with the log itself."""

    time: float
    code: str
    description: str = ""
    dyno: str = ""
    n_dropped: int = 0


@dataclass(frozen=True, slots=True)
class ReleaseLine:
    """A release or deploy."""

    time: float
    name: str


@dataclass(frozen=True, slots=True)
class TimingLine:
    """What the app measured about one request: how long it worked on it, and how long that had waited before."""

    request_id: str
    own_ms: float
    wait_ms: float = math.nan
    database_ms: float = math.nan


@dataclass(frozen=True, slots=True)
class PieceLine:
    """A piece of a router line that was split because it was too long; ``is_first`` where it has the beginning."""

    time: float
    text: str
    is_first: bool


Line: TypeAlias = RequestLine | CodeLine | ReleaseLine | TimingLine | PieceLine


def parse_line(raw: bytes, now: datetime) -> Line | None:
    """Return what a line says; None where that has nothing to do with time-outs."""
    text = raw.decode("utf-8", "replace").lstrip("\ufeff \t").rstrip("\r\n")
    return _parse_json(text, now) if text.startswith(("{", "[{")) else _parse_text(text, now, math.nan)


def _parse_text(text: str, now: datetime, time: float) -> Line | None:
    """Read a line whose time is that given, unless it has one itself."""
    for header in _HEADERS:
        found = header.match(text, 0, _MAX_HEADER)
        if found:
            own = parse_time(found["time"] or "", now)
            return parse_message(
                found["source"], found["process"], text[found.end() :], time if math.isnan(own) else own
            )
    if text.startswith("at=") and "service=" in text:
        return _request(text, time)
    return PieceLine(time, text, is_first=False) if "service=" in text or "status=" in text else None


def parse_message(source: str, process: str, text: str, time: float) -> Line | None:
    """Return what a message says that a part of the platform, or the app, wrote."""
    if source == "heroku" and process == "router":
        return _parse_router(text, time)
    release = _RELEASE.search(text) if process == "api" else None
    if release:
        return ReleaseLine(time, release[1] or release[2][:8])
    code = _CODE.search(text) if source == "heroku" else None
    if code:
        dropped = _DROPPED.search(text)
        n_dropped = int(dropped[1][:12]) if dropped else 0
        return CodeLine(time, code["code"], code["desc"] or "", process, n_dropped)
    return _parse_timing(text[:_MAX_TIMING])


def _parse_router(text: str, time: float) -> Line | None:
    old = _OLD_REQUEST.match(text)
    if old:
        fields = {**_fields(text), **{name: value or "" for name, value in old.groupdict().items()}}
        return _request_of(fields, time)
    code = _CODE.match(text)
    if code:
        return CodeLine(time, code["code"], code["desc"] or "", "router")
    if not text.startswith("at="):
        return PieceLine(time, text, is_first=False)
    return _request(text, time) if _WHOLE.search(text) else PieceLine(time, text, is_first=True)


def _request(text: str, time: float) -> RequestLine:
    return _request_of(_fields(text), time)


def join_pieces(first: PieceLine, second: PieceLine) -> RequestLine | None:
    """Return the request of a line that was split in two; None where they do not belong together."""
    for glue in ("", '" '):  # The second: what closes a path whose end got lost.
        request = _request(first.text + glue + second.text, first.time)
        if request.status or not math.isnan(request.service_ms):
            return request
    return None


def read_piece(first: PieceLine) -> RequestLine:
    """Return the request of a split line whose other piece never came."""
    return _request(first.text, first.time)


def _fields(text: str) -> dict[str, str]:
    fields: dict[str, str] = {}
    for found in _FIELD.finditer(text):
        key = found[1].lower()
        if key not in fields or key in _TRUSTED_LAST:
            fields[key] = found[2].strip('"')
    return fields


def _request_of(fields: Mapping[str, object], time: float) -> RequestLine:
    """Make a request of fields, whatever types a log service gave them."""
    status = _number(fields.get("status"))
    return RequestLine(
        time=time,
        method=_text(fields.get("method")).upper()[:8],
        path=_text(fields.get("path")),
        dyno=_text(fields.get("dyno"))[:64],
        code=_text(fields.get("code")).upper()[:8],
        request_id=_text(fields.get("request_id")),
        service_ms=_number(fields.get("service")),
        status=int(status) if 0 <= status < 1000 else 0,
    )


def _parse_timing(text: str) -> TimingLine | None:
    completed = _COMPLETED.search(text) if "Completed " in text else None
    if completed:
        return TimingLine(completed["id"], float(completed["own"]), math.nan, float(completed["database"] or "nan"))
    if text.startswith("{"):
        return _timing_of(_json(text))
    return _timing_of(_fields(text)) if "=" in text else None


def _timing_of(fields: Mapping[str, object]) -> TimingLine | None:
    """Make a measured time of the fields that rack-timeout or lograge write."""
    is_rack_timeout = fields.get("source") == "rack-timeout"
    request_id = _text(fields.get("id" if is_rack_timeout else "request_id"))
    own_ms = _number(fields.get("service" if is_rack_timeout else "duration"))
    wait_ms = _number(fields.get("wait")) if is_rack_timeout else math.nan
    is_over = not is_rack_timeout or fields.get("state") in {"completed", "timed_out", "expired"}
    if not request_id or not is_over or (math.isnan(own_ms) and math.isnan(wait_ms)):
        return None
    return TimingLine(request_id, own_ms, wait_ms, _number(fields.get("db")))


def as_printed(raw: bytes) -> bytes:
    """Return a line in JSON as ``heroku logs`` prints it; nothing if it is not the router's or the app's usual one.

    Many printed lines are read at once, in a fraction of the time that one by one takes.
    """
    fields = _json(raw.decode("utf-8", "replace")) if raw.startswith(b"{") else {}
    message = _message(fields)
    time = _printed_time(fields) if message and message.isprintable() and "path" not in fields else ""
    if time and _APP_PROCESS.match(_process(fields)):
        return f"{time} app[web]: {message}\n".encode()
    if time and message.startswith("at=") and " status=" in message and "service=" in message:
        return f"{time} heroku[router]: {message}\n".encode()
    return b""


def _printed_time(fields: Mapping[str, object]) -> str:
    """Return the time as ``heroku logs`` prints it; nothing where there is none or it is written in another way."""
    value = next((value for name in _JSON_TIMES if isinstance(value := fields.get(name), int | float | str)), None)
    if isinstance(value, str):
        return value if _PRINTED_TIME.fullmatch(value) else ""
    at = parse_epoch(_number(value))
    return "" if math.isnan(at) else datetime.fromtimestamp(at, UTC).isoformat()


def _parse_json(text: str, now: datetime) -> Line | None:
    fields = _json(text)
    time = _json_time(fields, now)
    if "path" in fields and ("service" in fields or "dyno" in fields or str(fields.get("code", "")).startswith("H")):
        return _request_of(fields, time)
    message, name = _message(fields), _process(fields)
    if not message:
        return _timing_of(fields)
    if _APP_PROCESS.match(name):
        return parse_message("app", name, message, time)
    line = _parse_text(message, now, time)
    return line if line and not isinstance(line, PieceLine) else parse_message("heroku", name, message, time)


def _message(fields: Mapping[str, object]) -> str:
    return next((value for name in _JSON_TEXTS if isinstance(value := fields.get(name), str)), "")


def _process(fields: Mapping[str, object]) -> str:
    process = next((str(fields[name]) for name in _JSON_PROCESSES if fields.get(name)), "")
    return process.rpartition("/")[2]


def _json(text: str) -> dict[str, object]:
    """Return the fields of a JSON object and of those inside it; nothing where it is none."""
    try:
        value = json.loads(text.strip("[], "))
    except (ValueError, RecursionError):
        return {}
    return _flat(value, _MAX_DEPTH)


def _flat(value: object, depth: int) -> dict[str, object]:
    fields: dict[str, object] = {}
    if isinstance(value, dict) and depth:
        for name, inner in value.items():
            if isinstance(inner, dict | list):
                fields.update(_flat(inner, depth - 1))
            else:
                fields[name.rpartition(".")[2]] = inner
    return fields


def _json_time(fields: Mapping[str, object], now: datetime) -> float:
    for name in _JSON_TIMES:
        value = fields.get(name)
        if isinstance(value, str):
            time = parse_time(value, now)
            if not math.isnan(time):
                return time
        if isinstance(value, int | float | str):
            return parse_epoch(_number(value))
    return math.nan


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, dict | list) else str(value)


def _number(value: object) -> float:
    """Return a number of milliseconds, or any other; not a number where there is none."""
    if isinstance(value, bool) or value is None:
        return math.nan
    found = _NUMBER.match(str(value)[:32])
    return float(found[1]) * (1000 if found[2] == "s" else 1) if found else math.nan
