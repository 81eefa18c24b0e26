"""Searching the vocabulary."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.tokenization.vocabulary import entries, search
from tests.core.support.texts import PIECES, SMALL


def tokens(query: str) -> list[str]:
    return [entry.token for entry in search(SMALL, query)]


def test_entries_are_sorted_by_id_and_know_which_tokens_begin_a_word() -> None:
    known = entries(SMALL)
    assert [entry.token for entry in known] == list(PIECES)
    assert [entry.id for entry in known] == list(range(len(PIECES)))
    begins = {entry.token for entry in known if entry.begins_word}
    assert "the" in begins
    assert not begins & {"##ness", "[CLS]"}
    assert tokens("") == list(PIECES)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("film", ["film"]),
        ("unk", ["junk", "drunk"]),
        ("*unk", ["junk", "drunk"]),
        ("?unk", ["junk"]),
        ("##*g", ["##g", "##ing"]),
        ("[CLS]", ["[CLS]"]),
        ("[*]", ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]),
        ("^[a-c]$", ["a", "b", "c"]),
        ("ness$", ["##ness"]),
        ("xyz", []),
        ("3", ["[SEP]"]),
        (str(len(PIECES)), []),
    ],
)
def test_a_query_is_an_id_a_part_of_a_token_a_pattern_or_a_regular_expression(query: str, expected: list[str]) -> None:
    assert tokens(query) == expected


def test_an_exact_match_comes_first() -> None:
    assert tokens("a")[0] == "a"
    assert len(tokens("a")) > 1


def test_an_invalid_regular_expression_is_refused() -> None:
    with pytest.raises(InputError, match="not a valid regular expression"):
        search(SMALL, "^(")
