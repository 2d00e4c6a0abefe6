"""Time of a warm prefill for tickets of about 100 words, on the clock and of the processor, and for 5 MB of text.

python benchmarks/prefill.py
"""

from __future__ import annotations

import time
from collections.abc import Iterable

import pandas as pd

from deflect import Deflector, Suggestion, read_tickets
from deflect.line.playbook import Tool

N_WORDS = (80, 120)
N_TIMES = 2_000
TOOLS = (("domain",), ("domain", "app", "code", "path", "status", "duration"))


def milliseconds(deflector: Deflector, parameters: tuple[str, ...], texts: Iterable[str]) -> pd.DataFrame:
    """Return how long each ticket takes: on the clock, and of the processor, which other processes do not slow."""
    suggestion = Suggestion("suggest", "confident", tool=Tool("tool", diagnosis="dns", parameters=parameters))
    times = []
    for text in texts:
        clock, processor = time.perf_counter(), time.thread_time()
        deflector.prefill(suggestion, text)
        times.append((time.perf_counter() - clock, time.thread_time() - processor))
    return 1_000 * pd.DataFrame(times, columns=["clock", "processor"])


def main() -> None:
    """Measure on the starter tickets."""
    texts = read_tickets("data/starter_tickets.csv")["text"]
    texts = texts[texts.str.split().str.len().between(*N_WORDS)]
    deflector = Deflector.load()
    print(f"first, with the import of spaCy: {milliseconds(deflector, TOOLS[0], ['x']).clock[0]:,.0f} ms")
    print(f"{texts.nunique()} tickets of {N_WORDS[0]}-{N_WORDS[1]} words, {N_TIMES:,} times, ms:")
    for parameters in TOOLS:
        times = milliseconds(deflector, parameters, texts.sample(N_TIMES, replace=True, random_state=0))
        for kind, column in times.items():
            shares = ", ".join(f"p{100 * share:.0f} {column.quantile(share):.2f}" for share in (0.5, 0.9, 0.99))
            print(f"  {len(parameters)} parameters  {kind:<9} {shares}")
    print(f"5 MB: {milliseconds(deflector, TOOLS[1], ['word ' * 1_000_000]).clock[0]:.1f} ms")


if __name__ == "__main__":
    main()
