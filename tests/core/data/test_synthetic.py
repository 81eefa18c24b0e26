"""Synthetic reviews: distinct, balanced, reproducible, and not classified by counting words alone."""

from __future__ import annotations

from functools import cache

import pytest

from core.data.reviews import reviews_from_rows
from core.data.synthetic import DEFAULT_COUNT, MAX_WORDS, MIN_WORDS, synthetic_reviews


@cache
def reviews() -> list[tuple[str, int]]:
    return synthetic_reviews()


def test_there_are_at_least_five_thousand_distinct_reviews() -> None:
    assert len({text for text, _ in reviews()}) == len(reviews()) == DEFAULT_COUNT >= 5000


def test_reviews_have_twenty_to_three_hundred_words() -> None:
    lengths = [len(text.split()) for text, _ in reviews()]
    assert (MIN_WORDS, MAX_WORDS) == (20, 300)
    assert 20 <= min(lengths) < 30
    assert 280 < max(lengths) <= 300


@pytest.mark.parametrize("n", [0, 1, 2, 11, 200])
def test_half_of_the_reviews_are_of_each_class(n: int) -> None:
    labels = [label for _, label in synthetic_reviews(n)]
    assert len(labels) == n
    assert sum(labels) == n // 2


def test_the_classes_are_mixed() -> None:
    labels = [label for _, label in reviews()]
    assert all(400 < sum(labels[start : start + 1000]) < 600 for start in range(0, 6000, 1000))


def test_the_same_number_and_seed_give_the_same_reviews() -> None:
    assert synthetic_reviews(50, seed=3) == synthetic_reviews(50, seed=3)
    assert synthetic_reviews(50, seed=3) != synthetic_reviews(50, seed=4)
    assert synthetic_reviews() == reviews()


def test_reviews_are_whole_sentences_that_pass_the_checks_of_files() -> None:
    for text, _ in reviews():
        assert text.isprintable()
        assert "{" not in text
        assert "  " not in text
        assert text[0].isupper()
        assert text[-1] in ".?!"
    rows = [(f"row {i}", text, label) for i, (text, label) in enumerate(reviews())]
    assert len(reviews_from_rows(rows, "synthetic")) == len(reviews())


def test_counting_words_classifies_between_60_and_90_percent_of_the_reviews() -> None:
    from sklearn.feature_extraction.text import CountVectorizer
    from sklearn.linear_model import LogisticRegression

    texts, labels = zip(*reviews(), strict=True)
    cut = len(texts) * 4 // 5
    counts = CountVectorizer()
    model = LogisticRegression(max_iter=1000).fit(counts.fit_transform(texts[:cut]), labels[:cut])
    accuracy = model.score(counts.transform(texts[cut:]), labels[cut:])
    assert 0.6 < accuracy < 0.9
