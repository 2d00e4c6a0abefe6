"""The compiled kernel: it answers as NumPy does, to the last bit, whatever the text, the threads and the model."""

from __future__ import annotations

import pickle
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kernels import is_fused, with_kernel

from deflect.line import kernel as module
from deflect.line.hashing import SlotTable
from deflect.line.kernel import LIBRARY, compiled, load_library
from deflect.line.scorer import Scorer
from deflect.loop.classifier import TicketClassifier
from deflect.loop.spelling import word_hashes
from hatch_build import SOURCE, compile_kernel

TRAIN = {
    "dns": ["the CNAME of our domain is wrong, wrong", "name servers do not answer", "die Domäne löst nicht auf"],
    "timeout": ["every request took 30 seconds, H12 H12", "it is slow and times out", "request timeout on a page"],
    "billing": [
        "the invoice is wrong, charged twice?",
        "change our credit card",
        "域名错误 invoice",
        "naïve 💸 refund",
    ],
}
WORDS = (
    *("the", "domain", "Domäne", "wrong", "wrongly", "H12", "invoice", "name servers", "credit card", "timeout"),
    *(
        "zzzqx",
        "invoicing",
        "löste",
        "naïvely",
        "域",
        "名错",
        "ไทย",
        "e\u0301",
        "ŒUVRE",
        "😀",
        "\ud83d",
        "\0",
        "\1",
        ",",
    ),
    *("x" * 64, "y" * 65, "é" * 40, "x" * 63 + "é" + "z", "domain" * 30),
)
TEXT = st.one_of(
    st.lists(st.sampled_from(WORDS), max_size=30).map(" ".join),
    st.text(st.characters(), max_size=60),
    st.builds(lambda word, n: f"{word} " * n, st.sampled_from(WORDS), st.integers(90, 300)),
)


@pytest.fixture(scope="module")
def scorer() -> Scorer:
    """Return a small model."""
    return with_categories(3)


def with_categories(n: int) -> Scorer:
    """Return a model of so many categories."""
    texts = [text for tickets in TRAIN.values() for text in tickets] * n
    categories = [f"{i % n:03}" for i in range(len(texts))]
    return TicketClassifier(min_pair_df=1).fit(texts, categories).scorer_


def assert_alike(scorer: Scorer, texts: list[str]) -> None:
    """Check that both kernels say the same."""
    one, other = (with_kernel(scorer, kernel).scored(texts) for kernel in ("compiled", "numpy"))
    np.testing.assert_allclose(one.margins, other.margins, rtol=1e-5, atol=1e-5)
    np.testing.assert_allclose(one.novelty, other.novelty, rtol=1e-5, atol=1e-6)
    # Both add in the same order, so even the last bit is the same, unless this machine's SciPy fuses.
    assert is_fused() or all(np.array_equal(*pair) for pair in zip(one, other, strict=True))


@settings(max_examples=300)
@given(texts=st.lists(TEXT, min_size=1, max_size=5))
def test_any_text(scorer: Scorer, texts: list[str]) -> None:
    """Margins and novelty of any tickets are those that NumPy finds."""
    assert_alike(scorer, texts)


@pytest.mark.parametrize("n", [2, 3, 7, 8, 9, 31, 32, 33, 77])
def test_any_number_of_categories(n: int) -> None:
    """So they are for any number of categories, whichever columns are added up at once."""
    assert_alike(with_categories(n), ["the domain zzzqx is wrong", "invoicing", "", "H12 " * 100])


def test_half_precision() -> None:
    """Each number of half precision is read as NumPy reads it: zeros, the smallest and the largest too."""
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    halves = halves[~np.isnan(halves)]
    nothing = np.zeros((1, len(halves)), dtype=np.float16)
    scorer = Scorer(
        categories=tuple(map(str, range(len(halves)))),
        slots=SlotTable.build(np.empty(0, dtype=np.uint64)),
        table=nothing.astype(np.float32),
        squares=np.array([0, 1], dtype=np.float32),
        rarities=np.array([0, 1], dtype=np.float32),
        gram_slots=SlotTable.build(word_hashes([b"\1a"])),
        gram_table=np.concatenate((halves[None], nothing)),
        intercept=nothing[0].astype(np.float32),
        sharpness=1.0,
    )
    # The only word has three n-grams, of which the model has one.
    found = with_kernel(scorer, "compiled").margins(["a"])[0]
    np.testing.assert_allclose(found, halves.astype(np.float32) / np.sqrt(np.float32(3)), rtol=1e-6)


def test_a_long_ticket(scorer: Scorer) -> None:
    """A ticket of very many different words, each of them unknown, is added up as NumPy adds it."""
    assert_alike(scorer, [" ".join(f"w{i:x}" for i in range(7_000)), "a " * 30_000, "\0" * 50_000])


def test_many_threads(scorer: Scorer) -> None:
    """Threads that score at once with one model disturb each other in nothing."""
    fresh = with_kernel(scorer, "compiled")
    texts = [f"the domain w{i} is wrong {'H12 ' * (i % 9)}" for i in range(400)]
    expected = fresh.margins(texts)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda i: fresh.margins(texts[i : i + 3]), range(0, 400, 3)))
    assert np.array_equal(np.concatenate(found), expected)


@given(st.integers(0, 2**32 - 1))
def test_a_damaged_model(scorer: Scorer, seed: int) -> None:
    """Slots and seeds that name rows that are not there do no harm: such a row counts as unknown."""
    random = np.random.default_rng(seed)

    def damaged(table: SlotTable) -> SlotTable:
        slots = table.slots.copy()
        chosen = random.random(len(slots)) < 0.5
        # The fingerprint stays, the row becomes any number, so that words that are known find it.
        slots[chosen] ^= random.integers(0, 2**32, int(chosen.sum()), dtype=np.uint64)
        return SlotTable(slots, random.permutation(table.seeds) if random.random() < 0.2 else table.seeds)

    broken = replace(scorer, slots=damaged(scorer.slots), gram_slots=damaged(scorer.gram_slots))
    assert_alike(broken, ["the domain is wrong", "invoicing zzzqx", "name servers do not answer"])


@pytest.mark.parametrize(("n_slots", "n_seeds"), [(2, 2), (3, 5), (1_000, 7)])
def test_a_table_of_another_size(scorer: Scorer, n_slots: int, n_seeds: int) -> None:
    """Tables of slots whose length is no power of two are read within their bounds."""
    ones = np.full(n_slots, 2**64 - 1, dtype=np.uint64)
    odd = SlotTable(ones, np.full(n_seeds, 255, dtype=np.uint8))
    assert_alike(replace(scorer, slots=odd, gram_slots=odd), ["the domain is wrong"])


@pytest.mark.parametrize("sizes", [(1, 2), (2, 1), (0, 2)])
def test_too_small_a_table(sizes: tuple[int, int]) -> None:
    """A table with less than two slots or seeds is none."""
    with pytest.raises(ValueError, match="two slots and two seeds"):
        SlotTable(np.zeros(sizes[0], dtype=np.uint64), np.zeros(sizes[1], dtype=np.uint8))


@pytest.mark.parametrize("name", ["table", "squares", "gram_table", "intercept"])
def test_arrays_that_do_not_fit(scorer: Scorer, name: str) -> None:
    """A model whose arrays do not fit together is none: the compiled kernel would read beyond them."""
    array: npt.NDArray[np.float32] = getattr(scorer, name)
    with pytest.raises(ValueError, match="must fit its 3 categories"):
        replace(scorer, **{name: array[..., :-1]})


def test_arrays_in_another_order(scorer: Scorer) -> None:
    """Arrays that lie column by column, or with gaps, are read as what they are."""
    table, squares = np.asfortranarray(scorer.table), np.repeat(scorer.squares, 2)[::2]
    assert_alike(replace(scorer, table=table, squares=squares), ["the domain is wrong zzzqx"])


def test_a_pickled_model(scorer: Scorer) -> None:
    """A model that was used can be pickled, and says the same in its new place."""
    used = with_kernel(scorer, "compiled")
    copy = pickle.loads(pickle.dumps(used))  # noqa: S301  # Its own.
    assert np.array_equal(copy.margins(["the domain zzzqx"]), used.margins(["the domain zzzqx"]))


def test_numpy_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment variable DEFLECT_KERNEL leaves the compiled code alone."""
    monkeypatch.setenv("DEFLECT_KERNEL", "numpy")
    assert compiled() is None


def test_no_library(tmp_path: Path) -> None:
    """Where nothing was compiled there is nothing to warn of."""
    assert load_library(tmp_path / "kernel.compiled") is None


def test_no_library_at_all(tmp_path: Path) -> None:
    """A library that is none is warned of, and left alone."""
    (tmp_path / "kernel.compiled").write_bytes(b"\x7fELF or not")
    with pytest.warns(RuntimeWarning, match="must have version"):
        assert load_library(tmp_path / "kernel.compiled") is None


def test_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Compiled code of another version is warned of, and left alone."""
    if not LIBRARY.is_file():
        pytest.skip("there was no C compiler when deflect was installed")
    shutil.copy(LIBRARY, tmp_path / "kernel.compiled")
    monkeypatch.setattr(module, "_VERSION", 1_000)
    with pytest.warns(RuntimeWarning, match=r"must have version 1000\. Got \d+\. Install ticket-deflect again"):
        assert load_library(tmp_path / "kernel.compiled") is None


@pytest.mark.parametrize("compiler", ["/bin/false", "no-such-compiler"])
def test_no_compiler(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiler: str) -> None:
    """Where compiling fails, one line says so, and a library of older source goes."""
    (tmp_path / "kernel.compiled").write_bytes(b"older")
    monkeypatch.setenv("CC", compiler)
    problem = compile_kernel(root / SOURCE, tmp_path / "kernel.compiled")
    assert compiler in problem
    assert len(problem.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_faulty_source(tmp_path: Path) -> None:
    """What the compiler says first of faulty source is in that line."""
    (tmp_path / "kernel.c").write_text("int f(void) { return nothing; }\nint g(void) { return none; }\n")
    problem = compile_kernel(tmp_path / "kernel.c", tmp_path / "kernel.compiled")
    assert "nothing" in problem
    assert len(problem.splitlines()) == 1
