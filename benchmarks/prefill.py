"""Time of a warm prefill for tickets of about 100 words: p50, p99, and for 5 MB of text.

python benchmarks/prefill.py
"""

from __future__ import annotations

import time

import pandas as pd

from deflect import Deflector, Suggestion, read_tickets
from deflect.line.playbook import Tool

N_WORDS = (80, 120)
N_TIMES = 2_000
TOOL = Tool("everything", diagnosis="dns", parameters=("domain", "app", "code", "path", "status", "duration"))


def milliseconds(deflector: Deflector, text: str) -> float:
    """Return how long one ticket takes."""
    suggestion = Suggestion("suggest", "confident", tool=TOOL)
    start = time.perf_counter()
    deflector.prefill(suggestion, text)
    return 1_000 * (time.perf_counter() - start)


def main() -> None:
    """Measure on the starter tickets, all of them different."""
    texts = read_tickets("data/starter_tickets.csv")["text"]
    texts = texts[texts.str.split().str.len().between(*N_WORDS)]
    deflector = Deflector.load()
    print(f"first, with the import of spaCy: {milliseconds(deflector, 'x'):,.0f} ms")
    times = pd.Series([milliseconds(deflector, text) for text in texts.sample(N_TIMES, replace=True, random_state=0)])
    print(f"{texts.nunique()} tickets of {N_WORDS[0]}-{N_WORDS[1]} words, {N_TIMES} times:", end=" ")
    print(*(f"p{100 * share:.0f} {times.quantile(share):.2f} ms" for share in (0.5, 0.9, 0.99)), sep=", ")
    print(f"5 MB: {milliseconds(deflector, 'word ' * 1_000_000):.1f} ms")


if __name__ == "__main__":
    main()
