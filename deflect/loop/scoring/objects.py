"""Reads JSON lines that stay as they are: where each is one plain object, Arrow finds the texts in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import json as pa_json

from deflect.loop.scoring.answers import ANSWER
from deflect.loop.scoring.lines import Texts, json_text
from deflect.loop.tickets import TEXT

#: What Arrow takes for a number and Python does not, and the names of answers, which must be replaced.
_ODD_MEMBER = rf'[:,\[]\s*(?:-?Inf|-NaN)\s*[,\]}}]|"(?:{"|".join(ANSWER.names)})"'
#: A name spelled with escapes, which may be that of a column of text.
_ODD_NAME = r'\\u[^"]*"\s*:'
_LINE_FEED, _OPENS, _CLOSES = b"\n{}"


class PlainObjects(NamedTuple):
    """A table of the texts of JSON objects, and the objects as ``lines.opened_objects`` returns them."""

    texts: pa.Table
    opened: Texts


def plain_objects(raw: bytes, names: Sequence[str]) -> PlainObjects | None:
    """Return the objects of JSON lines with those columns of text that any has; None where a line is not plain.

    Where a line has not all of these columns, or one that is no text, Python must look, too.
    """
    there = [name for name in names if json_text(name).encode() in raw]
    odd = _ODD_MEMBER if len(there) == len(names) else f"{_ODD_MEMBER}|{_ODD_NAME}"
    try:
        opened = _opened_lines(raw if raw.endswith(b"\n") else raw + b"\n", odd)
        table = pa_json.read_json(
            pa.py_buffer(raw),
            read_options=pa_json.ReadOptions(block_size=len(raw) + 1, use_threads=False),
            parse_options=pa_json.ParseOptions(
                explicit_schema=pa.schema([(name, pa.string()) for name in there or [TEXT]]),
                unexpected_field_behavior="ignore",
            ),
        )
    except pa.ArrowInvalid:
        return None
    is_whole = len(table) == len(opened) and not any(column.null_count for column in table.columns)
    return PlainObjects(table, opened) if is_whole else None


def _opened_lines(raw: bytes, odd: str) -> Texts:
    """Return the objects of lines up to where their next member stands.

    If all is JSON, each line is one object: where a brace closes and the next opens behind a mere line feed, no object
    can be open. A NUL would end the text for Arrow.

    Raises
    ------
    pyarrow.ArrowInvalid
        A line does not begin or end as an object, or is not UTF-8, or holds what is odd.

    """
    text = np.frombuffer(raw, np.uint8)
    ends = np.flatnonzero(text == _LINE_FEED) + 1
    edges = np.concatenate(([0], ends))
    are_objects = (text[edges[:-1]] == _OPENS).all() and (text[ends - 2] == _CLOSES).all()
    buffers = [None, pa.py_buffer(edges), pa.py_buffer(raw)]
    lines = pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(ends), buffers).cast(pa.large_string())
    if not are_objects or b"\0" in raw or pc.any(pc.match_substring_regex(lines, odd)).as_py():
        msg = "Lines must be plain objects. They are not."
        raise pa.ArrowInvalid(msg)
    return pa.chunked_array([pc.replace_substring_regex(lines, r"}\n\z", ", ")])
