"""The face of the package: which names it shows, and that importing it does nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import deflect

# Written out here on purpose: a new public name is a decision that someone sees in a diff.
PUBLIC = [
    "DeflectError",
    "Deflector",
    "IncidentFeed",
    "Playbook",
    "Report",
    "Split",
    "Suggestion",
    "Summary",
    "Thresholds",
    "TicketClassifier",
    "distil",
    "evaluate",
    "fit_thresholds",
    "load_encoder",
    "load_playbook",
    "read_tickets",
    "score_batches",
    "score_file",
    "split_tickets",
]

LOOK_AROUND = """
import logging, sys, warnings
def look():
    loggers = {name: (logger.level, len(logger.handlers)) for name, logger in logging.root.manager.loggerDict.items()
               if isinstance(logger, logging.Logger) and name.split(".")[0] in {"deflect", "ticket_deflect"}}
    configured = {name: state for name, state in loggers.items() if state != (logging.NOTSET, 0)}
    return logging.root.level, len(logging.root.handlers), configured, list(warnings.filters)
"""

IMPORT_EVERYTHING = """
import importlib, pkgutil
import deflect
for module in pkgutil.walk_packages(deflect.__path__, "deflect."):
    importlib.import_module(module.name)
"""


def test_names() -> None:
    """The package exports these names and no others."""
    assert sorted(deflect.__all__) == sorted(PUBLIC)


def test_order() -> None:
    """The exported names are sorted."""
    assert list(deflect.__all__) == sorted(deflect.__all__)


@pytest.mark.parametrize("name", PUBLIC)
def test_name_resolves(name: str) -> None:
    """Each exported name is an attribute, and carries that name itself."""
    assert getattr(deflect, name).__name__ == name


def test_dir() -> None:
    """Completion in a shell offers every exported name."""
    assert set(deflect.__all__) <= set(dir(deflect))


def test_unknown_name() -> None:
    """A name that does not exist is an AttributeError, as in any other module."""
    with pytest.raises(AttributeError, match="no_such_name"):
        deflect.no_such_name  # noqa: B018  # Looking it up is the test.


def test_import_changes_nothing(run_python: Callable[[str], str], tmp_path: Path) -> None:
    """Importing the package writes no file and leaves logging and warnings as they were."""
    run_python(f"{LOOK_AROUND}\nbefore = look()\nimport deflect\nassert look() == before, (before, look())")
    assert list(tmp_path.iterdir()) == []


def test_import_is_light(run_python: Callable[[str], str]) -> None:
    """Importing the package imports no third party."""
    loaded = run_python(
        "import sys\nbefore = set(sys.modules)\nimport deflect\n"
        "new = {name.split('.')[0] for name in set(sys.modules) - before}\n"
        "print(*sorted(new - set(sys.stdlib_module_names)))"
    )
    assert loaded.split() == ["deflect"]


def test_modules_configure_no_logging(run_python: Callable[[str], str], tmp_path: Path) -> None:
    """Importing every module of the package writes no file and configures no logger."""
    run_python(f"{LOOK_AROUND}\nbefore = look()[:3]\n{IMPORT_EVERYTHING}\nassert look()[:3] == before, look()[:3]")
    assert list(tmp_path.iterdir()) == []
