"""Two tokenizers compared on one text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from core.errors import InputError
from core.tokenization.compare import compare, is_setting, tokens_per_word, with_settings
from core.tokenization.encode import encode
from tests.core.support.texts import ANY_TEXT, SMALL

CASED = with_settings(SMALL, "cased")


def test_with_settings_does_not_change_the_original() -> None:
    assert encode(CASED, "THE film", add_special_tokens=False).input_ids != encode(SMALL, "THE film").input_ids[1:-1]
    assert SMALL.normalizer.lowercase is True
    assert SMALL.encode_special_tokens is False


@pytest.mark.parametrize(
    ("setting", "text", "tokens"),
    [
        ("cased", "THE films", ["[UNK]", "film", "##s"]),
        ("cased", "café", ["c", "##a", "##f", "##e"]),
        ("accents", "é e", ["[UNK]", "e"]),
        ("plain-specials", "[the]", ["[", "the", "]"]),
        ("split_special_tokens=yes", "[a] [SEP]", ["[", "a", "]", "[", "s", "##e", "##p", "]"]),
        ("lowercase=no,strip_accents=no", "A é", ["[UNK]", "[UNK]"]),
        ("lowercase=yes", "A", ["a"]),
    ],
)
def test_a_setting_changes_only_itself(setting: str, text: str, tokens: list[str]) -> None:
    assert is_setting(setting)
    found = encode(with_settings(SMALL, setting), text, add_special_tokens=False)
    assert [token.token for token in found.tokens] == tokens


@pytest.mark.parametrize("setting", ["lowercase=maybe", "casing=no", "=", "lowercase=no,x"])
def test_an_unknown_setting_is_refused(setting: str) -> None:
    with pytest.raises(InputError, match="is not a setting"):
        with_settings(SMALL, setting)


def test_a_setting_that_the_tokenizer_lacks_is_refused() -> None:
    from tokenizers import Tokenizer, models

    with pytest.raises(InputError, match="has no setting lowercase"):
        with_settings(Tokenizer(models.BPE({"a": 0}, [])), "cased")


def test_compare_gives_the_tokens_of_each_word_for_both_tokenizers() -> None:
    text = "THE plays"
    words = compare(encode(SMALL, text), encode(CASED, text))
    assert [word.text for word in words] == ["THE", "plays"]
    assert [[token.token for token in word.second] for word in words] == [["[UNK]"], ["play", "##s"]]
    assert [word.differs for word in words] == [True, False]


@settings(max_examples=150, deadline=None)
@given(text=ANY_TEXT)
def test_every_token_of_the_text_belongs_to_one_word(text: str) -> None:
    first, second = encode(SMALL, text), encode(CASED, text)
    words = compare(first, second)
    inside = [token for token in first.tokens if token.start < token.end]
    if words:
        assert sorted(token for word in words for token in word.first) == inside
    assert all(word.text == first.text[word.start : word.end] for word in words)


def test_tokens_per_word_leaves_the_template_out() -> None:
    assert tokens_per_word(encode(SMALL, "the plays")) == 1.5
    assert tokens_per_word(encode(SMALL, "")) == 0
