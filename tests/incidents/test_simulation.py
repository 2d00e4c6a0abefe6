"""The simulated day: its counts follow from the model, and the form is asked in the moment of each ticket."""

from __future__ import annotations

import numpy as np
import pytest

from deflect import Deflector
from deflect.incidents.simulation import Customers, DayTickets, IncidentDay, simulate_day
from deflect.incidents.snapshot import Incident

DNS = "Our custom domain does not resolve, which CNAME do I set?"
DAY = IncidentDay(Incident("page", "1", "Custom domains do not resolve", "identified", "major"))


def played(day: IncidentDay = DAY, customers: Customers | None = None, seed: int = 0) -> DayTickets:
    """Play a day in which affected customers write about DNS and others about invoices."""
    others = ["my invoice has the wrong address"]
    rng = np.random.default_rng(seed)
    return simulate_day(Deflector.load(), day, affected=[DNS], others=others, rng=rng, customers=customers)


def test_all_leave() -> None:
    """Where everyone reads and leaves, those who come after the incident is posted write no ticket."""
    everyone = Customers(0, 240, submit_fraction=1, read_fraction=1, leave_fraction=1, return_fraction=0)
    tickets = played(customers=everyone)
    assert tickets.n_without == tickets.n_affected == tickets.n_visits
    # Posted ten minutes into an incident of ninety.
    assert tickets.n_with / tickets.n_without == pytest.approx(1 / 9, abs=0.06)


def test_nobody_reads() -> None:
    """Where nobody reads the banner, it avoids nothing."""
    tickets = played(customers=Customers(read_fraction=0))
    assert (tickets.n_with, tickets.avoided_fraction) == (tickets.n_without, 0)


def test_never_posted() -> None:
    """An incident that is never posted avoids nothing."""
    tickets = played(IncidentDay(DAY.incident, posted=99, resolved=15.5))
    assert tickets.n_with == tickets.n_without


def test_same_seed() -> None:
    """A day is the same for the same seed, and leaves the deflector as it was."""
    assert played(seed=3) == played(seed=3)


def test_others_are_not_misled() -> None:
    """Who writes about something else during a major incident sees a quiet line, and is not led away."""
    assert played(customers=Customers(misled_fraction=1)).n_misled == 0


def test_the_deflector_keeps_its_own_incidents() -> None:
    """After the day the deflector has the incidents that it had before."""
    deflector = Deflector.load()
    simulate_day(deflector, DAY, affected=[DNS], others=[DNS], rng=np.random.default_rng(0))
    assert deflector.incidents is None
