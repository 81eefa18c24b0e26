"""Token counts of reviews."""

from __future__ import annotations

import pytest

from core.tokenization.encode import encode
from core.tokenization.length_stats import CHUNK, histogram, measure, order, summarise, token_lengths
from tests.core.support.texts import SMALL

TEXTS = ["the film", "plays plays plays", "the ☃ ☃", "good " * 20, "\ud800 x"]


def measured(texts: list[str] = TEXTS) -> list:
    return [each for chunk in measure(SMALL, texts) for each in chunk]


def test_measured_tokens_are_those_of_encode() -> None:
    for text, each in zip(TEXTS, measured(), strict=True):
        encoding = encode(SMALL, text, add_special_tokens=False)
        assert (each.tokens, each.unknown) == (encoding.full_length, encoding.unknown)
        assert each.words == len(text.split())


def test_texts_are_measured_in_chunks_and_in_order() -> None:
    texts = ["good " * (i % 7 + 1) for i in range(CHUNK + 10)]
    chunks = list(measure(SMALL, texts))
    assert [len(chunk) for chunk in chunks] == [CHUNK, 10]
    assert [each.words for chunk in chunks for each in chunk] == [i % 7 + 1 for i in range(CHUNK + 10)]


def test_a_summary_counts_special_tokens_and_truncated_texts() -> None:
    summary = summarise(SMALL, measured(["the", "the film", "the film was good"]), max_length=4)
    assert (summary.count, summary.mean, summary.median, summary.longest) == (3, 13 / 3, 4, 6)
    assert (summary.cut, summary.lost_share) == (1, 2 / 13)
    assert summary.tokens_per_word == 1
    assert summarise(SMALL, measured(["the"]), add_special_tokens=False).cut == 0
    with pytest.raises(ValueError, match="no texts"):
        summarise(SMALL, [])


def test_token_lengths_are_at_most_max_length() -> None:
    rows = measured(["the", "good " * 20])
    assert token_lengths(SMALL, rows, add_special_tokens=True) == [3, 22]
    assert token_lengths(SMALL, rows, add_special_tokens=False, max_length=8) == [1, 8]


def test_the_last_bin_of_a_histogram_counts_all_longer_texts() -> None:
    assert histogram([0, 9, 10, 19, 25, 1000], 10, 3) == [2, 2, 2]


def test_reviews_are_ordered_by_length_split_or_unknown() -> None:
    rows = measured()
    assert order(rows, "order") == [0, 1, 2, 3, 4]
    assert order(rows, "longest")[0] == 3
    assert order(rows, "split")[0] == 1
    assert order(rows, "unknown")[0] == 2
    assert set(order(rows, "unknown")) == {i for i, row in enumerate(rows) if row.unknown}
