"""Makes tickets up, any number of them: words by Zipf's law, and in each ticket some words of its category."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, product

import numpy as np
import numpy.typing as npt

Labelled = tuple[list[str], list[str]]

_N_WORDS = 500_000
#: Zipf-Mandelbrot, with about twice as many different words and pairs as real tickets: the harder case.
_EXPONENT, _OFFSET = 1.25, 3.0
#: Words that tell a category are neither the most frequent nor the rarest.
_TELLING_RANKS = (300, 60_000)
_N_TELLING = 200
_TELLING_FRACTION = 0.12
#: Labels that are wrong, as in every real archive.
_WRONG_FRACTION = 0.03
_BLOCK = 10_000


@dataclass(frozen=True)
class Archive:
    """An archive of made-up tickets: the same for the same four numbers, block by block."""

    n_tickets: int
    n_categories: int = 12
    n_words: int = 26
    seed: int = 0

    def blocks(self) -> Iterator[Labelled]:
        """Yield texts and labels, 10,000 at a time."""
        language = np.random.default_rng(self.n_categories)  # Archives of several sizes and seeds share their words.
        words = np.array(_spelled(_N_WORDS), dtype=object)
        telling = language.integers(*_TELLING_RANKS, size=(self.n_categories, _N_TELLING))
        any_word, any_telling = _zipf(_N_WORDS), _zipf(_N_TELLING)
        for start in range(0, self.n_tickets, _BLOCK):
            rng = np.random.default_rng((self.seed, start))
            shape = (min(_BLOCK, self.n_tickets - start), self.n_words)
            categories = rng.integers(self.n_categories, size=shape[0])
            chosen = _drawn(rng, any_word, shape)
            own = telling[categories[:, None], _drawn(rng, any_telling, shape)]
            chosen = np.where(rng.random(shape) < _TELLING_FRACTION, own, chosen)
            is_wrong = rng.random(shape[0]) < _WRONG_FRACTION
            labels = np.where(is_wrong, rng.integers(self.n_categories, size=shape[0]), categories)
            yield [" ".join(ticket) for ticket in words[chosen]], [f"category {label}" for label in labels.tolist()]

    def tickets(self) -> Labelled:
        """Return all texts and labels."""
        texts, labels = zip(*self.blocks(), strict=True)
        return [text for block in texts for text in block], [label for block in labels for label in block]


def _spelled(n: int) -> list[str]:
    """Return different words that can be pronounced, the short ones first."""
    syllables = ["".join(pair) for pair in product("bdfghklmnprstvz", "aeiou")]
    words: list[str] = []
    length = 1
    while len(words) < n:
        words += map("".join, islice(product(syllables, repeat=length), n - len(words)))
        length += 1
    return words


def _zipf(n: int) -> npt.NDArray[np.float64]:
    """Return the cumulative probabilities of n ranks."""
    shares = np.cumsum((np.arange(n) + _OFFSET) ** -_EXPONENT)
    return shares / shares[-1]


def _drawn(
    rng: np.random.Generator, cumulative: npt.NDArray[np.float64], shape: tuple[int, int]
) -> npt.NDArray[np.int64]:
    return np.minimum(np.searchsorted(cumulative, rng.random(shape)), len(cumulative) - 1)
