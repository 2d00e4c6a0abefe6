from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.errors import ParameterError, TrainingDataError
from deflect.loop.splits import Split, split_tickets

PARTS = ("train", "calibration", "test")
SEEDS = st.integers(0, 2**32 - 1)
SHARES = st.sampled_from([(0.6, 0.2, 0.2), (0.5, 0.5, 0.0), (0.0, 0.3, 0.7), (1.0, 0.0, 0.0), (0.8, 0.0, 0.2)])


def tickets(n: int, seed: int = 0, n_families: int | None = None) -> pd.DataFrame:
    """Return tickets of random words with categories and times; those of one family have one text but for its case."""
    rng = np.random.default_rng(seed)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz"))
    families = np.arange(n) if n_families is None else rng.integers(n_families, size=n)
    spoken = [" ".join(map("".join, rng.choice(letters, (8, 7)))) for _ in range(families.max(initial=0) + 1)]
    texts = [spoken[family].upper() if i % 2 else f"{spoken[family]}." for i, family in enumerate(families)]
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.permutation(n), unit="D")
    categories = np.array(["dns", "timeout"])[np.arange(n) % 2]
    frame = {"text": texts, "category": categories, "created_at": days.astype(str), "family": families}
    return pd.DataFrame(frame, index=pd.RangeIndex(2, n + 2, name="line"))


def parts_of(split: Split) -> list[pd.DataFrame]:
    """Return the three parts."""
    return [getattr(split, name) for name in PARTS]


def sizes(split: Split) -> list[int]:
    """Return how many tickets each part has."""
    return [len(part) for part in parts_of(split)]


def straddlers(split: Split, column: str) -> set[object]:
    """Return the values of a column that stand in more than one part."""
    found = [set(part[column].dropna()) for part in parts_of(split)]
    return (found[0] & found[1]) | (found[0] & found[2]) | (found[1] & found[2])


def day(frame: pd.DataFrame) -> pd.Series:
    """Return the times of tickets."""
    return pd.to_datetime(frame["created_at"])


@pytest.mark.parametrize("time", [None, "created_at"])
def test_fractions_are_met(time: str | None) -> None:
    """Of 200 different tickets, the parts have 120, 40 and 40."""
    assert sizes(split_tickets(tickets(200), time=time)) == [120, 40, 40]


def test_random_cut_keeps_each_category_share() -> None:
    """Cut at random, each category is cut in the same shares."""
    frame = tickets(200)
    frame["category"] = np.where(np.arange(200) < 20, "rare", "usual")
    split = split_tickets(frame)
    assert [part["category"].value_counts()["rare"] for part in parts_of(split)] == [12, 4, 4]


@pytest.mark.parametrize("n_categories", [1, 7, 60, 200])
def test_small_categories_do_not_starve_a_part(n_categories: int) -> None:
    """The fractions are met, up to a ticket, also where each category has a few tickets or one."""
    frame = tickets(200).assign(category=[f"c{i % n_categories}" for i in range(200)])
    assert sizes(split_tickets(frame)) == pytest.approx([120, 40, 40], abs=1)


@given(SEEDS, SHARES, st.booleans())
def test_no_ticket_is_lost_or_doubled(seed: int, fractions: tuple[float, float, float], is_by_time: bool) -> None:  # noqa: FBT001  # hypothesis passes it by position.
    """The parts together have each row of the frame once, in its order, with its index and columns."""
    frame = tickets(40, seed, 20)
    split = split_tickets(frame, time="created_at" if is_by_time else None, fractions=fractions)
    pd.testing.assert_frame_equal(pd.concat(parts_of(split)).sort_index(), frame)
    for part in parts_of(split):
        assert part.index.is_monotonic_increasing
        assert part.index.name == "line"


@given(SEEDS, SHARES, st.booleans())
def test_near_duplicates_do_not_straddle(seed: int, fractions: tuple[float, float, float], is_by_time: bool) -> None:  # noqa: FBT001  # hypothesis passes it by position.
    """Tickets with the same words are in one part."""
    frame = tickets(60, seed, 25)
    split = split_tickets(frame, time="created_at" if is_by_time else None, fractions=fractions)
    assert straddlers(split, "family") == set()
    assert split.n_groups == frame["family"].nunique()


@given(SEEDS, SHARES, st.booleans())
def test_requesters_do_not_straddle(seed: int, fractions: tuple[float, float, float], is_by_time: bool) -> None:  # noqa: FBT001  # hypothesis passes it by position.
    """Tickets of one requester are in one part, and so are all near-duplicates of any of them."""
    frame = tickets(60, seed, 50)
    rng = np.random.default_rng(seed)
    frame["requester"] = [None if number < 5 else f"r{number}" for number in rng.integers(40, size=60).tolist()]
    time = "created_at" if is_by_time else None
    split = split_tickets(frame, requester="requester", time=time, fractions=fractions)
    assert straddlers(split, "requester") == set()
    assert straddlers(split, "family") == set()


def test_missing_requesters_tie_nothing_together() -> None:
    """Tickets without a requester are not taken for those of one."""
    frame = tickets(50).assign(requester=None)
    assert split_tickets(frame, requester="requester").n_groups == 50


def test_missing_texts_are_empty() -> None:
    """Missing texts count as empty, which makes them one group."""
    frame = tickets(50)
    frame.loc[[4, 9], "text"] = None
    split = split_tickets(frame)
    assert split.n_groups == 49
    assert (
        len({name for name, part in zip(PARTS, parts_of(split), strict=True) for line in (4, 9) if line in part.index})
        == 1
    )


@given(SEEDS, SHARES, st.booleans())
def test_share_of_nothing_is_empty(seed: int, fractions: tuple[float, float, float], is_by_time: bool) -> None:  # noqa: FBT001  # hypothesis passes it by position.
    """A part whose fraction is 0 has no ticket."""
    split = split_tickets(tickets(30, seed, 20), time="created_at" if is_by_time else None, fractions=fractions)
    assert [size for size, share in zip(sizes(split), fractions, strict=True) if not share] == [0] * fractions.count(0)


def test_time_cuts_from_old_to_new() -> None:
    """Of tickets without near-duplicates, each part is older than the next."""
    split = split_tickets(tickets(100), time="created_at")
    assert day(split.train).max() < day(split.calibration).min()
    assert day(split.calibration).max() < day(split.test).min()


@given(SEEDS)
def test_no_ticket_is_newer_than_a_group_of_a_later_part(seed: int) -> None:
    """With groups, no ticket of train is newer than the newest of any group in test, so nothing later leaks."""
    split = split_tickets(tickets(60, seed, 40), time="created_at")
    newest = split.test.assign(day=day(split.test)).groupby("family")["day"].max()
    assert day(split.train).max() < newest.min()
    assert day(split.calibration).max() < newest.min()


def test_few_tickets_are_cut_by_time_too() -> None:
    """Ten tickets are cut 6, 2 and 2: in a small archive no ticket is taken for a giant group."""
    assert sizes(split_tickets(tickets(10), time="created_at")) == [6, 2, 2]


def test_giant_groups_go_into_train() -> None:
    """By time, a mailing robot with a fifth of all tickets goes into train, wherever its newest ticket falls."""
    frame = tickets(200)
    frame["requester"] = [f"r{i}" for i in range(200)]
    frame.loc[frame.index[:40], "requester"] = "robot"
    split = split_tickets(frame, time="created_at", requester="requester")
    assert (split.train["requester"] == "robot").sum() == 40


@pytest.mark.parametrize(
    "times",
    [
        ["2025-01-03", "2025-01-01 10:00:00", "2025-01-02T10:00:00Z", "2025-01-04T01:00:00+02:00"],
        [1735862400, 1735689600, 1735776000, 1735948800],
        list(pd.to_datetime(["2025-01-03", "2025-01-01", "2025-01-02", "2025-01-04"])),
    ],
)
def test_times_are_read(times: list[object]) -> None:
    """Times may be text in several formats, numbers, or times."""
    frame = tickets(4).assign(created_at=times)
    split = split_tickets(frame, time="created_at", fractions=(0.5, 0.25, 0.25))
    assert [part.index.tolist() for part in parts_of(split)] == [[3, 4], [2], [5]]


def test_bad_times_are_named_by_row() -> None:
    """Times that are missing or cannot be read are all named by their rows, not by what stands there."""
    frame = tickets(6)
    frame.loc[[3, 5], "created_at"] = [None, "our secret plan"]
    message = r"^The column created_at must have a time in each row\. Got none that can be read in row 3, 5\.$"
    with pytest.raises(TrainingDataError, match=message):
        split_tickets(frame, time="created_at")


def test_many_bad_times_are_cut_short() -> None:
    """Of many bad times the first ten are named."""
    with pytest.raises(TrainingDataError, match=r"in row 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, \.\.\.\.$"):
        split_tickets(tickets(30).assign(created_at="never"), time="created_at")


@pytest.mark.parametrize("name", ["text", "category", "time", "requester"])
def test_missing_column_is_named(name: str) -> None:
    """A column that is not there is named, with those that are."""
    message = r"must have the columns wanted\. Got text, category, created_at, family\."
    with pytest.raises(TrainingDataError, match=message):
        split_tickets(tickets(4), **{name: "wanted"})


@pytest.mark.parametrize("fractions", [(0.6, 0.2), (0.6, 0.2, 0.3), (1.2, -0.2, 0.0), (60, 20, 20)])
def test_bad_fractions_are_refused(fractions: tuple[float, float, float]) -> None:
    """Fractions that are not three, or below 0, or not 1 together, are refused with what was got."""
    message = r"fractions must be three numbers, 0 or more, that add up to 1\. Got \(.*\) instead\."
    with pytest.raises(ParameterError, match=message):
        split_tickets(tickets(4), fractions=fractions)


def test_cut_is_deterministic() -> None:
    """One random_state makes one cut; another makes another."""
    frame = tickets(100)
    first, again, other = (split_tickets(frame, random_state=seed).test.index.tolist() for seed in (0, 0, 1))
    assert first == again
    assert first != other


def test_columns_may_have_other_names() -> None:
    """The columns of text and category are named by the caller, and stay as they are."""
    frame = tickets(20).rename(columns={"text": "body", "category": "topic"})
    split = split_tickets(frame, text="body", category="topic")
    assert split.train.columns.tolist() == ["body", "topic", "created_at", "family"]
    assert sizes(split) == [12, 4, 4]


@pytest.mark.parametrize("time", [None, "created_at"])
def test_empty_frame_makes_empty_parts(time: str | None) -> None:
    """Of no tickets all parts are empty."""
    assert sizes(split_tickets(tickets(0), time=time)) == [0, 0, 0]


@pytest.mark.parametrize("random_state", range(5))
def test_a_large_group_starves_no_other_category(random_state: int) -> None:
    """After a hundred copies of one mail in one part, the next category still has most of its tickets in train."""
    rng = np.random.default_rng(random_state)
    robot = [f"Purchase order {number} was approved by the system, no action is needed." for number in range(100)]
    others = [" ".join(f"w{word}" for word in rng.integers(0, 5_000, 12)) for _ in range(60)]
    frame = pd.DataFrame({"text": robot + others, "category": ["a robot"] * 100 + ["dns", "slow", "card"] * 20})
    split = split_tickets(frame, fractions=(0.6, 0.2, 0.2), random_state=random_state)
    assert split.train["category"].value_counts()[["dns", "slow", "card"]].between(11, 13).all()
