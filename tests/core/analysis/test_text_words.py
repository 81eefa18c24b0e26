"""Tokens are grouped to the words that a reader sees."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.analysis.text_words import words_of
from core.sources.embedded import trained_tokenizer
from core.tokenization.encode import encode

TOKENIZER = trained_tokenizer()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("A warm film.", ["A", "warm", "film", "."]),
        ("I don't like it", ["I", "don't", "like", "it"]),
        ("well-made (really!)", ["well-made", "(", "really", "!)"]),
        ("7/10 <br />", ["7", "/", "10", "<", "br", "/>"]),
        ("  ", []),
    ],
)
def test_words_and_punctuation_are_separate_but_contractions_are_one_word(text: str, words: list[str]) -> None:
    assert [word.text for word in words_of(encode(TOKENIZER, text))] == words


@given(st.text(max_size=60), st.booleans(), st.integers(min_value=3, max_value=20))
def test_every_token_of_the_text_belongs_to_exactly_one_word(text: str, special: bool, most: int) -> None:
    encoding = encode(TOKENIZER, text, add_special_tokens=special, max_length=most)
    words = words_of(encoding)
    found = [position for word in words for position in word.positions]
    assert sorted(found) == [token.position for token in encoding.tokens if token.start < token.end]
    assert all(encoding.text[word.start : word.end] == word.text for word in words)
    assert [word.start for word in words] == sorted(word.start for word in words)
