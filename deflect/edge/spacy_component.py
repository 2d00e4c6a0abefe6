"""A spaCy component: ``nlp.add_pipe("deflect")`` gives ``doc.cats`` and ``doc._.suggestion``."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import minibatch

from deflect.line.deflector import Deflector
from deflect.line.playbook import Article, Tool
from deflect.line.suggestion import Alternative, Evidence, Suggestion

#: Where a document keeps its suggestion as plain values, which survive Doc.to_bytes and other processes.
_KEY = "deflect"


class DeflectComponent:
    """Answers documents.

    When to use it: in a spaCy pipeline that reads tickets anyway. ``doc.cats`` has the probability of every category,
    ``doc._.suggestion`` the ``Suggestion``. Both are the same by ``nlp(text)`` and by ``nlp.pipe(texts)``, which is
    faster; evidence is left out, as by ``Deflector.suggest_many``.

    Parameters
    ----------
    model
        A bundle's directory; None is the starter bundle.

    Examples
    --------
    >>> import spacy
    >>> nlp = spacy.blank("en")
    >>> _ = nlp.add_pipe("deflect", config={"model": None})
    >>> doc = nlp("Our custom domain still points to the old host, which CNAME do I set?")
    >>> doc._.suggestion.tool.name, round(doc.cats["dns"], 1)
    ('DNS check', 1.0)

    """

    def __init__(self, model: str | None = None) -> None:
        self.model = model
        self.deflector = Deflector.load(model)
        if not Doc.has_extension("suggestion"):
            Doc.set_extension("suggestion", getter=_suggestion)

    def __call__(self, doc: Doc) -> Doc:
        """Answer one document."""
        return next(self.pipe([doc]))

    def pipe(self, stream: Iterable[Doc], *, batch_size: int = 1_000) -> Iterator[Doc]:
        """Answer documents, a batch at a time."""
        for docs in minibatch(stream, batch_size):  # type: ignore[no-untyped-call]  # spaCy gives it no types.
            texts = [doc.text for doc in docs]
            probabilities = self.deflector.scorer.probabilities(texts)
            for doc, row, suggestion in zip(docs, probabilities, self.deflector.suggest_many(texts), strict=True):
                doc.cats.update(zip(self.deflector.scorer.categories, row.tolist(), strict=True))
                doc.user_data[_KEY] = dataclasses.asdict(suggestion)
                yield doc

    def to_bytes(self, *, exclude: Iterable[str] = ()) -> bytes:  # noqa: ARG002 - spaCy gives it.
        """Return the path of the model."""
        return json.dumps({"model": self.model}).encode()

    def from_bytes(self, raw: bytes, *, exclude: Iterable[str] = ()) -> DeflectComponent:  # noqa: ARG002 - spaCy gives it.
        """Load the model that ``to_bytes`` named."""
        model = json.loads(raw)["model"]
        if model != self.model:
            self.model, self.deflector = model, Deflector.load(model)
        return self

    def to_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> None:
        """Write the path of the model, not the model."""
        Path(path).write_bytes(self.to_bytes(exclude=exclude))

    def from_disk(self, path: str | Path, *, exclude: Iterable[str] = ()) -> DeflectComponent:
        """Load the model that ``to_disk`` named."""
        return self.from_bytes(Path(path).read_bytes(), exclude=exclude)


@Language.factory("deflect", default_config={"model": None}, assigns=["doc.cats", "doc._.suggestion"])
def make_component(nlp: Language, name: str, model: str | None) -> DeflectComponent:  # noqa: ARG001 - spaCy gives these.
    """Make the component for a pipeline."""
    return DeflectComponent(model)


def _suggestion(doc: Doc) -> Suggestion | None:
    """Build a document's suggestion from its plain values."""
    plain: Mapping[str, Any] | None = doc.user_data.get(_KEY)
    if plain is None:
        return None
    tool = plain["tool"]
    parts = {
        "alternatives": tuple(Alternative(**part) for part in plain["alternatives"]),
        "articles": tuple(Article(**part) for part in plain["articles"]),
        "tool": tool and Tool(**{**tool, "parameters": tuple(tool["parameters"])}),
        "evidence": tuple(Evidence(**part) for part in plain["evidence"]),
    }
    return Suggestion(**{**plain, **parts})
