from __future__ import annotations

import gzip
import zlib
from io import BufferedReader, BytesIO

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.loop import packing
from deflect.loop.packing import unpacked

MEMBERS = st.lists(
    st.tuples(st.binary(max_size=2_000), st.sampled_from([b"", b"\0", b"\0" * 600])), min_size=1, max_size=4
)


@pytest.fixture(params=["isal", "zlib"])
def _library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "zlib":
        monkeypatch.setattr(packing, "zlib", zlib)


def opened(raw: bytes, name: str = ".gz") -> BufferedReader:
    """Return packed bytes as an open file of what they hold."""
    return unpacked(BufferedReader(BytesIO(raw)), name)


@given(members=MEMBERS, n_bytes=st.sampled_from([1, 7, 512, 1 << 16]))
def test_members_are_one_text(members: list[tuple[bytes, bytes]], n_bytes: int) -> None:
    """Members of gzip are read as one, with zeros between or not, however little is read at a time."""
    raw = b"".join(gzip.compress(text) + zeros for text, zeros in members)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "_GZIP_BYTES", n_bytes)
        assert opened(raw).read() == b"".join(text for text, _ in members)


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("name", [".gz", ".zst"])
def test_what_is_whole_of_a_cut_file_is_given(name: str) -> None:
    """A file that is cut short gives most of what is before the cut, then raises EOFError."""
    text = b"".join(b"%d: requests are slow\n" % i for i in range(50_000))
    whole = gzip.compress(text) if name == ".gz" else pa.compress(text, codec="zstd", asbytes=True)
    got = bytearray()

    def read() -> None:
        file = opened(whole[: len(whole) // 2], name)
        while part := file.read1(1 << 16):
            got.extend(part)

    with pytest.raises(EOFError):
        read()
    assert text.startswith(got)
    assert len(got) > len(text) // 5


@pytest.mark.usefixtures("_library")
@pytest.mark.parametrize("place", [-1, -6, 400])
def test_damage_is_seen(place: int) -> None:
    """A changed byte in the length, the checksum or the text raises EOFError."""
    raw = bytearray(gzip.compress(bytes(range(256)) * 40))
    raw[min(place, len(raw) // 2)] ^= 0x10
    with pytest.raises(EOFError):
        opened(bytes(raw)).read()
