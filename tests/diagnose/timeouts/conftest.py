"""What the tests of time-outs share: a simulated queue, and a diagnosis of lines."""

from __future__ import annotations

import importlib.util
import io
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType

import pytest

from deflect.diagnose import TimeoutsDiagnosis, diagnose_timeouts

Diagnose = Callable[[Iterable[str]], TimeoutsDiagnosis]


@pytest.fixture(scope="session")
def simulation() -> ModuleType:
    """Return the module beside this one: pytest imports tests by path, so they cannot import each other."""
    spec = importlib.util.spec_from_file_location("timeouts_simulation", Path(__file__).with_name("simulation.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def diagnose() -> Diagnose:
    """Return a function that diagnoses lines."""

    def run(lines: Iterable[str]) -> TimeoutsDiagnosis:
        return diagnose_timeouts(io.BytesIO(("\n".join(lines) + "\n").encode()))

    return run


@pytest.fixture(scope="session")
def line() -> Callable[..., str]:
    """Return a function that writes a router line; ``at`` is in seconds."""

    def write(at: float, path: str, service: int, *, dyno: str = "web.1", code: str = "", more: str = "") -> str:
        failed = f'code={code} desc="Request timeout" ' if code else ""
        return (
            f"2026-11-23T{int(at) // 3600:02}:{int(at) // 60 % 60:02}:{at % 60:09.6f}+00:00 heroku[router]: "
            f"at={'error' if code else 'info'} {failed}method=GET "
            f'path="{path}" host=a.example request_id=id-{at}-{service} fwd="192.0.2.1" dyno={dyno} connect=1ms '
            f"service={service}ms status={503 if code else 200} bytes=9 protocol=https{more}"
        )

    return write
