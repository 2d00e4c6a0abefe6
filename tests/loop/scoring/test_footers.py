from __future__ import annotations

import io
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from deflect.loop.scoring.footers import (
    MAGIC,
    Elements,
    Field,
    Reader,
    Struct,
    joined_footer,
    moved_groups,
    packed,
    split_parquet,
)

#: Values of parquet.thrift by the number of their Thrift type.
INTEGERS = st.integers(-(2**63), 2**63 - 1)
FIELDS = st.recursive(
    st.one_of(
        st.builds(Field, st.sampled_from([1, 2]), st.just(0)),
        st.builds(Field, st.just(3), st.integers(0, 255)),
        st.builds(Field, st.sampled_from([4, 5, 6]), INTEGERS),
        st.builds(Field, st.just(7), st.binary(min_size=8, max_size=8)),
        st.builds(Field, st.just(8), st.binary(max_size=200)),
        st.builds(Field, st.just(9), st.builds(Elements, st.just(6), st.lists(INTEGERS, max_size=20))),
    ),
    lambda inner: st.builds(Field, st.just(12), st.dictionaries(st.integers(1, 300), inner, max_size=6).map(Struct)),
    max_leaves=20,
)


@given(st.dictionaries(st.integers(1, 300), FIELDS, max_size=8).map(Struct))
def test_a_struct_is_read_as_it_was_packed(fields: Struct) -> None:
    """Whatever a struct holds, packing and reading it give it back."""
    assert Reader(packed(fields)).struct() == fields


def parquet(n_rows: int, first: int) -> bytes:
    """Return a Parquet file of several types and row groups."""
    table = pa.table(
        {
            "text": [f"ticket {i}" for i in range(first, first + n_rows)],
            "number": pa.array([i / 7 for i in range(n_rows)]),
            "flag": pa.array([None if i % 3 else bool(i % 2) for i in range(n_rows)], pa.bool_()),
            "nested": pa.array([[{"x": i}] for i in range(n_rows)]),
            "at": pa.array([datetime(2026, 1, 2, tzinfo=UTC)] * n_rows),
        }
    ).replace_schema_metadata({"who": "me"})
    sink = io.BytesIO()
    pq.write_table(table, sink, row_group_size=40)
    return sink.getvalue()


def test_a_real_footer_is_packed_as_it_was() -> None:
    """The footer that Arrow writes comes back byte for byte."""
    _, footer = split_parquet(parquet(100, 0))
    assert packed(Reader(footer).struct()) == footer


@given(st.lists(st.integers(1, 130), min_size=1, max_size=5))
def test_joined_files_are_one(sizes: list[int]) -> None:
    """The row groups of several files under one footer are a file with all their rows, schema and metadata."""
    tables, body, groups, n_groups, template = [], MAGIC, b"", 0, b""
    for n_rows in sizes:
        raw = parquet(n_rows, len(groups))
        part, footer = split_parquet(raw)
        moved = moved_groups(footer, len(body) - len(MAGIC), n_groups)
        tables.append(pq.read_table(io.BytesIO(raw)))
        body, groups, n_groups, template = body + part, groups + b"".join(moved), n_groups + len(moved), footer
    whole = io.BytesIO(body + joined_footer(template, groups, n_groups, sum(sizes)))
    file = pq.ParquetFile(whole)
    assert file.read().equals(pa.concat_tables(tables), check_metadata=True)
    assert (file.metadata.num_rows, file.num_row_groups) == (sum(sizes), n_groups)
    last = file.num_row_groups - 1
    assert file.read_row_group(last).slice(0, 1).to_pylist()[0]["text"].startswith("ticket")


def test_many_columns_and_groups() -> None:
    """Lists longer than the short form holds are read and packed too."""
    table = pa.table({f"c{i}": [1] for i in range(40)})
    sink = io.BytesIO()
    pq.write_table(table, sink)
    _, footer = split_parquet(sink.getvalue())
    assert packed(Reader(footer).struct()) == footer
