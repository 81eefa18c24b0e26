"""Silent losses: each is named, with the characters of the source that it concerns."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from core.tokenization.compare import with_settings
from core.tokenization.encode import encode
from core.tokenization.text_warnings import MEANINGS, losses, meaning
from tests.core.support.texts import ANY_TEXT, LENGTHS, SMALL, VOCABULARIES, tokenizer_of


def found(text: str, **settings: object) -> list[tuple[str, str]]:
    return [(loss.kind, loss.text) for loss in losses(SMALL, encode(SMALL, text, **settings))]  # type: ignore[arg-type]


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
def test_each_loss_has_its_kind_and_its_characters(text: str, expected: list[tuple[str, str]]) -> None:
    assert sorted(found(text)) == sorted(expected)


def test_what_truncation_cut_is_a_loss() -> None:
    assert found("the film was good", max_length=4) == [("truncated", "was good")]
    assert found("The FILM WAS", add_special_tokens=False, max_length=3) == found("The FILM WAS")


def test_losses_of_what_was_cut_are_not_told_twice() -> None:
    assert found("the film WAS GOOD", max_length=4) == [("truncated", "WAS GOOD")]


def test_a_typed_special_token_is_text_where_the_setting_says_so() -> None:
    plain = with_settings(SMALL, "plain-specials")
    kinds = {loss.kind for loss in losses(plain, encode(plain, "the [SEP] film"))}
    assert "special" not in kinds
    assert "case" in kinds


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@settings(max_examples=150, deadline=None)
@given(text=ANY_TEXT, max_length=LENGTHS)
def test_losses_lie_in_the_source_and_cover_every_unknown(vocabulary: str, text: str, max_length: int | None) -> None:
    tokenizer = tokenizer_of(vocabulary)
    encoding = encode(tokenizer, text, max_length=max_length)
    all_losses = losses(tokenizer, encoding)
    for loss in all_losses:
        assert 0 <= loss.start < loss.end <= len(text) or loss.kind == "truncated"
        assert loss.text == encoding.text[loss.start : loss.end]
        assert loss.kind in MEANINGS
    spans = {(loss.start, loss.end) for loss in all_losses}
    assert {(t.start, t.end) for t in encoding.tokens if t.kind == "unknown" and t.start < t.end} <= spans


@settings(max_examples=150, deadline=None)
@given(text=ANY_TEXT)
def test_a_text_without_a_rewritten_character_is_left_as_it_is_by_the_normaliser(text: str) -> None:
    encoding = encode(SMALL, text)
    rewritten = {"deleted", "accent", "case", "replaced"}
    touched = {i for loss in losses(SMALL, encoding) if loss.kind in rewritten for i in range(loss.start, loss.end)}
    for i, char in enumerate(encoding.text):
        if i not in touched and not char.isspace():
            inside = SMALL.normalizer.normalize_str(char).strip()
            assert inside == char or any(loss.kind == "special" for loss in losses(SMALL, encoding))


def test_the_limit_of_long_words_is_the_models() -> None:
    assert "longer than 100 characters" in meaning(SMALL, "long_word")
