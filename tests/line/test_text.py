"""How tickets become words: folding, clipping, chunks, and where the words begin and end."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deflect.line import text as module
from deflect.line.text import EDGE, MAX_CHARACTERS, chunks, clip, find_words, fold, with_subject

#: The definition of a word, on folded text: a run of ASCII letters and digits and of whatever is not ASCII.
WORD = re.compile("[0-9a-z\u0080-\U0010ffff]+")

ANY_TEXT = st.text(st.characters())  # Lone surrogates too: a form may send half an emoji.
MIXED_TEXT = st.text(st.sampled_from("aZ09 _-.\0\x01\n\té\u0301ßΣςЖ中ภ々“”\u200d😀\ud800ﬁ½™İ\u00a0"), max_size=40)


def words_of(texts: Sequence[str]) -> list[list[str]]:
    """Return the words of each ticket."""
    words = find_words(texts)
    raw = words.buffer.tobytes()
    found: list[list[str]] = [[] for _ in texts]
    for start, end, ticket in zip(words.starts, words.ends, words.tickets, strict=True):
        found[ticket].append(raw[start:end].decode())
    return found


def words_by_definition(text: str) -> list[str]:
    """Return the words of a ticket, found by a regex."""
    # Folding may leave capitals that have no small letter of their own, such as those of the trade mark sign.
    folded = re.sub("[A-Z]+", lambda match: match[0].lower(), fold(clip(text)))
    return WORD.findall(folded.encode("utf-8", "replace").decode())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Why does my App NOT boot?", ["why", "does", "my", "app", "not", "boot"]),
        ("Error H12 at=error, 30s", ["error", "h12", "at", "error", "30s"]),
        ("snake_case kebab-case a.b.example", ["snake", "case", "kebab", "case", "a", "b", "example"]),
        ("\t\r\n tabs\tand\r\nlines \x01\x7f", ["tabs", "and", "lines"]),
    ],
)
def test_ascii_words(text: str, words: list[str]) -> None:
    """A word of an ASCII ticket is a run of letters and digits, in lower case."""
    assert words_of([text]) == [words]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("Café naïve Ärger", ["cafe", "naive", "arger"], id="accents"),
        pytest.param("e\u0301te\u0301", ["ete"], id="accents written apart"),
        pytest.param("“it\u2019s”—down…", ["it", "s", "down"], id="curly quotes and dashes"),
        pytest.param("help😀me👩‍💻please🇩🇪", ["help", "me", "please"], id="emoji"),
        pytest.param("10€ ≠ 10£ → ✓", ["10", "10"], id="signs"),
        pytest.param("域名错误。", ["域", "名", "错", "误"], id="Chinese"),
        pytest.param("人々のドメイン", ["人", "々", "の", "ド", "メ", "イ", "ン"], id="Japanese"),
        pytest.param("ไทย", ["ไ", "ท", "ย"], id="Thai"),
        pytest.param("한국어 도메인", ["한국어", "도메인"], id="Korean has spaces"),
        pytest.param("ABC 123", ["abc", "123"], id="full width"),
        pytest.param("ﬁle ½ ™ ²", ["file", "1", "2", "tm", "2"], id="compatibility characters"),
        pytest.param("Домен больше ЛЁГ", ["домен", "больше", "лег"], id="Cyrillic"),
        pytest.param("نعم، لماذا؟ لا؛ ٣٪", ["نعم", "لماذا", "لا", "٣"], id="Arabic punctuation"),
        pytest.param("مُؤَقَّتًا إلى أرجو آخر جـــداً", ["موقتا", "الى", "ارجو", "اخر", "جدا"], id="Arabic vowel signs"),
        pytest.param("पैसे कट गए। क्यों॥", ["पैसे", "कट", "गए", "क्यों"], id="Hindi stops"),
        pytest.param("Այո\u0589 ሰላም፡ነው።", ["այո", "ሰላም", "ነው"], id="Armenian and Ethiopic stops"),
        pytest.param("a\u200bb\ufeffc\u00a0d\u00ade", ["a", "b", "c", "d", "e"], id="invisible characters"),
    ],
)
def test_unicode_words(text: str, words: list[str]) -> None:
    """A ticket that is not ASCII loses case, accents and symbols; unspaced scripts have one word a character."""
    assert words_of([text]) == [words]


def test_greek_sigma() -> None:
    """A Greek word is the same word in capitals, small letters and with accents, its last sigma included."""
    assert words_of(["ΟΔΌΣ", "οδός", "Οδος"]) == [["οδος"]] * 3


def test_turkish_dotted_i() -> None:
    """The Turkish capital I with a dot folds to a plain i."""
    assert words_of(["İSTANBUL"]) == [["istanbul"]]


def test_lone_surrogates() -> None:
    """Half an emoji stands between words, and does no harm."""
    assert words_of(["half \ud83d emoji\udc00s"]) == [["half", "emoji", "s"]]


def test_folding_leaves_ascii() -> None:
    """A word has one spelling whether or not the rest of its ticket is ASCII."""
    assert words_of(["The H12 error_code", "The H12 error_code …"]) == [["the", "h12", "error", "code"]] * 2


def test_nul_bytes() -> None:
    """A NUL byte stands between two words of one ticket, and does not make two tickets."""
    assert words_of(["a\0b", "\0", "c\0"]) == [["a", "b"], [], ["c"]]


def test_a_nul_byte_does_not_make_up_for_a_ticket() -> None:
    """Each ticket ends once, with NUL bytes inside and with an empty ticket beside them."""
    assert len(find_words(["\0\0", "", "x"]).edges) == 4


@pytest.mark.parametrize(("texts", "edges"), [(["ab", "", "é c"], [0, 3, 4, 8]), (["é c"], [0, 4]), ([""], [0, 1])])
def test_edges(texts: list[str], edges: list[int]) -> None:
    """A ticket stands between two edges."""
    words = find_words(texts)
    assert words.edges.tolist() == edges
    assert set(words.buffer[words.edges].tolist()) == {EDGE}


def test_no_tickets() -> None:
    """No tickets have no words."""
    assert words_of([]) == []


def test_clip_leaves_a_short_ticket() -> None:
    """A ticket of the greatest length stays as it is."""
    text = "x" * MAX_CHARACTERS
    assert clip(text) is text


def test_clip_keeps_head_and_tail() -> None:
    """Of a longer ticket the head and the tail stay, with a space between, in the greatest length."""
    text = "".join(f"{i} " for i in range(100_000))
    clipped = clip(text)
    head, tail = clipped[:31_999], clipped[32_000:]
    assert (len(clipped), clipped[31_999]) == (MAX_CHARACTERS, " ")
    assert text.startswith(head)
    assert text.endswith(tail)


def test_a_long_ticket_is_clipped() -> None:
    """A ticket's words are those of its head and its tail, and its neighbours keep all of theirs."""
    long = "head " + "middle " * 100_000 + "tail"
    words = words_of(["before", long, "after"])
    assert (words[0], words[1][0], words[1][-1], words[2]) == (["before"], "head", "tail", ["after"])
    assert len(words[1]) < MAX_CHARACTERS / 6


@given(st.lists(st.integers(0, 30)), st.integers(1, 40))
def test_chunks_cover_every_ticket(lengths: list[int], size: int) -> None:
    """Chunks hold every ticket once, in order, and none is empty."""
    texts = ["x" * n for n in lengths]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK_CHARACTERS", size)
        runs = list(chunks(texts))
    assert [text for run in runs for text in run] == texts
    assert all(runs)


@given(st.lists(st.integers(0, 30)), st.integers(1, 40))
def test_chunks_are_bounded(lengths: list[int], size: int) -> None:
    """Without its first ticket, a chunk is no longer than the size of a chunk."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK_CHARACTERS", size)
        runs = list(chunks(["x" * n for n in lengths]))
    assert all(sum(len(text) + 1 for text in run[1:]) <= size for run in runs)


@given(st.lists(st.one_of(ANY_TEXT, MIXED_TEXT), max_size=5))
def test_words_equal_a_regex(texts: list[str]) -> None:
    """The words of tickets are the runs that a regex finds in the folded texts, whatever the neighbours."""
    assert words_of(texts) == [words_by_definition(text) for text in texts]


@pytest.mark.parametrize("change", [str.upper, str.title, lambda text: text + " ", lambda text: "… " + text])
@given(st.text("abc xyz,;-0189éüñ", max_size=30))
def test_case_and_surroundings(change: Callable[[str], str], text: str) -> None:
    """Capitals, spaces and symbols around a ticket change none of its words."""
    assert words_of([change(text)]) == words_of([text])


@given(st.one_of(ANY_TEXT, MIXED_TEXT))
def test_folding_keeps_ascii_letters(text: str) -> None:
    """Folding a text that is ASCII changes nothing but its case."""
    plain = "".join(character for character in text if character.isascii())
    assert fold(plain) == plain


def test_joining() -> None:
    """Subject and body are two lines of one text; a missing one leaves the other as it is."""
    assert [with_subject(*both) for both in (("a", "b"), ("", "b"), ("a", ""), ("", ""))] == ["a\nb", "b", "a", ""]
