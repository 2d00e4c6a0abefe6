"""What incidents do to a classifier and to a form: planted incidents, a simulated day, and the time of the banner.

python benchmarks/incidents.py
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pandas as pd

from deflect import Deflector, TicketClassifier, read_tickets
from deflect.incidents.board import StatusBoard
from deflect.incidents.simulation import IncidentDay, simulate_day
from deflect.incidents.snapshot import Incident, Snapshot, Update
from deflect.line.banner import Customer, Outlook
from deflect.line.incident_prior import IncidentPrior
from deflect.loop.incident_windows import IncidentWindow, fit_incident_prior, mark, training_weights

TOUCHED = ("timeout", "dns", "database", "build-failure", "account-access", "timeout", "dns", "database")
N_PLANTED = 40
#: Of the tickets that an incident brings, so many describe its symptom; the others ask whether something is wrong.
SYMPTOM_FRACTION = 0.7
N_DRAWS = 5


def planted(rng: np.random.Generator) -> tuple[pd.DataFrame, list[IncidentWindow], pd.DataFrame]:
    """Return an archive with incidents, the incidents, and ordinary tickets to test on."""
    tickets = read_tickets("data/starter_tickets.csv")[["text", "category", "created_at"]]
    tickets["created_at"] = pd.to_datetime(tickets["created_at"], utc=True)
    order = rng.permutation(len(tickets))
    test, pool, base = (tickets.iloc[part] for part in np.split(order, [len(order) // 4, len(order) // 2]))
    first, last = tickets["created_at"].min(), tickets["created_at"].max()
    frames, windows = [base], []
    for touched in TOUCHED:
        start = first + (last - first) * rng.random()
        window = IncidentWindow(
            start.to_pydatetime(), (start + timedelta(minutes=90)).to_pydatetime(), "major", (touched,)
        )
        n_symptoms = round(N_PLANTED * SYMPTOM_FRACTION)
        symptoms = pool[pool["category"] == touched].sample(n_symptoms, random_state=int(rng.integers(1 << 31)))
        asking = pool[pool["category"] == "incident"].sample(
            N_PLANTED - n_symptoms, random_state=int(rng.integers(1 << 31))
        )
        wave = pd.concat((symptoms, asking)).assign(category="incident")
        wave["created_at"] = [start + timedelta(minutes=float(m)) for m in rng.uniform(0, 90, len(wave))]
        frames.append(wave)
        windows.append(window)
    return pd.concat(frames, ignore_index=True), windows, test


def figures(
    classifier: TicketClassifier, prior: IncidentPrior | None, frame: pd.DataFrame, touched: str
) -> list[float]:
    """Return precision and recall of ``incident`` among some tickets."""
    proba = classifier.predict_proba(frame["text"])
    if prior:
        names = list(classifier.classes_)
        proba = np.array([prior.shifted(row, names, Outlook("major", (touched,))) for row in proba])
    predicted = classifier.classes_[proba.argmax(axis=1)] == "incident"
    true = frame["category"].to_numpy() == "incident"
    right = (predicted & true).sum()
    return [right / max(predicted.sum(), 1), right / max(true.sum(), 1)]


def plant(seed: int) -> dict[str, list[float]]:
    """Return the figures of one draw: on ordinary tickets, and during the last two incidents, which train lacks."""
    archive, windows, test = planted(np.random.default_rng(seed))
    numbers = mark(archive["created_at"], windows)
    is_known = numbers < len(windows) - 2
    train, marks = archive[is_known], numbers[is_known]
    prior = fit_incident_prior(train["category"].tolist(), marks, windows[:-2])
    out = {}
    for name, weights in {
        "as any other": np.ones(len(train)),
        "left out": (marks < 0).astype(float),
        "marked": training_weights(marks, train["category"].tolist()),
    }.items():
        classifier = TicketClassifier().fit(train["text"], train["category"], weights)
        ordinary = figures(classifier, None, test, "")
        # A stretch of an incident: its tickets, and as many ordinary ones as come in the same time.
        during = []
        for shift in (None, IncidentPrior(), prior):
            rows = []
            for number in range(len(windows) - 2, len(windows)):
                wave = archive[numbers == number]
                mixed = pd.concat((wave, test.sample(N_PLANTED // 4, random_state=seed)))
                rows.append(figures(classifier, shift, mixed, windows[number].touched[0]))
            during += np.mean(rows, axis=0).tolist()
        out[name] = ordinary + during
    out["learned log-odds"] = [prior.by_impact["major"], prior.touched]
    return out


def show_planted() -> None:
    """Print the mean over some draws."""
    draws = [plant(seed) for seed in range(N_DRAWS)]
    print(
        "precision and recall of `incident`: on ordinary days | in an incident: no prior, default prior, learned prior"
    )
    for name in draws[0]:
        mean = np.mean([draw[name] for draw in draws], axis=0)
        print(f"  {name:<17}" + "  ".join(f"{value:.3f}" for value in mean))


def show_day() -> None:
    """Print the tickets of simulated days."""
    tickets = read_tickets("data/starter_tickets.csv")
    texts = {name: group["text"].tolist() for name, group in tickets.groupby("category")}
    update = Update(None, "identified", "Two of our name servers answer too slowly. Custom domains may not resolve.")
    day = IncidentDay(Incident("page", "1", "Custom domains do not resolve", "identified", "major", updates=(update,)))
    others = [text for name, own in texts.items() if name not in {"dns", "incident"} for text in own]
    rng, deflector = np.random.default_rng(0), Deflector.load()
    days = [
        simulate_day(deflector, day, affected=texts["dns"] + texts["incident"], others=others, rng=rng)
        for _ in range(50)
    ]
    for name in ("n_visits", "n_affected", "n_without", "n_with", "n_misled", "avoided_fraction"):
        values = [getattr(one, name) for one in days]
        low, high = np.quantile(values, (0.05, 0.95))
        print(f"  {name:<17} mean {np.mean(values):.3g}, 90 % of days {low:.3g}-{high:.3g}")


def show_time() -> None:
    """Print the processor time of the outlook, of the banner, and of a suggestion without and with a status page."""
    at = datetime.now(UTC)
    texts = read_tickets("data/starter_tickets.csv")["text"].tolist()[:2000]
    update = Update(at, "identified", "Two of our name servers answer too slowly. Custom domains may not resolve.")
    incident = Incident(
        "page", "1", "Custom domains do not resolve", "identified", "major", started_at=at, updates=(update,)
    )
    plain, quiet = Deflector.load(), Deflector.load(incidents=StatusBoard(SimpleNamespace(snapshot=Snapshot(at))))
    busy = Deflector.load(incidents=StatusBoard(SimpleNamespace(snapshot=Snapshot(at, incidents=(incident,)))))
    rarity = plain.scorer.rarity
    calls = {
        "outlook": lambda _: busy.incidents.outlook(Customer()),
        "banner": lambda text: busy.incidents.banner(text, category="dns", rarity=rarity),
        "suggest, no board": plain.suggest,
        "suggest, all fine": quiet.suggest,
        "suggest, incident": busy.suggest,
    }
    best = dict.fromkeys(calls, float("inf"))
    for _ in range(5):
        for name, call in calls.items():
            start = time.process_time()
            for text in texts:
                call(text)
            best[name] = min(best[name], (time.process_time() - start) / len(texts) * 1e6)
    for name, value in best.items():
        print(f"  {name:<18} {value:.1f} us")


if __name__ == "__main__":
    show_planted()
    show_day()
    show_time()
