"""The spaCy component, by import and by the installed package's entry point."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc

from deflect.errors import BundleError
from deflect.line.bundle import starter_bundle
from deflect.line.deflector import Deflector

TEXTS = ["Our custom domain still points to the old host, which CNAME do I set?", "H12 on every request", "thanks!", ""]


@pytest.fixture(scope="module")
def nlp() -> Language:
    """Return a pipeline with the component."""
    pipeline = spacy.blank("en")
    pipeline.add_pipe("deflect", config={"model": None})
    return pipeline


def test_suggestions(nlp: Language) -> None:
    """A document's suggestion is that of the deflector, without evidence."""
    expected = [replace(Deflector.load().suggest(text), evidence=()) for text in TEXTS]
    assert [nlp(text)._.suggestion for text in TEXTS] == expected
    assert expected[0].tool is not None


def test_batches(nlp: Language) -> None:
    """In batches of any size the answers are the same and in order."""
    expected = [nlp(text)._.suggestion for text in TEXTS * 5]
    assert [doc._.suggestion for doc in nlp.pipe(TEXTS * 5, batch_size=3)] == expected
    assert [*nlp.pipe([])] == []


def test_cats(nlp: Language) -> None:
    """A document has the probability of every category, which add up to one."""
    doc = nlp(TEXTS[1])
    assert sorted(doc.cats) == sorted(Deflector.load().scorer.categories)
    assert sum(doc.cats.values()) == pytest.approx(1)
    assert doc.cats["timeout"] == doc._.suggestion.probability == max(doc.cats.values())


def test_other_categories_stay(nlp: Language) -> None:
    """Categories that another component gave stay."""
    doc = nlp.make_doc(TEXTS[1])
    doc.cats["urgent"] = 0.5
    assert nlp(doc).cats["urgent"] == 0.5


def test_processes(nlp: Language) -> None:
    """Documents come back from other processes with their suggestions."""
    found = [doc._.suggestion for doc in nlp.pipe(TEXTS, n_process=2, batch_size=2)]
    assert found == [nlp(text)._.suggestion for text in TEXTS]


def test_bytes(nlp: Language) -> None:
    """A document keeps its suggestion as bytes."""
    doc = nlp(TEXTS[0])
    assert Doc(nlp.vocab).from_bytes(doc.to_bytes())._.suggestion == doc._.suggestion


def test_untouched_documents(nlp: Language) -> None:
    """A document that the component has not seen has no suggestion."""
    assert nlp.make_doc("x")._.suggestion is None


def test_disk(tmp_path: Path) -> None:
    """A saved pipeline finds the same model again, and so does one that is read into another."""
    model = str(shutil.copytree(starter_bundle(), tmp_path / "model"))
    saved = spacy.blank("en")
    saved.add_pipe("deflect", config={"model": model})
    saved.to_disk(tmp_path / "pipeline")
    other = spacy.blank("en")
    other.add_pipe("deflect")
    for pipeline in (spacy.load(tmp_path / "pipeline"), other.from_disk(tmp_path / "pipeline")):
        assert pipeline.get_pipe("deflect").model == model
        assert pipeline(TEXTS[0])._.suggestion.category == "dns"


def test_bytes_of_a_pipeline(nlp: Language) -> None:
    """A pipeline survives as bytes."""
    other = spacy.blank("en")
    other.add_pipe("deflect")
    assert other.from_bytes(nlp.to_bytes())(TEXTS[0])._.suggestion.category == "dns"


def test_no_model(tmp_path: Path) -> None:
    """A model that is not there is refused when the component is added."""
    with pytest.raises(BundleError, match="must be a bundle"):
        spacy.blank("en").add_pipe("deflect", config={"model": str(tmp_path)})


def test_entry_point(run_python: Callable[[str], str]) -> None:
    """Where the package is installed, spaCy knows the component without an import of ours."""
    lines = ["import spacy", "nlp = spacy.blank('de')", "nlp.add_pipe('deflect')"]
    lines += ["print(nlp('H12 timeout')._.suggestion.category)"]
    assert run_python("\n".join(lines)).split() == ["timeout"]
