"""Scores with compiled code where there was a C compiler at install time: what NumPy does in the scorer, in one walk.

``kernel.c`` says how, ``hatch_build.py`` compiles it. Where there is no library, or the environment variable
``DEFLECT_KERNEL`` is ``numpy``, the scorer answers the same with NumPy, only slower.
"""

from __future__ import annotations

import ctypes
import os
import warnings
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from deflect.line.hashing import SlotTable
from deflect.line.text import BYTES

if TYPE_CHECKING:
    from deflect.line.scorer import Float32s, Scorer

#: What ``hatch_build.py`` makes of ``kernel.c``: a shared library, but Python takes whatever ends in .so for a module.
LIBRARY = Path(__file__).with_name("kernel.compiled")
#: The number that ``kernel.c`` has, too.
_VERSION = 4
_SETTING = "DEFLECT_KERNEL"


class _SlotTable(ctypes.Structure):
    """The struct slot_table of kernel.c."""

    _fields_ = (
        ("slots", ctypes.c_void_p),
        ("seeds", ctypes.c_void_p),
        ("slot_shift", ctypes.c_uint64),
        ("seed_shift", ctypes.c_uint64),
        ("absent", ctypes.c_uint64),
    )


class _Model(ctypes.Structure):
    """The struct model of kernel.c."""

    _fields_ = (
        ("words", _SlotTable),
        ("grams", _SlotTable),
        ("table", ctypes.c_void_p),
        ("squares", ctypes.c_void_p),
        ("gram_table", ctypes.c_void_p),
        ("intercept", ctypes.c_void_p),
        ("bytes", ctypes.c_void_p),
        ("halves", ctypes.c_void_p),
        ("damped", ctypes.c_void_p),
        ("n_damped", ctypes.c_uint64),
        ("n_categories", ctypes.c_uint64),
    )


def compiled() -> ctypes.CDLL | None:
    """Return the compiled code, None where it is not there or not wanted."""
    return None if os.environ.get(_SETTING) == "numpy" else load_library(LIBRARY)


@cache
def load_library(path: Path) -> ctypes.CDLL | None:
    """Return the compiled code in a file, None where there is no such file; what does not fit is warned of."""
    if not path.is_file():
        return None
    try:
        library = ctypes.CDLL(str(path))
        version = library.deflect_kernel_version()
    except (OSError, AttributeError) as error:
        version = error
    if version != _VERSION:
        msg = f"{path} must have version {_VERSION}. Got {version}. Install ticket-deflect again; NumPy does its work."
        warnings.warn(msg, RuntimeWarning, stacklevel=2)
        return None
    pointer, size = ctypes.c_void_p, ctypes.c_size_t
    library.deflect_kernel_score.argtypes = (pointer, ctypes.c_char_p, size, size, pointer, pointer)
    return library


@cache
def _halves() -> Float32s:
    """Return what each number of half precision is, since C has none."""
    return np.arange(1 << 16, dtype=np.uint16).view(np.float16).astype(np.float32)


class Kernel:
    """A model's arrays, as the compiled code reads them. Threads may score at once, each without Python's lock."""

    def __init__(self, library: ctypes.CDLL, scorer: Scorer, damped: Float32s) -> None:
        self._score = library.deflect_kernel_score
        # The compiled code has addresses only: these keep what stands there.
        self._arrays: list[npt.NDArray[Any]] = []
        model = _Model(
            words=self._slot_table(scorer.slots, scorer.nowhere),
            grams=self._slot_table(scorer.gram_slots, len(scorer.gram_table) - 1),
            table=self._address(scorer.table, np.float32),
            # A sign costs nothing to look up.
            squares=self._address(np.where(scorer.rarities >= 1, -scorer.squares, scorer.squares), np.float32),
            gram_table=self._address(scorer.gram_table, np.float16),
            intercept=self._address(scorer.intercept, np.float32),
            bytes=self._address(np.frombuffer(BYTES, dtype=np.uint8), np.uint8),
            halves=self._address(_halves(), np.float32),
            damped=self._address(damped, np.float32),
            n_damped=len(damped),
            n_categories=len(scorer.categories),
        )
        self._model = ctypes.byref(model)

    def score(self, raw: bytes, margins: Float32s, novelty: Float32s) -> None:
        """Write the margins and the novelty of tickets that ``text.joined`` has joined into arrays without gaps."""
        if self._score(self._model, raw, len(raw), len(novelty), margins.ctypes.data, novelty.ctypes.data):
            msg = f"Scoring {len(novelty)} joined tickets of {len(raw)} bytes needs more memory than there is."
            raise MemoryError(msg)

    def _slot_table(self, table: SlotTable, absent: int) -> _SlotTable:
        return _SlotTable(
            slots=self._address(table.slots, np.uint64),
            seeds=self._address(table.seeds, np.uint8),
            slot_shift=int(table.slot_shift),
            seed_shift=int(table.seed_shift),
            absent=absent,
        )

    def _address(self, array: npt.NDArray[Any], dtype: type) -> int:
        """Return where an array stands in memory, in one piece and of this type."""
        self._arrays.append(np.require(array, dtype, ("C_CONTIGUOUS", "ALIGNED")))
        return self._arrays[-1].ctypes.data
