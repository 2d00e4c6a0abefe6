from __future__ import annotations

from collections import Counter, defaultdict

from benchmarks.side_by_side.generated import Archive


def test_larger_archives_begin_alike() -> None:
    """An archive begins with the tickets of every smaller one, so that sizes differ in nothing but size."""
    texts, labels = Archive(20_000).tickets()
    assert Archive(10_000).tickets() == (texts[:10_000], labels[:10_000])


def test_seeds_differ() -> None:
    """Another seed gives other tickets: a model is not tested on what it learned."""
    assert not set(Archive(1_000).tickets()[0]) & set(Archive(1_000, seed=1).tickets()[0])


def test_sizes() -> None:
    """An archive has as many tickets, words a ticket and categories as it should."""
    texts, labels = Archive(12_345, n_categories=7, n_words=9).tickets()
    assert len(texts) == len(labels) == 12_345
    assert {len(text.split()) for text in texts} == {9}
    assert set(labels) == {f"category {i}" for i in range(7)}


def test_words_tell_the_category() -> None:
    """Seeds share their words: what tells a category in one archive tells it in another."""
    seen: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for text, label in zip(*Archive(10_000).tickets(), strict=True):
        for word in text.split():
            seen[word][label] += 1
    telling = {word: count.most_common(1)[0] for word, count in seen.items() if count.total() >= 20}
    telling = {word: label for word, (label, n) in telling.items() if n > 0.7 * seen[word].total()}
    votes = [
        (Counter(telling[word] for word in text.split() if word in telling).most_common(1), label)
        for text, label in zip(*Archive(1_000, seed=1).tickets(), strict=True)
    ]
    assert sum(vote[0][0] == label for vote, label in votes if vote) > 0.8 * sum(bool(vote) for vote, _ in votes)
