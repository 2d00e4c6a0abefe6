"""Collects the sentences that vectors are fitted on: of training parts and the starter tickets, of no test row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

_MOST_WORDS = 24
_LEAST_WORDS = 3
_MOST_CHARACTERS = 400
_BREAKS = re.compile(
    r"(?<=[.!?])\s+"  # The end of a sentence.
    r"|\n+"  # The end of a line.
    r"|\s{2,}"  # What is left of line breaks in some sources.
)

Cut = Callable[[str], list[str]]


def whole(text: str) -> list[str]:
    """Return a text as it is: those of one sentence."""
    return [text]


def title(text: str) -> list[str]:
    """Return the first line of a text."""
    return [text.split("\n", 1)[0][:_MOST_CHARACTERS]]


def sentences(text: str) -> list[str]:
    """Return the sentences of a text, long ones in parts; without those of a word or two."""
    words = [sentence.split() for sentence in _BREAKS.split(text)]
    parts = [own[i : i + _MOST_WORDS] for own in words for i in range(0, len(own), _MOST_WORDS)]
    return [" ".join(part)[:_MOST_CHARACTERS] for part in parts if len(part) >= _LEAST_WORDS]


@dataclass(frozen=True)
class Source:
    """A data set: its file, how its texts are cut, and how many of the parts are taken at most."""

    file: str
    cut: Cut
    most: int = 20_000


SOURCES = (
    Source("banking77/banking77.csv.gz", whole),
    Source("clinc150/clinc150_full.csv.gz", whole),
    Source("trec/trec.csv.gz", whole),
    Source("ask_ubuntu/ask_ubuntu.csv.gz", whole),
    Source("web_applications/web_applications.csv.gz", whole),
    Source("chatbot/chatbot.csv.gz", whole),
    Source("bitext_customer_support/bitext_customer_support.csv.gz", whole, 3_000),
    Source("firefox_support/firefox_support.csv.gz", title, 30_000),
    Source("support_tickets/support_tickets.csv.gz", sentences, 5_000),
    Source("corefx_issues/corefx_issues.csv.gz", sentences, 8_000),
)
#: Of the starter tickets, which are of this project, subjects and sentences.
_MOST_STARTER = 15_000


def training_texts(datasets: Path, file: str) -> list[str]:
    """Return the texts of the training part of a data set."""
    frame = pd.read_csv(datasets / file, usecols=["text", "split"])
    return frame.loc[(frame["split"] == "train") & frame["text"].notna(), "text"].tolist()


def starter_texts(tickets: Path) -> list[str]:
    """Return subject and body of each starter ticket, a line break between."""
    frame = pd.read_csv(tickets, usecols=["subject", "body"]).fillna("")
    return (frame["subject"] + "\n" + frame["body"]).tolist()


def corpus(datasets: Path, starter: Path, random: np.random.Generator) -> Iterator[str]:
    """Return the sentences of all sources, each once in its source; where there are too many, a random part of them."""
    for source in SOURCES:
        yield from _some(training_texts(datasets, source.file), source.cut, source.most, random)
    yield from _some(starter_texts(starter), sentences, _MOST_STARTER, random)


def _some(texts: list[str], cut: Cut, most: int, random: np.random.Generator) -> list[str]:
    parts = list(dict.fromkeys(part for text in texts for part in cut(text)))
    if len(parts) <= most:
        return parts
    return [parts[i] for i in np.sort(random.choice(len(parts), most, replace=False))]
