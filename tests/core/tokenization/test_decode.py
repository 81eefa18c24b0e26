"""Decoding ids, and the round trip from text to ids to text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.tokenization.decode import decode, parse_ids, round_trip
from tests.core.support.texts import ANY_TEXT, LENGTHS, PIECES, SMALL, distilbert_tokenizer_of


@settings(max_examples=100, deadline=None)
@given(ids=st.lists(st.integers(0, len(PIECES) - 1), max_size=20), skip=st.booleans())
def test_decode_gives_the_same_text_as_transformers(ids: list[int], skip: bool) -> None:
    theirs = distilbert_tokenizer_of("small").decode(ids, skip_special_tokens=skip)
    assert decode(SMALL, ids, skip_special_tokens=skip).text == theirs


@pytest.mark.parametrize("text", ["2 30 3", "2,30,3", "[2, 30, 3]", " 2;30\n3 "])
def test_ids_may_be_separated_by_spaces_commas_or_semicolons(text: str) -> None:
    assert parse_ids(text, SMALL) == [2, 30, 3]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2 x", "'x' is not an id"),
        ("-1", "'-1' is not an id"),
        ("1.5", "is not an id"),
        (str(len(PIECES)), f"0 to {len(PIECES) - 1}"),
        ("9" * 40, "has no id"),
        ("²", "is not an id"),
    ],
)
def test_an_invalid_id_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_ids(text, SMALL)


def test_first_difference_is_the_first_position_with_another_id() -> None:
    good, ness, the = (SMALL.token_to_id(piece) for piece in ("good", "##ness", "the"))
    assert decode(SMALL, [the, good, ness]).first_difference is None
    lonely = decode(SMALL, [the, SMALL.token_to_id("play"), SMALL.token_to_id("p"), ness])
    assert lonely.text == "the play pness"
    again = decode(SMALL, [SMALL.token_to_id("##s"), the])
    assert again.text == "##s the"
    assert again.first_difference == 0


def test_a_round_trip_lists_the_words_that_differ() -> None:
    assert round_trip(SMALL, "the film").same
    trip = round_trip(SMALL, "the Film was good")
    assert (trip.decoded, trip.differences) == ("the film was good", (("Film", "film"),))
    assert round_trip(SMALL, "the film was good", max_length=3).differences == (("good", ""),)


@settings(max_examples=100, deadline=None)
@given(text=ANY_TEXT, max_length=LENGTHS)
def test_a_round_trip_works_for_any_text(text: str, max_length: int | None) -> None:
    trip = round_trip(SMALL, text, max_length=max_length)
    assert trip.same is (trip.text == trip.decoded)
