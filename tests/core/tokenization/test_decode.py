"""From ids back to text."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import InputError
from core.tokenization.decode import decode, parse_ids, round_trip
from tests.core.support.texts import ANY_TEXT, LENGTHS, PIECES, SMALL, distilbert_tokenizer_of


@settings(max_examples=100, deadline=None)
@given(ids=st.lists(st.integers(0, len(PIECES) - 1), max_size=20), skip=st.booleans())
def test_text_of_ids_is_that_of_transformers(ids: list[int], skip: bool) -> None:
    theirs = distilbert_tokenizer_of("small").decode(ids, skip_special_tokens=skip)
    assert decode(SMALL, ids, skip_special_tokens=skip).text == theirs


@pytest.mark.parametrize("words", ["2 30 3", "2,30,3", "[2, 30, 3]", " 2;30\n3 "])
def test_ids_are_read_however_they_are_written(words: str) -> None:
    assert parse_ids(words, SMALL) == [2, 30, 3]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ("2 x", "'x' is no id"),
        ("-1", "'-1' is no id"),
        ("1.5", "is no id"),
        (str(len(PIECES)), f"0 to {len(PIECES) - 1}"),
        ("9" * 40, "has no id"),
        ("²", "is no id"),
    ],
)
def test_what_is_no_id_is_refused(words: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        parse_ids(words, SMALL)


def test_ids_that_come_back_differently_say_from_where() -> None:
    good, ness, the = (SMALL.token_to_id(piece) for piece in ("good", "##ness", "the"))
    assert decode(SMALL, [the, good, ness]).first_difference is None
    lonely = decode(SMALL, [the, SMALL.token_to_id("play"), SMALL.token_to_id("p"), ness])
    assert lonely.text == "the play pness"
    again = decode(SMALL, [SMALL.token_to_id("##s"), the])
    assert again.text == "##s the"
    assert again.first_difference == 0


def test_a_round_trip_names_the_words_that_came_back_differently() -> None:
    assert round_trip(SMALL, "the film").same
    trip = round_trip(SMALL, "the Film was good")
    assert (trip.decoded, trip.differences) == ("the film was good", (("Film", "film"),))
    assert round_trip(SMALL, "the film was good", max_length=3).differences == (("good", ""),)


@settings(max_examples=100, deadline=None)
@given(text=ANY_TEXT, max_length=LENGTHS)
def test_a_round_trip_of_any_text_answers(text: str, max_length: int | None) -> None:
    trip = round_trip(SMALL, text, max_length=max_length)
    assert trip.same is (trip.text == trip.decoded)
