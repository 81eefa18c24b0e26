"""Regular expressions of the user: what is found, and what is refused instead of taking time or memory."""

from __future__ import annotations

import time

import pytest

from core.analysis.patterns import compile_pattern, search_all
from core.errors import InputError


def test_a_pattern_is_searched_anywhere_in_each_text_and_case_matters() -> None:
    texts = ["A great film", "Great!", "dull", ""]
    assert search_all("great", texts).tolist() == [True, False, False, False]
    assert search_all("(?i)great", texts).tolist() == [True, True, False, False]
    assert search_all("great", []).tolist() == []


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("(", "not a valid regular expression: missing )"),
        (r"\p{Foo}", "unknown property"),
        ("a{2,1}", "not a valid"),
        ("(" * 400 + ")" * 400, "not a valid"),
        ("x" * 1_001, "1,001 characters"),
        ("a{100000000}", "repeats a part"),
        ("((a{100}){100}){2}", "repeats a part"),
        ("a{,99999}", "repeats a part"),
        ("a{" + "9" * 900 + "}", "repeats a part"),
        ("(?R)", "refers to itself"),
        ("(a(?1))", "refers to itself"),
    ],
)
def test_a_pattern_that_is_invalid_or_needs_much_memory_is_refused_in_one_line(pattern: str, message: str) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(").replace(")", r"\)")) as caught:
        compile_pattern(pattern)
    assert len(str(caught.value)) < 250


def test_counts_and_groups_of_ordinary_size_are_accepted() -> None:
    assert search_all(r"(?:\b\w{1,20}\b\W+){3}not", ["it is really not"]).tolist() == [True]


def test_a_catastrophic_pattern_ends_at_the_time_limit() -> None:
    start = time.monotonic()
    with pytest.raises(InputError, match=r"took more than 0\.2 s; avoid nested repeats"):
        search_all("(a+)+$", ["fine", "a" * 5_000 + "!"], time_limit=0.2)
    assert time.monotonic() - start < 2


def test_many_texts_share_one_time_limit() -> None:
    texts = ["a" * 22 + "!"] * 10_000
    with pytest.raises(InputError, match="took more than"):
        search_all("(a|aa)+$", texts, time_limit=0.3)
