"""Stages from text to ids, compared with ``tokenizers``."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.tokenization.compare import with_settings
from core.tokenization.encode import encode
from core.tokenization.stages import stages
from tests.core.support.texts import (
    ANY_TEXT,
    LENGTHS,
    SMALL,
    TEXTS,
    VOCABULARIES,
    distilbert_tokenizer_of,
    tokenizer_of,
)

NAMES = ["raw", "normalised", "pre-tokens", "WordPiece", "with template"]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@settings(max_examples=150, deadline=None)
@given(text=TEXTS, special=st.booleans(), max_length=LENGTHS)
def test_each_stage_equals_the_output_of_the_library(
    vocabulary: str, text: str, special: bool, max_length: int | None
) -> None:
    tokenizer = with_settings(tokenizer_of(vocabulary), "plain-specials")  # so that the whole text is one segment
    raw, normalised, words, pieces, template = stages(
        tokenizer, text, add_special_tokens=special, max_length=max_length
    )
    assert [stage.name for stage in (raw, normalised, words, pieces, template)] == NAMES
    assert raw.output == text
    assert normalised.output == tokenizer.normalizer.normalize_str(text)
    assert words.output == [word for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(normalised.output)]
    assert pieces.output == [token.value for word in words.output for token in tokenizer.model.tokenize(word)]
    theirs = distilbert_tokenizer_of(vocabulary)(
        text,
        add_special_tokens=special,
        truncation=max_length is not None,
        max_length=max_length,
        split_special_tokens=True,
    )
    assert [tokenizer.token_to_id(token) for token in template.output] == theirs["input_ids"]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@settings(max_examples=150, deadline=None)
@given(text=ANY_TEXT, special=st.booleans(), max_length=LENGTHS)
def test_the_last_stages_are_the_tokens_of_the_encoding_with_their_spans(
    vocabulary: str, text: str, special: bool, max_length: int | None
) -> None:
    tokenizer = tokenizer_of(vocabulary)
    found = stages(tokenizer, text, add_special_tokens=special, max_length=max_length)
    whole = encode(tokenizer, text, add_special_tokens=False)
    final = encode(tokenizer, text, add_special_tokens=special, max_length=max_length)
    assert found[3].output == [token.token for token in whole.tokens]
    assert [(piece.start, piece.end) for piece in found[3].pieces] == [(t.start, t.end) for t in whole.tokens]
    assert found[4].output == [token.token for token in final.tokens]
    for stage in found:
        assert "".join(stage.output) == "".join(piece.text for piece in stage.pieces)
        for piece in stage.pieces:
            assert 0 <= piece.start <= piece.end <= len(text)
    for stage in found[:4]:
        assert all(one.start <= other.start for one, other in pairwise(stage.pieces))


def test_a_typed_special_token_is_unchanged_in_every_stage() -> None:
    _, normalised, words, pieces, _ = stages(SMALL, "The [SEP]FILM")
    assert normalised.output == "the [SEP]film"
    assert words.output == ["the", "[SEP]", "film"]
    assert pieces.output == ["the", "[SEP]", "film"]


@pytest.mark.parametrize(
    ("text", "stage", "changed"),
    [
        ("The film", 1, ["the"]),
        ("the film", 1, []),
        ("Cafe\u0301 the", 1, ["cafe"]),
        ("the\0 film", 1, ["the"]),
        ("the film.", 2, ["."]),
        ("the film", 2, []),
        ("the plays", 3, ["play", "##s"]),
        ("the ☃", 3, ["[UNK]"]),
        ("the", 4, ["[CLS]", "[SEP]"]),
    ],
)
def test_a_piece_is_marked_if_its_stage_changed_it(text: str, stage: int, changed: list[str]) -> None:
    found = stages(SMALL, text)[stage]
    assert [piece.text for piece in found.pieces if piece.changed] == changed


def test_a_tokenizer_without_normaliser_and_pre_tokenizer_has_the_same_five_stages() -> None:
    from tokenizers import Tokenizer, models

    bare = Tokenizer(models.BPE({"a": 0, "b": 1, "ab": 2}, [("a", "b")]))
    found = stages(bare, "abab b")
    assert [stage.name for stage in found] == ["raw", "normalised", "pre-tokens", "BPE", "with template"]
    assert found[1].output == "abab b"
    assert found[4].output == bare.encode("abab b").tokens
