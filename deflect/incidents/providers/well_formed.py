"""Refuses XML that would be dangerous or dear to read, in one pass of expat, before a feed parser sees it."""

from __future__ import annotations

from xml.parsers import expat  # This is the guard: entities, which make it unsafe, are refused here.

from deflect.errors import NoStatusPageError

#: The deepest feed that we know has 9 levels.
_MAX_DEPTH = 50


def check_well_formed(body: bytes, source: str) -> None:
    """Raise NoStatusPageError where UTF-8 XML is not well-formed, nested too deeply, or declares entities."""
    guard = _Guard(source)
    parser = expat.ParserCreate("utf-8")
    parser.StartElementHandler = guard.open
    parser.EndElementHandler = guard.close
    parser.EntityDeclHandler = guard.refuse_entities
    try:
        parser.Parse(body, True)  # noqa: FBT003  # expat's own: this is all of it.
    except expat.ExpatError as error:
        msg = f"{source} must be well-formed XML, got: {error}"
        raise NoStatusPageError(msg) from None


class _Guard:
    def __init__(self, source: str) -> None:
        self._source, self._depth = source, 0

    def open(self, name: str, attributes: dict[str, str]) -> None:  # noqa: ARG002  # expat gives these.
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            msg = f"{self._source} must be XML of at most {_MAX_DEPTH} levels, got more"
            raise NoStatusPageError(msg)

    def close(self, name: str) -> None:  # noqa: ARG002  # expat gives it.
        self._depth -= 1

    def refuse_entities(self, *declaration: object) -> None:  # noqa: ARG002  # expat gives these.
        msg = f"{self._source} must be XML that declares no entities, got some"
        raise NoStatusPageError(msg)
