"""The scorer: what rows it adds up, and that a ticket's margins depend on nothing but the ticket."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import KERNELS, is_fused, with_kernel
from plain_phrases import hash_of_phrase, phrases_of

from deflect.line import scorer as module
from deflect.line import text as text_module
from deflect.line.hashing import PrefixHash, pair
from deflect.line.scorer import Scorer, add_rows, damped, last_equals, softmax
from deflect.line.text import MAX_CHARACTERS, find_words
from deflect.loop.classifier import TicketClassifier

TRAIN = {
    "dns": [
        "the CNAME of our domain is wrong, wrong, wrong",
        "name servers do not answer for my domain",
        "which DNS target for the root domain?",
        "die Domäne löst nicht auf",
    ],
    "timeout": [
        "every request took 30 seconds, H12 H12 H12",
        "it is slow and then times out",
        "request timeout on the checkout page",
    ],
    "billing": [
        "the invoice is wrong, why was I charged twice?",
        "please change our credit card",
        "refund for the invoice of May",
    ],
}
TICKETS = [
    "the domain is wrong",
    "H12 H12 H12 H12 on the checkout page, the page, the page",
    "Domänen zzzqx zzzqx wrongly timeoutish",
    "",
    "…!?",
    "a\0b invoice",
    "域名错误 please",
    "half \ud83d an emoji",
    "request " * 300,
    "nothing that training ever saw: qqq www eee",
    "why " + "verylongword" * 40 + " wrong",
    "head " + "middle domain " * 5_000 + " invoice tail",
]
#: More tickets than the sparse path needs, in which the same texts have ever other neighbours.
MANY = [f"{text} {i % 7} {TICKETS[i * 5 % 8][:40]} word{i % 31}" for i, text in enumerate(TICKETS[:11] * 40)]

VOCABULARY = ("the", "domain", "wrong", "wrongly", "H12", "invoice", "zzzqx", "Domäne", "域", "\0", ",", "😀", "x" * 80)
TICKET = st.lists(st.sampled_from(VOCABULARY), max_size=12).map(" ".join)


@pytest.fixture(scope="module", params=KERNELS)
def kernel(request: pytest.FixtureRequest) -> str:
    """Return the name of each kernel: whatever a scorer promises, it promises with both."""
    return str(request.param)


@pytest.fixture(scope="module", params=[1.0, 0.0], ids=["with n-grams", "without n-grams"])
def any_scorer(request: pytest.FixtureRequest, kernel: str) -> Scorer:
    """Return a model with n-grams, and one whose n-grams weigh nothing."""
    return with_kernel(trained(request.param), kernel)


@pytest.fixture(scope="module")
def scorer(kernel: str) -> Scorer:
    """Return a small model."""
    return with_kernel(trained(1.0), kernel)


@cache
def trained(gram_weight: float) -> Scorer:
    """Return a model of three categories."""
    texts = [text for tickets in TRAIN.values() for text in tickets]
    categories = [category for category, tickets in TRAIN.items() for _ in tickets]
    return TicketClassifier(gram_weight=gram_weight, min_pair_df=1).fit(texts, categories).scorer_


def words_of(text: str) -> list[bytes]:
    """Return the words of a ticket, as the buffer has them."""
    words = find_words([text])
    raw = words.buffer.tobytes()
    return [raw[start:end] for start, end in zip(words.starts.tolist(), words.ends.tolist(), strict=True)]


def hash_of(raw: bytes) -> npt.NDArray[np.uint64]:
    """Return the hash of a word or n-gram that stands alone."""
    return PrefixHash(np.frombuffer(raw, dtype=np.uint8))(np.array([0]), np.array([len(raw)]))


def unseen_row(scorer: Scorer, word: bytes) -> list[float]:
    """Return an unknown word's row: the sum of its n-grams over the root of their number, and its square."""
    text = word.decode()
    begins = np.cumsum([0, *(len(character.encode()) for character in text)])[:-1]
    padded = f"\1{text}\1"[: int((begins < 64).sum()) + 2]
    grams = [padded[i : i + n].encode() for n in (2, 3, 4, 5) for i in range(len(padded) - n + 1)]
    row = [0.0] * len(scorer.categories)
    for gram in grams:
        number = int(scorer.gram_slots.find(hash_of(gram), len(scorer.gram_table) - 1)[0])
        row = [a + float(b) / math.sqrt(len(grams)) for a, b in zip(row, scorer.gram_table[number], strict=True)]
    return [*row, float(scorer.squares[-1])]


def known_row(scorer: Scorer, number: int) -> list[float]:
    """Return a row of the table, and its square."""
    return [*scorer.table[number].tolist(), float(scorer.squares[number])]


def terms(scorer: Scorer, text: str) -> Iterator[tuple[float, float, list[float]]]:
    """Yield for each different word and phrase: its factor, what its square counts, and its row."""
    words = words_of(text)
    for word, count in Counter(words).items():
        number = int(scorer.slots.find(hash_of(word), scorer.nowhere)[0])
        row = unseen_row(scorer, word) if number == scorer.nowhere else known_row(scorer, number)
        factor = 1 + math.log(min(count, 256))
        yield factor, factor**2, row
    for phrase, count in Counter(phrases_of([word.decode("latin-1") for word in words])).items():
        hashes = hash_of_phrase(phrase, lambda word: hash_of(word.encode("latin-1")))
        number = int(scorer.slots.find(hashes, scorer.nowhere)[0])
        factor = 1 + math.log(min(count, 256))
        yield factor, factor**2, known_row(scorer, number)


def margins_by_definition(scorer: Scorer, text: str) -> list[float]:
    """Return the margins of a ticket, one word and one pair after the other."""
    k = len(scorer.categories)
    sums, square = [0.0] * k, 0.0
    for factor, times, row in terms(scorer, text):
        sums = [a + factor * b for a, b in zip(sums, row[:k], strict=True)]
        square += times * row[k]
    norm = math.sqrt(square) if square else 1.0
    return [a / norm + float(b) for a, b in zip(sums, scorer.intercept, strict=True)]


def one_by_one(scorer: Scorer, texts: Sequence[str]) -> npt.NDArray[np.float32]:
    """Return the margins of tickets, each scored alone."""
    return np.concatenate([scorer.margins([text]) for text in texts])


def test_the_definition(any_scorer: Scorer) -> None:
    """Margins are the sums of a ticket's rows over its norm, plus the intercept."""
    expected = [margins_by_definition(any_scorer, text) for text in TICKETS]
    np.testing.assert_allclose(any_scorer.margins(TICKETS), expected, rtol=1e-4, atol=1e-5)


@settings(max_examples=40)
@given(texts=st.lists(TICKET, min_size=1, max_size=4))
def test_the_definition_of_any_ticket(scorer: Scorer, texts: list[str]) -> None:
    """So they are for any mixture of known, unknown, repeated and foreign words."""
    expected = [margins_by_definition(scorer, text) for text in texts]
    np.testing.assert_allclose(scorer.margins(texts), expected, rtol=1e-4, atol=1e-5)


@pytest.fixture(params=[0, 10**9], ids=["batch", "few"])
def _path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every batch, whatever its size, take the way of many tickets, threads and sparse products, or of few."""
    monkeypatch.setattr(module, "_BATCH_FROM", request.param)


@pytest.mark.usefixtures("_path")
def test_neighbours_and_novelty(scorer: Scorer) -> None:
    """Neither does a ticket's novelty depend on its neighbours."""
    alone = np.concatenate([scorer.scored([text]).novelty for text in MANY])
    assert np.array_equal(scorer.scored(MANY).novelty, alone)


@pytest.mark.usefixtures("_path")
def test_neighbours(scorer: Scorer) -> None:
    """A ticket's margins are the same to the last bit alone and among others."""
    assert np.array_equal(scorer.margins(MANY), one_by_one(scorer, MANY))


@pytest.mark.usefixtures("_path")
def test_order(scorer: Scorer) -> None:
    """Tickets in another order have the same margins in that order, to the last bit."""
    assert np.array_equal(scorer.margins(MANY[::-1]), scorer.margins(MANY)[::-1])


@given(texts=st.lists(TICKET, max_size=6), size=st.integers(1, 100))
def test_neighbours_of_any_kind(scorer: Scorer, texts: list[str], size: int) -> None:
    """Neither neighbours nor chunks change a bit of any ticket's margins."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(text_module, "_CHUNK_CHARACTERS", size)
        margins = scorer.margins(texts)
    assert np.array_equal(margins, one_by_one(scorer, texts) if texts else np.empty((0, 3)))


@pytest.mark.usefixtures("_path")
@pytest.mark.parametrize("size", [1, 50, 1_000, 20_000, 10**9])
def test_chunks(scorer: Scorer, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Margins are the same to the last bit however the tickets are cut into chunks."""
    expected = scorer.margins(MANY)
    monkeypatch.setattr(text_module, "_CHUNK_CHARACTERS", size)
    assert np.array_equal(scorer.margins(MANY), expected)


def test_threads(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """One thread and eight compute the same margins, to the last bit and in the same order."""
    monkeypatch.setattr(text_module, "_CHUNK_CHARACTERS", 300)
    one, eight = (scorer.scored(MANY, n_threads=n_threads) for n_threads in (1, 8))
    assert np.array_equal(one.margins, eight.margins)
    assert np.array_equal(one.novelty, eight.novelty)


@pytest.mark.skipif(is_fused(), reason="SciPy was built to fuse multiplying and adding, so the last bit may differ")
def test_sparse_and_dense(scorer: Scorer, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sparse product and the dense sum are the same to the last bit."""
    monkeypatch.setattr(module, "_BATCH_FROM", 0)
    expected = scorer.margins(MANY)
    monkeypatch.setattr(module, "_BATCH_FROM", 10**9)
    assert np.array_equal(scorer.margins(MANY), expected)


@pytest.mark.parametrize("is_batch", [True, False])
def test_adding_rows(is_batch: bool) -> None:  # noqa: FBT001  # pytest passes it by name.
    """Each ticket's rows are added with their factors; a ticket without rows has zeros, also first and last."""
    table = np.array([[1, 10], [2, 20], [4, 40]], dtype=np.float32)
    begins, rows = np.array([0, 0, 2, 2, 3, 3]), np.array([0, 2, 1])
    sums = add_rows(begins, rows, np.array([1, 0.5, 3], dtype=np.float32), table, is_batch=is_batch)
    assert sums.tolist() == [[0, 0], [3, 30], [0, 0], [6, 60], [0, 0]]


def test_no_tickets(scorer: Scorer) -> None:
    """No tickets have no margins and no probabilities, of three categories each."""
    assert scorer.margins([]).shape == scorer.probabilities([]).shape == (0, 3)


@pytest.mark.parametrize("text", ["", " ", "…!?", "\0", "\ud800", "😀"])
def test_a_ticket_without_words(scorer: Scorer, text: str) -> None:
    """A ticket without words has the probabilities of the intercept."""
    expected = softmax(scorer.intercept[None].astype(np.float64) * scorer.sharpness)
    assert np.array_equal(scorer.probabilities([text]), expected)


def test_an_unknown_word_changes_the_norm(scorer: Scorer) -> None:
    """A word of which training saw not even an n-gram pulls the margins towards the intercept by its square alone."""
    known = scorer.margins(["invoice"])[0] - scorer.intercept
    mixed = scorer.margins(["invoice 域"])[0] - scorer.intercept
    square = float(scorer.squares[scorer.slots.find(hash_of(b"invoice"), scorer.nowhere)[0]])
    expected = known * math.sqrt(square) / math.sqrt(square + float(scorer.squares[-1]))
    np.testing.assert_allclose(mixed, expected, rtol=1e-4)


def test_an_unknown_word_brings_its_n_grams(scorer: Scorer) -> None:
    """A word with a typo or a new ending speaks for the category of the word that training saw."""
    chosen = scorer.margins(["invoicing", "domians", "timeouts"]).argmax(axis=1)
    assert [scorer.categories[i] for i in chosen] == ["billing", "dns", "timeout"]


def test_an_unknown_pair_adds_nothing(scorer: Scorer) -> None:
    """Two known words that never stood together count as the two words."""
    together, apart = scorer.margins(["we invoice domain us", "we domain invoice us"])
    np.testing.assert_allclose(together, apart, rtol=1e-5)


def test_a_known_pair_counts(scorer: Scorer) -> None:
    """Two words that stood together in training say something beside what each says by itself."""
    names, contributions = scorer.contributions("credit card")
    assert contributions[names.index("credit card"), scorer.categories.index("billing")] > 0


@given(texts=st.lists(st.text(st.characters()), max_size=5))
def test_probabilities_sum_to_one(scorer: Scorer, texts: list[str]) -> None:
    """The probabilities of any ticket lie in [0, 1] and sum to 1."""
    probabilities = scorer.probabilities(texts)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-12)
    assert ((probabilities >= 0) & (probabilities <= 1)).all()


def test_probabilities_follow_the_margins(scorer: Scorer) -> None:
    """The most probable category is the one with the largest margin."""
    margins, probabilities = scorer.margins(TICKETS), scorer.probabilities(TICKETS)
    assert probabilities.argmax(axis=1).tolist() == margins.argmax(axis=1).tolist()


def test_softmax_of_large_scores() -> None:
    """Scores that are too large for an exponential still have probabilities."""
    assert softmax(np.array([[1e6, 0.0], [-1e6, -1e6]])).tolist() == [[1, 0], [0.5, 0.5]]


def test_contributions_add_up(any_scorer: Scorer) -> None:
    """What a ticket's words and pairs contribute adds up to its margins without the intercept."""
    for text in TICKETS:
        _, contributions = any_scorer.contributions(text)
        expected = any_scorer.margins([text])[0] - any_scorer.intercept
        np.testing.assert_allclose(contributions.sum(axis=0), expected, rtol=1e-3, atol=1e-5)


@settings(max_examples=40)
@given(text=TICKET)
def test_any_contributions_add_up(scorer: Scorer, text: str) -> None:
    """So they do for any mixture of known, unknown, repeated and foreign words."""
    _, contributions = scorer.contributions(text)
    np.testing.assert_allclose(
        contributions.sum(axis=0), scorer.margins([text])[0] - scorer.intercept, rtol=1e-3, atol=1e-5
    )


def test_contributions_name_the_words(scorer: Scorer) -> None:
    """Contributions name each different word and each pair that training saw, as the model reads them, once."""
    names, contributions = scorer.contributions("Name servers: Domäne, zzzqx! name servers do not answer, zzzqx")
    known = ["answer", "do", "do not", "domane", "name", "name servers", "not", "not answer", "servers", "servers do"]
    assert sorted(names) == sorted([*known, "name …", "name servers …", "zzzqx"])
    assert contributions.shape == (13, 3)


def test_contributions_of_each_word(scorer: Scorer) -> None:
    """Each name stands beside what its own word or pair adds."""
    text = "refund the the the invoice zzzqx credit card"
    names, contributions = scorer.contributions(text)
    squares = sum(times * row[-1] for _, times, row in terms(scorer, text))
    refund = scorer.table[scorer.slots.find(hash_of(b"refund"), scorer.nowhere)[0]] / math.sqrt(squares)
    card = scorer.table[scorer.slots.find(pair(hash_of(b"credit"), hash_of(b"card")), scorer.nowhere)[0]]
    unknown = np.array(unseen_row(scorer, b"zzzqx")[:-1]) / math.sqrt(squares)
    np.testing.assert_allclose(contributions[names.index("refund")], refund, rtol=1e-4)
    np.testing.assert_allclose(contributions[names.index("credit card")], card / math.sqrt(squares), rtol=1e-4)
    np.testing.assert_allclose(contributions[names.index("zzzqx")], unknown, rtol=1e-3, atol=1e-6)


def test_contributions_of_no_words(scorer: Scorer) -> None:
    """A ticket without words has no contributions."""
    names, contributions = scorer.contributions("…")
    assert (names, contributions.shape) == ([], (0, 3))


def test_repeats_are_damped() -> None:
    """A word that stands n times counts 1 + ln(n), from the 256th time on no more; one that does not stands for 0."""
    expected = [0, 1, 1 + math.log(2), 1 + math.log(256), 1 + math.log(256)]
    np.testing.assert_allclose(damped(np.array([0, 1, 2, 256, 10**9])), expected, rtol=1e-6)


@given(st.lists(st.integers(0, 40), max_size=200), st.sampled_from([1, 2**20, 2**40]))
def test_last_equals(keys: list[int], distance: int) -> None:
    """Each key finds the place where it stands last, whether or not each may have a slot of its own."""
    lasts = {key: place for place, key in enumerate(keys)}
    found = last_equals(np.array(keys, dtype=np.int64) * distance, 41 * distance)
    assert found.tolist() == [lasts[key] for key in keys]


def test_last_equals_of_many() -> None:
    """So do a hundred thousand keys of which many share a slot by chance."""
    keys = np.random.default_rng(0).integers(0, 2**40, 50_000).repeat(2)[::-1]
    assert np.array_equal(last_equals(keys, 2**40), np.arange(100_000) | 1)


def test_a_long_ticket_is_its_head_and_tail(scorer: Scorer) -> None:
    """What stands in the middle of a very long ticket changes nothing."""
    first, second = (f"domain {'a ' * 20_000}{middle}{' a' * 20_000} invoice" for middle in ("b", "c" * MAX_CHARACTERS))
    assert np.array_equal(scorer.margins([first]), scorer.margins([second]))


def test_rarity(any_scorer: Scorer) -> None:
    """A word's rarity is its idf over that of a word that training never saw; what holds no word has none."""
    texts = [text for tickets in TRAIN.values() for text in tickets]
    unseen = math.log(1 + len(texts)) + 1
    # Two tickets have the invoice, three the domain.
    idf = [(math.log((1 + len(texts)) / (1 + n)) + 1) / unseen for n in (2, 3)]
    found = any_scorer.rarity(["invoice", "Domain", "zzzqx", "", "!?"])
    assert found == pytest.approx([*idf, 1, 0, 0], rel=1e-3)


def test_novelty(scorer: Scorer) -> None:
    """It comes from the words' share of the squared norm that has no row, and from pairs that have none."""
    square = float(scorer.squares[scorer.slots.find(hash_of(b"invoice"), scorer.nowhere)[0]])
    share = float(scorer.squares[-1]) / (square + float(scorer.squares[-1]))
    # "invoice" has two pairs, with what stands before and behind it, and "invoice zzzqx" three and two threes.
    expected = [1 - math.sqrt(1 / 3), 1 - (1 - share) * math.sqrt(1 / 6), 1, 0]
    np.testing.assert_allclose(scorer.scored(["invoice", "invoice zzzqx", "zzzqx", ""]).novelty, expected, rtol=1e-5)


def test_a_training_ticket_is_not_new(scorer: Scorer) -> None:
    """With every word and every pair known nothing is new; a pair that is unknown, alone, is."""
    known, other = scorer.scored(["refund for the invoice of May", "refund for the invoice for May"]).novelty
    assert known == pytest.approx(0, abs=1e-6)
    # Two of seven pairs and the last three words are not in training, of nine things and one.
    assert other == pytest.approx(1 - math.sqrt(7 / 10), rel=1e-5)


def test_scope(scorer: Scorer) -> None:
    """The scope score is the greatest margin less the novelty."""
    scored = scorer.scored(["invoice zzzqx", "domain"])
    np.testing.assert_allclose(scored.scope, scored.margins.max(axis=1) - scored.novelty, rtol=1e-6)
    assert scored.scope[0] < scored.scope[1]
