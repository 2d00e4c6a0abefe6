"""The first answer: a new process that imports, loads the model and answers one ticket."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from statistics import median

from benchmarks.side_by_side.contenders import contender
from benchmarks.side_by_side.process import seconds_of

UNIT = "import numpy"
STARTER = "deflect, starter bundle"
_N_TIMES = 7
_TICKET = "Our custom domain still points to the old host, which CNAME do I set?"
_STARTER = "import sys, deflect; deflect.Deflector.load().suggest(sys.argv[1])"


def first_answers(models: Mapping[str, Path]) -> dict[str, float]:
    """Return the median seconds of each contender, and of `import numpy`, taking turns so that noise hits all alike."""
    programs = {UNIT: (UNIT,), STARTER: (_STARTER, _TICKET)}
    programs |= {name: (contender(name).first_answer, str(model), _TICKET) for name, model in models.items()}
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for turn in range(-1, _N_TIMES):  # The first turn fills the disk cache and does not count.
        for name, program in programs.items():
            spent = seconds_of(*program)
            if turn >= 0:
                seconds[name].append(spent)
    return {name: median(spent) for name, spent in seconds.items()}
