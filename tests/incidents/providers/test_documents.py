"""JSON or XML out of bytes."""

from __future__ import annotations

import time

import pytest

from deflect.errors import IncidentFeedError, NoStatusPageError
from deflect.incidents.providers.documents import Xml, read_document


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_json_encodings(encoding: str) -> None:
    """JSON is read in every encoding that it may have, with and without a byte order mark."""
    assert read_document('{"name": "Störung"}'.encode(encoding), None, "here") == {"name": "Störung"}


def test_json_in_the_servers_encoding() -> None:
    """JSON that is no UTF-8 is read as the server says."""
    assert read_document('["Störung"]'.encode("latin-1"), "iso-8859-1", "here") == ["Störung"]


def test_json_in_no_encoding() -> None:
    """Bytes in no encoding that anybody named are replaced, and the rest stays."""
    assert read_document(b'["St\xf6rung"]', "nonsense", "here") == ["St\ufffdrung"]


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ("<?xml version='1.0'?>\n<!-- hello -->\n<rss/>", "rss"),
        ("\ufeff <atom:feed xmlns:atom='a'/>", "feed"),
        ("<!DOCTYPE html>\n<html><body/></html>", "html"),
        ("<rdf:RDF/>", "RDF"),
        ("<<<", ""),
    ],
)
def test_root(text: str, root: str) -> None:
    """XML is known by its root."""
    document = read_document(text.encode(), None, "here")
    assert isinstance(document, Xml)
    assert document.root == root


def test_declaration_goes() -> None:
    """The declaration goes: the text is decoded already."""
    document = read_document(b"<?xml version='1.0' encoding='windows-1252'?><rss>\x80</rss>", None, "here")
    assert isinstance(document, Xml)
    assert document.text == "<rss>\u20ac</rss>"


def test_neither() -> None:
    """What is neither is refused, with what it must be."""
    with pytest.raises(NoStatusPageError, match="here must be JSON, RSS or Atom, got something else"):
        read_document(b"Hello.", None, "here")


def test_too_many_values() -> None:
    """JSON of more values than a page has is refused before it is read, which nothing could interrupt."""
    with pytest.raises(IncidentFeedError, match="x must have at most 150,000 values, got more"):
        read_document(b"[" + b"{}," * 75_000 + b"{}]", None, "x")
    assert read_document(b"[" + b"{}," * 70_000 + b"{}]", None, "x") == [{}] * 70_001


def test_nothing() -> None:
    """An empty answer is refused as such."""
    with pytest.raises(NoStatusPageError, match="got nothing"):
        read_document(b" \n", None, "here")


@pytest.mark.parametrize(
    "piece",
    [
        " ",
        "<?xml ",
        "<?xml encoding='",
        "<!-- ",
        "<!---->",
        "<!-- --> ",
        "<??>",
        "<!doctype ",
        "<?a",
        "<a:",
        "<?xml version='1.0'?>",
    ],
)
def test_time_is_bounded(piece: str) -> None:
    """No beginning of an XML document keeps the reader for long, whatever it repeats."""
    start = time.process_time()
    read_document(f"<{piece * 200_000}".encode(), None, "here")
    read_document(f"{piece * 200_000}<".lstrip().encode(), None, "here")
    assert time.process_time() - start < 5
