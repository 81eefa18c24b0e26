"""Text warnings: their kinds, and the characters of the source that they concern."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from core.tokenization.compare import with_settings
from core.tokenization.encode import encode
from core.tokenization.text_warnings import MEANINGS, meaning, text_warnings
from tests.core.support.texts import ANY_TEXT, LENGTHS, SMALL, VOCABULARIES, tokenizer_of


def found(text: str, **settings: object) -> list[tuple[str, str]]:
    encoding = encode(SMALL, text, **settings)  # type: ignore[arg-type]
    return [(warning.kind, warning.text) for warning in text_warnings(SMALL, encoding)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the film was good", []),
        ("x" * 100, []),
        ("a " + "x" * 101, [("long_word", "x" * 101)]),
        ("a\0b", [("deleted", "\0")]),
        ("a\u200bb", [("deleted", "\u200b")]),
        ("a\x1b[b", [("deleted", "\x1b")]),
        ("a\n\tb", []),
        ("ｆｕｌｌ", [("full_width", "ｆｕｌｌ")]),
        ("the [SEP] film", [("special", "[SEP]")]),
        ("[UNK]", [("special", "[UNK]")]),
        ("cafés", [("accent", "é")]),
        ("cafe\u0301s", [("accent", "\u0301")]),
        ("THE film", [("case", "THE")]),
        ("AÉ\0\0b", [("case", "A"), ("accent", "É"), ("deleted", "\0\0")]),
        ("the 中", []),
        ("☃", [("unknown", "☃")]),
        ("한", [("replaced", "한"), ("unknown", "한")]),
    ],
)
def test_a_warning_has_a_kind_and_the_characters_concerned(text: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(found(text)) == sorted(expected)


def test_truncated_text_gives_a_warning() -> None:
    assert found("the film was good", max_length=4) == [("truncated", "was good")]
    assert found("The FILM WAS", add_special_tokens=False, max_length=3) == found("The FILM WAS")


def test_truncated_text_gives_no_other_warning() -> None:
    assert found("the film WAS GOOD", max_length=4) == [("truncated", "WAS GOOD")]


def test_split_special_tokens_gives_no_warning_about_typed_special_tokens() -> None:
    plain = with_settings(SMALL, "plain-specials")
    kinds = {warning.kind for warning in text_warnings(plain, encode(plain, "the [SEP] film"))}
    assert "special" not in kinds
    assert "case" in kinds


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@settings(max_examples=150, deadline=None)
@given(text=ANY_TEXT, max_length=LENGTHS)
def test_warnings_have_spans_of_the_source_and_cover_all_unknown_tokens(
    vocabulary: str, text: str, max_length: int | None
) -> None:
    tokenizer = tokenizer_of(vocabulary)
    encoding = encode(tokenizer, text, max_length=max_length)
    warnings = text_warnings(tokenizer, encoding)
    for warning in warnings:
        assert 0 <= warning.start < warning.end <= len(text) or warning.kind == "truncated"
        assert warning.text == encoding.text[warning.start : warning.end]
        assert warning.kind in MEANINGS
    spans = {(warning.start, warning.end) for warning in warnings}
    assert {(t.start, t.end) for t in encoding.tokens if t.kind == "unknown" and t.start < t.end} <= spans


@settings(max_examples=150, deadline=None)
@given(text=ANY_TEXT)
def test_the_normalizer_leaves_characters_without_a_warning_unchanged(text: str) -> None:
    encoding = encode(SMALL, text)
    warnings = text_warnings(SMALL, encoding)
    normalized = [warning for warning in warnings if warning.kind in {"deleted", "accent", "case", "replaced"}]
    changed = {i for warning in normalized for i in range(warning.start, warning.end)}
    for i, char in enumerate(encoding.text):
        if i not in changed and not char.isspace():
            normalized_char = SMALL.normalizer.normalize_str(char).strip()
            assert normalized_char == char or any(warning.kind == "special" for warning in warnings)


def test_the_meaning_of_long_word_names_the_limit_of_the_model() -> None:
    assert "longer than 100 characters" in meaning(SMALL, "long_word")
