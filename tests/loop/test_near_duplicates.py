from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.line.text import chunks
from deflect.loop.near_duplicates import connected, least_similarity, near_duplicate_groups

LETTERS = np.array(list("abcdefghijklmnopqrstuvwxyz"))
SEEDS = st.integers(0, 2**32 - 1)

Groups = set[frozenset[int]]


def random_words(rng: np.random.Generator, n: int) -> list[str]:
    """Return words of six random letters."""
    return ["".join(letters) for letters in rng.choice(LETTERS, (n, 6))]


def relatives(rng: np.random.Generator, n: int, n_words: int = 30) -> list[str]:
    """Return texts that differ from one another in a few words each, as similar as the border between near and not."""
    base, texts = random_words(rng, n_words), []
    for _ in range(n):
        words = list(base)
        for place in rng.choice(n_words, rng.integers(0, 6), replace=False):
            words[place] = random_words(rng, 1)[0]
        texts.append(" ".join(words))
    return texts


def grouped(texts: Sequence[str], similarity: float | None = None) -> Groups:
    """Return the groups as sets of places."""
    numbers = near_duplicate_groups(texts, similarity)
    return {frozenset(np.flatnonzero(numbers == number).tolist()) for number in set(numbers.tolist())}


def jaccard(left: str, right: str) -> float:
    """Return the share of the character 5-grams of either text that both have, edges included, counted plainly."""
    grams = [{f" {text} "[i : i + 5] for i in range(len(text) - 2)} for text in (left, right)]
    return len(grams[0] & grams[1]) / len(grams[0] | grams[1])


def test_case_and_punctuation_do_not_tell_texts_apart() -> None:
    """The same words in other case and with other punctuation are one group."""
    texts = ["My CNAME does not resolve. Why?", "my cname does not resolve, why!", "MY CNAME DOES NOT RESOLVE; WHY."]
    assert grouped(texts) == {frozenset({0, 1, 2})}


def test_one_word_more_is_a_near_duplicate() -> None:
    """A long ticket and the same with a word more are one group."""
    text = "since this morning our custom domain shows a certificate warning in every browser that we tried"
    assert grouped([text, f"{text} today"]) == {frozenset({0, 1})}


def test_different_texts_are_apart() -> None:
    """Tickets about different things are groups of one, also where they share words."""
    texts = ["my domain does not resolve", "my database does not answer", "how do I change my card?", "H12 timeout"]
    assert grouped(texts) == {frozenset({i}) for i in range(4)}


def test_short_tickets_are_alike_sooner() -> None:
    """The least similarity of a near-duplicate rises with length, from 0.5 to 0.9."""
    assert least_similarity(np.array([1, 20, 200, 10_000])).tolist() == [0.5, 0.5, pytest.approx(0.8476, abs=1e-4), 0.9]
    assert (np.diff(least_similarity(np.arange(1, 300))) >= 0).all()


def test_shared_boilerplate_makes_no_near_duplicate() -> None:
    """Two long mails that share two thirds of their 5-grams are apart; two short questions that do are together."""
    rng = np.random.default_rng(3)
    shared, *own = (random_words(rng, n) for n in (80, 20, 20))
    long_mails = [" ".join([*shared, *words]) for words in own]
    assert 0.6 < jaccard(*long_mails) < 0.75
    assert len(grouped(long_mails)) == 2
    short = ["how do I change the card on my account", "how do I change the card on my profile"]
    assert 0.5 < jaccard(*short) < 0.75
    assert len(grouped(short)) == 1


def test_groups_are_transitive() -> None:
    """A like B and B like C puts A, B and C together, though A and C are not alike."""
    rng = np.random.default_rng(0)
    words = random_words(rng, 52)
    chain = [" ".join(words[start : start + 40]) for start in (0, 6, 12)]
    similarity = (jaccard(chain[0], chain[1]) + jaccard(chain[0], chain[2])) / 2
    assert grouped([chain[0], chain[2]], similarity) == {frozenset({0}), frozenset({1})}
    assert grouped(chain, similarity) == {frozenset({0, 1, 2})}


@given(SEEDS)
def test_order_plays_no_part(seed: int) -> None:
    """Shuffled tickets are grouped alike, also where they are as similar as the border."""
    rng = np.random.default_rng(seed)
    texts = relatives(rng, 8) + relatives(rng, 4)
    order = rng.permutation(len(texts))
    shuffled = grouped([texts[place] for place in order])
    assert {frozenset(int(order[place]) for place in group) for group in shuffled} == grouped(texts)


@given(SEEDS)
def test_copies_join_their_original(seed: int) -> None:
    """A copy of a ticket is in its group, and changes no other group."""
    rng = np.random.default_rng(seed)
    texts = relatives(rng, 6)
    copied = int(rng.integers(len(texts)))
    numbers = near_duplicate_groups([*texts, texts[copied].upper()])
    assert numbers[-1] == numbers[copied]
    assert numbers[:-1].tolist() == near_duplicate_groups(texts).tolist()


def test_similarity_is_near_the_true_one() -> None:
    """Pairs are together at 0.2 below their true Jaccard similarity, and apart at 0.2 above it."""
    rng = np.random.default_rng(1)
    pairs = [relatives(rng, 2) for _ in range(60)]
    compared = [(pair, jaccard(*pair)) for pair in pairs if 0.55 < jaccard(*pair) < 0.8]
    assert len(compared) > 20
    for pair, similarity in compared:
        assert len(grouped(pair, similarity - 0.2)) == 1
        assert len(grouped(pair, similarity + 0.2)) == 2


def test_chunks_play_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ticket's 5-grams end where it ends: the groups are the same with a chunk for all as with many."""
    rng = np.random.default_rng(2)
    texts = [text for _ in range(30) for text in relatives(rng, 4)]
    at_once = grouped(texts)
    monkeypatch.setattr("deflect.line.text._CHUNK_CHARACTERS", 500)
    assert len(list(chunks(texts))) > 30
    assert grouped(texts) == at_once


def test_many_copies_are_one_group() -> None:
    """Five thousand copies of a ticket among others are one group."""
    texts = ["the app is down"] * 2500 + ["my invoice is wrong", ""] + ["The app is down!"] * 2500
    assert sorted(map(len, grouped(texts))) == [1, 1, 5000]


def test_empty_texts_are_alike() -> None:
    """Tickets without text are one group, and short ones stand for themselves."""
    assert grouped(["", "a", "", "b"]) == {frozenset({0, 2}), frozenset({1}), frozenset({3})}


def test_nothing_has_no_groups() -> None:
    """Of no tickets there are no groups."""
    assert near_duplicate_groups([]).tolist() == []


def test_groups_are_numbered_as_they_come() -> None:
    """Groups are numbered by their first ticket."""
    texts = ["my domain does not resolve", "my card was declined", "My domain does not resolve!", "it is slow"]
    assert near_duplicate_groups(texts).tolist() == [0, 1, 0, 2]


def test_connected_follows_links() -> None:
    """Things that hang together over any number of links have one number."""
    links = np.array([[0, 1, 4], [1, 2, 5]])
    assert connected(links, 6).tolist() == [0, 0, 0, 1, 2, 2]
