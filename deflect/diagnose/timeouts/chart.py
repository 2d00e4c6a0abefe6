"""The time line as columns of equal width, ready to be drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from deflect.diagnose.timeouts.heads import Floats
from deflect.diagnose.timeouts.report import TimeoutsDiagnosis

#: At the ends, this part of the requests may be left out: a line with a wrong year must not press the rest together.
_LEFT_OUT = 0.002


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns of a time line: rates by the second; ``culprits`` has a row for each: how many threads it keeps busy."""

    begins: datetime
    column_seconds: float
    requests: Floats
    other_errors: Floats
    timeouts: Floats
    culprits: npt.NDArray[np.float64]

    @property
    def times(self) -> list[datetime]:
        """Return when each column begins."""
        first = self.begins.timestamp()
        return [datetime.fromtimestamp(first + i * self.column_seconds, UTC) for i in range(len(self.requests))]


def chart_of(diagnosis: TimeoutsDiagnosis, max_columns: int) -> Chart | None:
    """Return the time line in so many columns at most; None where the log has no times."""
    if not diagnosis.timeline:
        return None
    counts = np.array(
        [(s.n_requests, s.n_errors - s.n_timeouts, s.n_timeouts, *s.culprit_seconds) for s in diagnosis.timeline]
    )
    times = np.array([datetime.fromisoformat(slot.begins_at).timestamp() for slot in diagnosis.timeline])
    share = np.cumsum(counts[:, 0]) / counts[:, 0].sum()
    kept = (share > _LEFT_OUT) & (share - counts[:, 0] / counts[:, 0].sum() < 1 - _LEFT_OUT)
    times, counts = times[kept], counts[kept]
    n_slots = round((times[-1] - times[0]) / diagnosis.slot_seconds) + 1
    column_seconds = diagnosis.slot_seconds * -(-n_slots // max_columns)
    place = ((times - times[0]) // column_seconds).astype(np.int64)
    columns = np.zeros((int(place[-1]) + 1, counts.shape[1]))
    np.add.at(columns, place, counts)
    rates = np.maximum(columns / column_seconds, 0).T
    begins = datetime.fromtimestamp(times[0], UTC)
    return Chart(begins, column_seconds, rates[0], rates[1], rates[2], rates[3:])
