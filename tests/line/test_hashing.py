"""Hashes of stretches, and the table that finds them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from deflect.line.hashing import PrefixHash, SlotTable, UInt64s, _Powers, mix, pair

WORD = st.binary(min_size=1, max_size=20).map(lambda raw: raw.replace(b"\0", b"\1"))
#: Few upper halves, so that many keys share a home or have neighbouring homes, and the ends of the range.
UPPER = st.one_of(
    st.sampled_from([0, 1, 2**31, 2**32 - 2, 2**32 - 1]),
    st.integers(2**32 - 8, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)
LOWER = st.one_of(st.sampled_from([0, 1, 2**31, 2**32 - 2, 2**32 - 1]), st.integers(0, 2**32 - 1))
#: Keys differ in their lower halves, which is what the table promises to tell apart for certain.
KEYS = st.lists(st.tuples(UPPER, LOWER), unique_by=lambda halves: halves[1], max_size=60)
ABSENT = 1_000_000


def hash_of(*words: bytes, before: bytes = b"\1", between: bytes = b"\1") -> list[int]:
    """Return the hashes of words that stand one behind the other in a buffer."""
    buffer = np.frombuffer(before + between.join(words) + between, dtype=np.uint8)
    sizes = np.array([len(word) for word in words])
    ends = len(before) + np.cumsum(sizes + len(between)) - len(between)
    return PrefixHash(buffer)(ends - sizes, ends).tolist()


def keys_of(halves: list[tuple[int, int]]) -> UInt64s:
    """Return keys that are given by their upper and lower halves."""
    return np.array([(upper << 32) | lower for upper, lower in halves], dtype=np.uint64)


@given(WORD, st.binary(max_size=300), st.binary(max_size=50))
def test_a_hash_does_not_depend_on_the_position(word: bytes, before: bytes, behind: bytes) -> None:
    """A word has the same hash wherever it stands and whatever stands around it."""
    alone, moved = hash_of(word), hash_of(word, before=before, between=b"\1" + behind)
    assert moved == alone


@given(st.lists(WORD, min_size=1, max_size=20))
def test_equal_words_have_equal_hashes(words: list[bytes]) -> None:
    """Two words of a buffer have the same hash exactly if they are the same bytes."""
    hashes = hash_of(*words)
    assert [[a == b for b in hashes] for a in hashes] == [[a == b for b in words] for a in words]


def test_many_words_have_many_hashes() -> None:
    """No two of 200,000 words share a hash, nor half of one, which is a fingerprint, more often than chance."""
    words = [f"{i:x}".encode() for i in range(200_000)]
    hashes = np.array(hash_of(*words), dtype=np.uint64)
    assert len(np.unique(hashes)) == len(words)
    # Among 200,000 random numbers of 32 bits, 4.7 pairs are expected to be equal.
    assert len(words) - len(np.unique(hashes & np.uint64(2**32 - 1))) < 20
    assert len(words) - len(np.unique(hashes >> np.uint64(32))) < 20


def test_similar_words() -> None:
    """Words that differ in one byte, in the order of their bytes or in their length have different hashes."""
    words = [b"ab", b"ba", b"a", b"b", b"aa", b"aaa", b"\1", b"\1\1", b"\1a", b"a\1", b"\xff", b"\xff\xff"]
    assert len(set(hash_of(*words))) == len(words)


def test_an_empty_stretch() -> None:
    """An empty stretch has a hash too, the same everywhere."""
    prefix = PrefixHash(np.frombuffer(b"\1abc\1", dtype=np.uint8))
    places = np.arange(6)
    assert prefix(places, places).tolist() == [0] * 6


def test_an_empty_buffer() -> None:
    """A buffer without bytes has no stretches, and can be hashed."""
    none = np.empty(0, dtype=np.int64)
    assert PrefixHash(np.empty(0, dtype=np.uint8))(none, none).tolist() == []


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_pair_is_ordered(left: int, right: int) -> None:
    """The pair of two different hashes is another one the other way round."""
    assume(left != right)
    hashes = np.array([left, right], dtype=np.uint64)
    forward, backward = pair(hashes, hashes[::-1]).tolist()
    assert forward != backward


def test_pairs_of_many_words_differ() -> None:
    """The 250,000 ordered pairs of 500 words have different hashes, none of them a word's."""
    words = np.array(hash_of(*[f"{i}".encode() for i in range(500)]), dtype=np.uint64)
    pairs = pair(np.repeat(words, 500), np.tile(words, 500))
    assert len(np.unique(np.concatenate((words, pairs)))) == 250_500


@given(st.lists(st.integers(0, 2**64 - 1), unique=True))
def test_mixing_loses_nothing(values: list[int]) -> None:
    """Different hashes stay different when they are mixed."""
    assert len(np.unique(mix(np.array(values, dtype=np.uint64)))) == len(values)


@given(st.lists(st.integers(1, 5_000), min_size=1, max_size=8))
@example([1, 2, 3, 4, 5, 8, 9, 4_096, 4_097])
def test_powers_reach(lengths: list[int]) -> None:
    """Powers grow to whatever length is asked for, and those of the inverse stay inverse."""
    powers = _Powers()
    for n in lengths:
        up, down = powers.reach(n)
        assert min(len(up), len(down)) >= n
        assert set((up[:n] * down[:n]).tolist()) == {1}


def test_threads_grow_the_powers() -> None:
    """Threads that need powers of different lengths at once each receive enough of both."""
    powers = _Powers()
    lengths = [1 << (i * 7 % 12) for i in range(2_000)]
    with ThreadPoolExecutor(8) as pool:
        both = list(pool.map(powers.reach, lengths))
    assert all(len(up) == len(down) >= n for (up, down), n in zip(both, lengths, strict=True))


@given(KEYS, KEYS)
def test_a_table_finds_its_keys_and_no_others(present: list[tuple[int, int]], others: list[tuple[int, int]]) -> None:
    """Each key is found in the row it was given, and a key with another lower half is absent."""
    keys = keys_of(present)
    lowers = {lower for _, lower in present}
    unknown = keys_of([halves for halves in others if halves[1] not in lowers])
    table = SlotTable.build(keys)
    assert table.find(keys, ABSENT).tolist() == list(range(len(keys)))
    assert table.find(unknown, ABSENT).tolist() == [ABSENT] * len(unknown)


@given(KEYS)
def test_a_table_is_its_slots_and_seeds(present: list[tuple[int, int]]) -> None:
    """A table that is made from the slots and seeds of another finds the same."""
    keys = keys_of(present)
    built = SlotTable.build(keys)
    assert SlotTable(built.slots, built.seeds).find(keys, ABSENT).tolist() == list(range(len(keys)))


@pytest.mark.parametrize("upper", [0, 2**31, 2**32 - 1])
def test_all_keys_share_a_bucket(upper: int) -> None:
    """A thousand keys with one bucket, for which there is no seed until the table has grown, are all found."""
    keys = keys_of([(upper, 2 * lower) for lower in range(1_000)])
    table = SlotTable.build(keys)
    odd = keys_of([(upper, 2 * lower + 1) for lower in range(1_000)])
    assert table.find(keys, ABSENT).tolist() == list(range(1_000))
    assert set(table.find(odd, ABSENT).tolist()) == {ABSENT}


def test_an_empty_table() -> None:
    """A table without keys finds nothing, also not the hash that looks most like an empty slot."""
    table = SlotTable.build(np.empty(0, dtype=np.uint64))
    asked = np.array([0, 1, 2**32 - 1, 2**63, 2**64 - 1], dtype=np.uint64)
    assert table.find(asked, ABSENT).tolist() == [ABSENT] * 5


@pytest.mark.parametrize("key", [0, 1, 2**32 - 1, 2**32, 2**63, 2**64 - 2**32, 2**64 - 1])
def test_one_key(key: int) -> None:
    """A table of one key finds it in row 0, and nothing else."""
    table = SlotTable.build(np.array([key], dtype=np.uint64))
    asked = np.array([key, key ^ 1, key ^ 2, key ^ 3], dtype=np.uint64)
    assert table.find(asked, ABSENT).tolist() == [0, ABSENT, ABSENT, ABSENT]


def test_a_fingerprint_of_ones() -> None:
    """A hash whose lower half is all ones is absent where its slot is empty."""
    table = SlotTable.build(np.array([5], dtype=np.uint64))
    assert table.find(np.array([0xABCD0000FFFFFFFF], dtype=np.uint64), ABSENT).tolist() == [ABSENT]


def test_no_questions() -> None:
    """Looking up nothing finds nothing."""
    table = SlotTable.build(np.array([5], dtype=np.uint64))
    assert table.find(np.empty(0, dtype=np.uint64), ABSENT).tolist() == []


def test_the_questions_stay_as_they_are() -> None:
    """Looking hashes up does not change the array that holds them."""
    keys = np.array([5, 6, 2**63], dtype=np.uint64)
    asked = keys.copy()
    SlotTable.build(keys).find(asked, ABSENT)
    assert asked.tolist() == keys.tolist()


@pytest.mark.parametrize("n_keys", [1, 7, 8, 9, 127, 128, 129, 5_000])
def test_a_table_grows(n_keys: int) -> None:
    """A table of any size is at most two thirds full and finds each key, in whatever order they were given."""
    keys = mix(np.arange(1, n_keys + 1, dtype=np.uint64))
    keys = np.random.default_rng(0).permutation(keys)
    table = SlotTable.build(keys)
    assert 2 * len(table.slots) > 3 * n_keys
    assert table.find(keys, ABSENT).tolist() == list(range(n_keys))


def test_a_small_and_a_large_lookup_agree() -> None:
    """A hash is found or absent whatever is looked up beside it."""
    keys = mix(np.arange(1, 1_001, dtype=np.uint64))
    table = SlotTable.build(keys[:500])
    one_by_one = [table.find(keys[i : i + 1], ABSENT)[0] for i in range(1_000)]
    assert one_by_one == table.find(keys, ABSENT).tolist() == [*range(500), *[ABSENT] * 500]
