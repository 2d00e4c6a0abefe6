"""What a ticket form's process has to import to answer a ticket."""

from __future__ import annotations

from collections.abc import Callable

HEAVY = {"huggingface_hub", "joblib", "model2vec", "pandas", "pyarrow", "rich", "scipy", "sklearn", "spacy", "typer"}

ANSWER = """
import sys
import deflect
deflector = deflect.Deflector.load()
{answer}
print(*sorted({{name.split(".")[0] for name in sys.modules}}))
"""


def imported_by(run_python: Callable[[str], str], answer: str) -> set[str]:
    """Return the top-level modules of a process that loaded the starter bundle and answered."""
    return set(run_python(ANSWER.format(answer=answer)).split())


def test_one_ticket(run_python: Callable[[str], str]) -> None:
    """Loading the starter bundle and answering one ticket imports NumPy and no other third party that is slow."""
    imported = imported_by(run_python, 'deflector.suggest("my CNAME does not resolve on my custom domain")')
    assert imported & (HEAVY | {"numpy"}) == {"numpy"}


def test_nothing_to_fill_in(run_python: Callable[[str], str]) -> None:
    """Prefilling imports nothing for a suggestion without a tool, or with one that asks for nothing."""
    answer = 'for text in ("thanks", "H12 on every request"): deflector.prefill(deflector.suggest(text), text)'
    assert imported_by(run_python, answer) & (HEAVY | {"numpy"}) == {"numpy"}


def test_any_ticket(run_python: Callable[[str], str]) -> None:
    """Neither an empty ticket nor one with unknown words and a requester imports more."""
    answer = 'deflector.suggest("")\ndeflector.suggest("qwrtz \\x00", requester="a@b.example")'
    imported = imported_by(run_python, answer)
    assert imported & (HEAVY | {"numpy"}) == {"numpy"}


def test_a_few_tickets(run_python: Callable[[str], str]) -> None:
    """Answering a few tickets at once imports no more than answering one."""
    imported = imported_by(run_python, 'deflector.suggest_many(["H12 on every request", "the invoice is wrong"])')
    assert imported & (HEAVY | {"numpy"}) == {"numpy"}
