from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_phrases import hash_of_phrase, phrases_of

from deflect.line.hashing import PrefixHash, UInt64s
from deflect.line.text import chunks, find_words
from deflect.loop.vocabulary import read_vocabulary

TEXTS = [
    "dns dns is slow",
    "dns is down",
    "",
    "slow page, slow page",
]
WORDS = st.sampled_from(["dns", "is", "slow", "down", "page"])
TICKETS = st.lists(st.lists(WORDS, max_size=8).map(" ".join), min_size=1, max_size=8)

Split = Callable[[str], list[str]]


def words_of(text: str) -> list[str]:
    """Return the words of a plain text."""
    return text.replace(",", "").split()


def pairs_of(text: str) -> list[str]:
    """Return each pair of neighbouring words, and what the ticket begins and ends with."""
    return [" ".join(phrase) for phrase in phrases_of(words_of(text))]


def hash_of(piece: str) -> int:
    """Return the hash of a word or of words side by side, as the line makes it."""

    def of_word(word: str) -> UInt64s:
        words = find_words([word])
        return PrefixHash(words.buffer)(words.starts, words.ends)

    return int(hash_of_phrase(piece.split(), of_word)[0])


def counted(texts: Sequence[str], split: Split) -> dict[tuple[int, int], int]:
    """Return by a plain count how often each ticket has each piece, as (ticket, hash)."""
    hashes = {piece: hash_of(piece) for text in texts for piece in split(text)}
    counts = Counter((i, hashes[piece]) for i, text in enumerate(texts) for piece in split(text))
    return dict(counts)


def found(texts: Sequence[str], min_pair_df: int = 1) -> tuple[dict[tuple[int, int], int], dict[tuple[int, int], int]]:
    """Return the same for words and for pairs, as the vocabulary counted them."""
    vocabulary = read_vocabulary(texts, min_pair_df=min_pair_df)
    tables = []
    for hashes, matrix in (
        (vocabulary.word_hashes, vocabulary.word_counts.tocoo()),
        (vocabulary.pair_hashes, vocabulary.pair_counts[:, vocabulary.pair_alike.groups].tocoo()),
    ):
        keys = zip(matrix.row.tolist(), hashes[matrix.col].tolist(), strict=True)
        tables.append(dict(zip(keys, matrix.data.astype(int).tolist(), strict=True)))
    return tables[0], tables[1]


@given(TICKETS)
def test_words_are_counted(texts: list[str]) -> None:
    """A word's count in a ticket is what a plain count gives."""
    assert found(texts)[0] == counted(texts, words_of)


@given(TICKETS)
def test_pairs_are_counted(texts: list[str]) -> None:
    """A pair's count in a ticket is what a plain count gives; no pair reaches from one ticket into the next."""
    assert found(texts)[1] == counted(texts, pairs_of)


@pytest.mark.parametrize("n_characters", [10, 500, 1 << 30])
def test_chunks_play_no_part(monkeypatch: pytest.MonkeyPatch, n_characters: int) -> None:
    """An archive in many chunks, one of them a single long ticket, is counted like one in a single chunk."""
    rng = np.random.default_rng(0)
    names = np.array([f"w{i}" for i in range(300)])
    texts = [" ".join(names[rng.integers(300, size=rng.integers(30))]) for _ in range(300)]
    texts.insert(100, " ".join(names[rng.integers(300, size=2000)]))
    monkeypatch.setattr("deflect.line.text._CHUNK_CHARACTERS", n_characters)
    assert (len(list(chunks(texts))) == 1) == (n_characters == 1 << 30)
    assert found(texts) == (counted(texts, words_of), counted(texts, pairs_of))


@pytest.mark.parametrize("min_pair_df", [1, 2, 3])
def test_rare_pairs_are_dropped(min_pair_df: int) -> None:
    """Of the pairs, exactly those stay that at least min_pair_df different tickets have, with their counts."""
    texts = ["a b c", "a b", "b c b c", "a b d", "d e d e d e"]
    every = counted(texts, pairs_of)
    n_tickets = Counter(key for _, key in every)
    kept = {place: count for place, count in every.items() if n_tickets[place[1]] >= min_pair_df}
    assert found(texts, min_pair_df)[1] == kept


def test_rare_words_stay() -> None:
    """min_pair_df drops no words."""
    assert found(TEXTS, min_pair_df=3)[0] == counted(TEXTS, words_of)


@pytest.mark.parametrize(("word", "n_with"), [("dns", 2), ("is", 2), ("slow", 2), ("down", 1), ("page", 1)])
def test_idf_of_words(word: str, n_with: int) -> None:
    """A word's idf is ln((1 + n_tickets) / (1 + n_tickets with the word)) + 1, however often they have it."""
    vocabulary = read_vocabulary(TEXTS, min_pair_df=1)
    row = np.searchsorted(vocabulary.word_hashes, np.uint64(hash_of(word)))
    assert vocabulary.word_idf[row] == pytest.approx(np.log(5 / (1 + n_with)) + 1)


def test_idf_of_pairs() -> None:
    """A pair's idf is the same formula."""
    vocabulary = read_vocabulary(TEXTS, min_pair_df=1)
    row = np.searchsorted(vocabulary.pair_hashes, np.uint64(hash_of("slow page")))
    assert vocabulary.pair_idf[vocabulary.pair_alike.groups[row]] == pytest.approx(np.log(5 / 2) + 1)


def test_idf_of_what_was_never_seen() -> None:
    """A word that no ticket has gets the formula's value for none."""
    assert read_vocabulary(TEXTS, min_pair_df=1).unseen_idf == pytest.approx(np.log(5) + 1)


def test_hashes_are_sorted() -> None:
    """Words, pairs and n-grams come in the order of their hashes, whatever the order of the tickets."""
    forward, backward = (read_vocabulary(texts, min_pair_df=1) for texts in (TEXTS, TEXTS[::-1]))
    for name in ("word_hashes", "pair_hashes", "gram_hashes"):
        hashes = getattr(forward, name).tolist()
        assert hashes == sorted(hashes) == getattr(backward, name).tolist()


def test_words_have_rows_of_grams() -> None:
    """A word's row has one entry for the n-grams that it has alone and one for those that it shares."""
    vocabulary = read_vocabulary(["abc abd timeout"], min_pair_df=1)
    row = np.searchsorted(vocabulary.word_hashes, np.uint64(hash_of("abc")))
    # With its edges the word is five characters: 4 + 3 + 2 + 1 n-grams of 2 to 5 characters; 3 are those of "abd" too.
    groups = vocabulary.grams[row]
    assert groups.data == pytest.approx(np.sqrt(0.1))
    assert sorted(vocabulary.gram_alike.sizes[groups.indices]) == [3, 7]


def test_progress_counts_tickets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Progress is told in tickets, chunk by chunk, and ends when all are read."""
    monkeypatch.setattr("deflect.line.text._CHUNK_CHARACTERS", 10)
    told: list[tuple[str, int, int]] = []
    read_vocabulary(["dns is slow"] * 3, min_pair_df=1, progress=lambda *what: told.append(what))
    assert told == [("reading", 1, 3), ("reading", 2, 3), ("reading", 3, 3)]


def test_most_pairs() -> None:
    """Where more pairs would be kept than most, the rarest go, and those that are as rare as them."""
    texts = ["aa bb", "aa bb cc", "aa bb cc dd", "ee ff"]
    n_tickets = Counter(phrase for text in texts for phrase in phrases_of(words_of(text)))
    n_frequent = sum(count > 1 for count in n_tickets.values())
    whole, cut = (read_vocabulary(texts, min_pair_df=1, most=most) for most in (len(n_tickets), len(n_tickets) - 1))
    assert len(whole.pair_hashes) == len(n_tickets)
    assert len(cut.pair_hashes) == n_frequent
