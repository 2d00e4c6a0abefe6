"""Lines of CSV and JSON that Arrow puts together are those that Python writes."""

from __future__ import annotations

import csv
import io
import json

import pyarrow as pa
from hypothesis import example, given
from hypothesis import strategies as st

from deflect.loop.scoring.lines import csv_lines, json_answers, json_lines, opened_objects

CELLS = st.none() | st.text(st.characters(codec="utf-8") | st.sampled_from('",\r\n\t\0\\\x1f\x7f'), max_size=9)
ROWS = st.lists(st.tuples(CELLS, CELLS), max_size=6)


def parts(rows: list[tuple[str | None, str | None]]) -> tuple[pa.Table, dict[str, pa.Array]]:
    """Return rows as columns to keep, one of them no text, and a column of the answer."""
    first, second = ([row[i] for row in rows] for i in range(2))
    numbers = [None if i == 1 else {"n": i} for i in range(len(rows))]
    kept = pa.table({'a"%s': pa.array(first, pa.string()), "n": pa.array(numbers, pa.struct([("n", pa.int64())]))})
    return kept, {"answer": pa.array(second, pa.string()), "sure": pa.array([0.25] * len(rows))}


def expected(rows: list[tuple[str | None, str | None]]) -> list[dict[str, object]]:
    """Return the same rows, one by one."""
    return [
        {'a"%s': first, "n": None if i == 1 else {"n": i}, "answer": second, "sure": 0.25}
        for i, (first, second) in enumerate(rows)
    ]


@given(rows=ROWS, delimiter=st.sampled_from(",\t"))
@example(rows=[("\r", '"'), ("", None)], delimiter=",")
def test_csv(rows: list[tuple[str | None, str | None]], delimiter: str) -> None:
    """A cell is quoted where Python's writer quotes it."""
    buffer = io.StringIO(newline="")
    values = [[json.dumps(cell) if isinstance(cell, dict) else cell for cell in row.values()] for row in expected(rows)]
    csv.writer(buffer, delimiter=delimiter).writerows(values)
    assert csv_lines(*parts(rows), delimiter) == buffer.getvalue().encode()


@given(rows=ROWS)
def test_json(rows: list[tuple[str | None, str | None]]) -> None:
    """A value is escaped as Python escapes it, and what is not there is null."""
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in expected(rows))
    assert json_lines(*parts(rows)) == lines.encode()


@given(rows=ROWS)
def test_objects_get_the_answer_as_their_last_members(rows: list[tuple[str | None, str | None]]) -> None:
    """The answer follows what an object has, also where it has nothing."""
    _, answers = parts(rows)
    objects: list[dict[str, object]] = [{} if first is None else {"a": first} for first, _ in rows]
    answered = [{**one, "answer": second, "sure": 0.25} for one, (_, second) in zip(objects, rows, strict=True)]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in answered)
    assert json_answers(opened_objects(objects), answers) == lines.encode()
