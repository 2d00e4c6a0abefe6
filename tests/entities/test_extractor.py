"""What the extractor finds, whatever it is given."""

from __future__ import annotations

import pickle
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from deflect.entities.extractor import MAX_CHARACTERS, Extractor, bounded

LABELS = ("domain", "url", "email", "app", "code", "path", "status", "duration")
EXTRACTOR = Extractor()

PIECES = st.sampled_from(
    (
        *("www.example.com", "https://a.example/x?y=1", "me@example.com", "H12", "no", "app", "foo-bar-123", "host="),
        *("/reports", "config.ru", "503", "30", "s", "Regards,", "域名", "é", "İ", "'", '"', ".", "..", "://", "@"),
        *("\n", "\0", "\ud800"),
    )
)
TEXTS = st.one_of(
    st.text(),
    st.text(st.characters()),  # With lone surrogates.
    st.lists(PIECES, max_size=30).map("".join),
    st.lists(PIECES, max_size=30).map(" ".join),
)


@settings(max_examples=300)
@given(TEXTS)
@example("\ud83d www.example.com \udc00")
@example("İİİ www.example.com")
def test_any_text(text: str) -> None:
    """No text makes it raise; what it finds stands in the text where it says; a second time is the same."""
    found = EXTRACTOR.extract(text, LABELS)
    assert [text[entity.start : entity.end] for entity in found] == [entity.value for entity in found]
    assert EXTRACTOR.extract(text, LABELS) == found


@settings(max_examples=300)
@given(TEXTS)
def test_tokens_lose_nothing(text: str) -> None:
    """The tokens of a text join to the text."""
    readable = text.encode("utf-8", "replace").decode()
    EXTRACTOR.extract("", [])
    rules = EXTRACTOR._rules  # noqa: SLF001 - the tokenizer is reached by its pipeline.
    assert rules is not None
    with rules.nlp.memory_zone():
        assert rules.nlp.make_doc(readable).text == readable


@pytest.mark.parametrize(
    ("label", "text", "values"),
    [
        ("url", "see https://www.example.com/a?b=c#d, please", ["https://www.example.com/a?b=c#d"]),
        ("url", "(https://www.example.com/a).", ["https://www.example.com/a"]),
        ("url", "https://user:secret@www.example.com/", []),
        ("url", "https://devcenter.heroku.com/articles/dns", []),
        ("email", "me@example.com, you@mail.example.org.", ["me@example.com", "you@mail.example.org"]),
        ("domain", "me@example.com", []),
        ("domain", "\x1b[31mwww.example.com\x1b[0m", ["www.example.com"]),
        ("domain", "https://user:secret@www.example.com/", ["www.example.com"]),
        ("domain", "a.example and b.example", ["a.example", "b.example"]),
        ("code", "H12 R14 L10 H00 X12", ["H12", "R14", "L10"]),
        ("duration", "30 s, 2.5 hours, 30000ms, ten minutes", ["30000ms", "30 s", "2.5 hours", "ten minutes"]),
        ("no_such_label", "H12 on www.example.com", []),
    ],
)
def test_values(label: str, text: str, values: list[str]) -> None:
    """Each label has its values, which end where punctuation begins."""
    assert sorted(entity.value for entity in EXTRACTOR.extract(text, [label])) == sorted(values)


def test_sure() -> None:
    """A host is sure where the text calls it the domain."""
    found = EXTRACTOR.extract("Our domain a.example, and b.example", ["domain"])
    assert [(entity.value, entity.is_sure) for entity in found] == [("a.example", True), ("b.example", False)]


def test_patterns_of_a_user() -> None:
    """Patterns of the user find more, tokens or a text, and take away what the package's patterns find."""
    extractor = Extractor(
        [
            {"label": "order", "pattern": [{"LOWER": "order"}, {"TEXT": {"REGEX": r"^(?P<value>ORD-\d+)$"}}]},
            {"label": "plan", "pattern": "Gold Plus"},
            {"label": "not_domain", "pattern": [{"LOWER": {"REGEX": r"\.ourcloud\.example$"}}]},
        ]
    )
    found = extractor.extract("order ORD-77 of Gold Plus on x.ourcloud.example", ["order", "plan", "domain"])
    assert [(entity.label, entity.value) for entity in found] == [("order", "ORD-77"), ("plan", "Gold Plus")]


def test_flags_in_patterns_of_a_user() -> None:
    """A pattern may use attributes that the package's own do not."""
    extractor = Extractor([{"label": "shout", "pattern": [{"IS_UPPER": True, "SHAPE": "XXX"}]}])
    assert [entity.value for entity in extractor.extract("why ARE you so LOUD", ["shout"])] == ["ARE"]


@pytest.mark.parametrize(
    "unit", ["word ", "x", ".", "a.", "www.", "/", "@", "://", "(", "\n", "域", "--app ", "host=a.example ", "\ud800"]
)
def test_five_megabytes(unit: str) -> None:
    """Of 5 MB, of whatever they are made, a head of whole words is read, so no time is lost."""
    start = time.perf_counter()
    found = EXTRACTOR.extract(unit * (5_000_000 // len(unit)), LABELS)
    assert all(entity.end <= MAX_CHARACTERS for entity in found)
    assert time.perf_counter() - start < 60  # Quadratic time would be hours.


def test_cut_between_words() -> None:
    """A long text is cut behind a word, for half a host name would be another."""
    text = "word " * (MAX_CHARACTERS // 5 - 1) + "www.example.community"
    assert bounded(text) == "word " * (MAX_CHARACTERS // 5 - 1)
    assert bounded("x" * (MAX_CHARACTERS + 1)) == ""
    assert bounded("x" * MAX_CHARACTERS) == "x" * MAX_CHARACTERS


def test_memory() -> None:
    """The words of a text are forgotten: tickets are private, and a service runs for months."""
    EXTRACTOR.extract("first", LABELS)
    rules = EXTRACTOR._rules  # noqa: SLF001 - nothing else shows what spaCy keeps.
    assert rules is not None
    n_words = len(rules.nlp.vocab.strings)
    EXTRACTOR.extract("wholly unheard-of words: quxfrotz and www.quxfrotz.example", LABELS)
    assert "quxfrotz" not in rules.nlp.vocab.strings
    assert len(rules.nlp.vocab.strings) == n_words


def test_pickle() -> None:
    """An extractor can be sent to another process, with its patterns and without its pipeline."""
    extractor = Extractor([{"label": "plan", "pattern": "Gold"}])
    extractor.extract("x", LABELS)
    sent = pickle.loads(pickle.dumps(extractor))  # noqa: S301 - the test wrote it itself.
    assert [entity.value for entity in sent.extract("my Gold plan", ["plan"])] == ["Gold"]


def test_threads() -> None:
    """Many threads may ask at once, and each gets the answer to its own text."""
    texts = [f"host{i}.example is down, H{10 + i % 10}" for i in range(200)]
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda text: EXTRACTOR.extract(text, ["domain"])[0].value, texts))
    assert found == [f"host{i}.example" for i in range(200)]
