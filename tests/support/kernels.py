"""One model, scored by compiled code and by NumPy."""

from __future__ import annotations

import os
from dataclasses import replace

import numpy as np
import pytest
from scipy.sparse import csr_array

from deflect.line.kernel import compiled
from deflect.line.scorer import Scorer

KERNELS = ("compiled", "numpy")


def with_kernel(scorer: Scorer, kernel: str) -> Scorer:
    """Return the same model with a kernel of its own; skip the test where it was not compiled, but fail in CI."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DEFLECT_KERNEL", kernel.replace("compiled", ""))
        if kernel == "compiled" and compiled() is None:
            (pytest.fail if os.environ.get("CI") else pytest.skip)("there was no C compiler when deflect was installed")
        fresh = replace(scorer)
        fresh.scored(["which decides about the kernel"])
    return fresh


def is_fused() -> bool:
    """Tell whether this machine's SciPy rounds once where a product is added; NumPy rounds the product too."""
    factor = np.float32(1 + 2**-12)
    left, right = np.array([1, factor], dtype=np.float32), np.array([-(factor * factor), factor], dtype=np.float32)
    return bool((csr_array(left[None]) @ right[:, None])[0, 0])
