"""The pages of the playground, by keyboard and by mouse: what each shows and what its keys do."""

from __future__ import annotations

from contextlib import asynccontextmanager

import pytest

from core.data.reviews import Review
from core.errors import InputError
from core.sources.origin import Origin
from tests.core.support.texts import HARD
from tests.tui.fakes import PIECES, small_tokenizer

REVIEWS = [
    Review("a film", 1),
    Review("hello my name is kevin and a film was warm", 0),
    Review("plays plays", 1),
    Review("xyzzy and xyzzy", 0),
]
CONTROL = {chr(code) for code in (*range(32), *range(0x7F, 0xA0))} | set("\u200b\u200d\u202e\u2066\ufeff\ufe0f")


@pytest.fixture(autouse=True)
def _small_world(monkeypatch):
    monkeypatch.setattr(
        "core.sources.resolve.open_tokenizer",
        lambda *_, **__: (small_tokenizer(), Origin("embedded", "small vocabulary")),
    )
    monkeypatch.setattr("core.sources.resolve.open_reviews", lambda *_: (REVIEWS, Origin("file", "four.csv")))


@pytest.fixture
def page(open_console):
    """The playground with a text typed, the field left, and one page in front."""

    @asynccontextmanager
    async def opened(key="t", text="", **options):
        async with open_console(**options) as console:
            await console.press("2")
            await console.see("7 tokens")
            if text:
                await console.press("ctrl+end", "ctrl+u")
                await console.paste(text)
                await console.until(lambda: console.app.query_one("#text").text == text.replace("\r\n", "\n"), "text")
            await console.press("escape", key)
            yield console

    return opened


def ids(console):
    return console.app.query_one("#tokenizer")._playground.encoding.input_ids


async def test_the_stages_are_above_the_text_warnings(page):
    async with page("s", "Hello [SEP] caf\u00e9\0") as console:
        await console.see("1 raw", "2 normalised", "3 pre-tokens", "4 WordPiece", "5 with template")
        await console.see("encoded as a special token", "accents stripped", "control or zero-width")


async def test_a_typed_special_token_stays_text_at_a_key(page):
    async with page("t", "[SEP]") as console:
        assert ids(console) == [2, 3, 3]
        await console.press("ctrl+o")
        await console.see("typed ones as text")
        assert ids(console) != [2, 3, 3]
        await console.press("ctrl+o")
        await console.until(lambda: ids(console) == [2, 3, 3], "the real one")


async def test_the_cursor_of_the_table_marks_the_span_in_the_text_and_the_other_way_round(page):
    async with page("t", "hello films") as console:
        await console.press("home", "down", "down")
        text = console.app.query_one("#text")
        assert text.text[slice(*text._tints.mark)] == "film"
        await console.press("down")
        assert text.text[slice(*text._tints.mark)] == "s"
        await console.press("slash", "ctrl+home", "right")
        assert console.app.query_one("#token-rows").row == 1
        await console.press("ctrl+right", "right")
        assert console.app.query_one("#token-rows").row == 2


async def test_a_batch_is_padded_live_on_the_side_that_is_asked_for(page):
    async with page("b", "a film") as console:
        await console.see("3 texts x 7 = 21 ids", "padding on the right")
        await console.press("p")
        await console.see("padding on the left")
        await console.press("ctrl+l", "4")
        await console.see("3 texts x 4 = 12 ids", "truncated: text 2 by 3")


async def test_texts_are_added_to_a_batch_and_dropped(page):
    async with page("b", "a film") as console:
        await console.press("a")
        await console.see("4 texts")
        await console.see("sorted by length")
        await console.press("f")
        await console.see("8 texts")
        await console.press("d")
        await console.notice("Select another")
        await console.press("down", "down", "d")
        await console.see("7 texts")


async def test_padding_of_the_data_set_is_shown_in_data_order_and_sorted(page):
    async with page("b") as console:
        await console.see("4 reviews from four.csv", "padding 43.8 % in data order")


async def test_the_vocabulary_is_searched_and_its_neighbours_shown(page):
    async with page("v") as console:
        await console.see(f"{len(PIECES)} · all tokens")
        await console.press("f", *"?ing", "escape")
        await console.see("0 · all tokens", "No token of the vocabulary")
        await console.press("f", "ctrl+u", *"##", "escape")
        await console.see("2 · all tokens", "inside a word")
        await console.press("enter")
        await console.see(f"{len(PIECES)} · all tokens")
        rows = console.app.query_one("#vocab-rows")
        assert rows.row == PIECES.index("##s")
        await console.press("w")
        await console.see("tokens that start a word")


async def test_ids_become_a_text_and_bad_ids_are_refused_in_place(page):
    async with page("v") as console:
        await console.press("i", *"2 5 3")
        await console.see("[CLS] hello [SEP]", "encodes to the same ids")
        await console.press("ctrl+u", *"99")
        await console.see("the vocabulary has no id 99")


async def test_the_round_trip_shows_where_it_differs(page):
    async with page("v", "Hello my") as console:
        await console.see("differs: Hello → hello")


async def test_two_tokenizers_are_compared_on_the_words_and_on_the_data_set(page):
    async with page("c", "Hello my") as console:
        await console.see("≠ Hello", "1 of 2 words differ", "lowercase=no")
        await console.see("other mean", "0–63", "truncated at 256")
        await console.press("d")
        await console.see_no("  my ")


async def test_the_columns_of_two_tokenizers_have_the_width_of_the_list(page):
    async with page("c", size=(80, 24)) as console:
        await console.see("this tokenizer")
        for width, height in ((80, 24), (160, 40), (100, 30)):
            await console.pilot.resize_terminal(width, height)
            rows = console.app.query_one("#compare-rows")

            def stands(rows=rows):
                (header,) = console.lines("this tokenizer")
                column = max((rows.size.width - 21) // 2, 12)
                return header.index("other tokenizer") - header.index("this tokenizer") == column + 1

            await console.until(lambda: console.lines("this tokenizer") and stands(), "a column of half the list")


async def test_another_tokenizer_is_opened_by_name_and_a_missing_one_is_reported(page, monkeypatch):
    def nothing(name, *_, **__):
        raise InputError(f"tokenizer {name!r} is nowhere")

    monkeypatch.setattr("core.sources.resolve.open_any_tokenizer", nothing)
    async with page("c") as console:
        await console.press("o", "end", "ctrl+u", *"acme", "enter")
        await console.see("tokenizer 'acme' is nowhere")


async def test_reviews_are_sorted_and_opened(page):
    async with page("r") as console:
        await console.see("data order", "a film")
        await console.until(lambda: "…" not in console.lines("xyzzy")[0], "the measures")
        await console.press("o")
        await console.see("longest first")
        await console.press("enter")
        await console.see("review 1, negative, longest first")
        assert console.app.query_one("#text").text == REVIEWS[1].text
        await console.press("o", "o")
        await console.see("1 · with unknown tokens")
        await console.press("o", "n")
        await console.until(lambda: console.app.query_one("#text").text == REVIEWS[1].text, "the next review")
        await console.press("N")
        await console.until(lambda: console.app.query_one("#text").text == REVIEWS[0].text, "the one before")


async def test_reviews_that_cannot_be_read_are_reported(page, monkeypatch):
    def nothing(*_):
        raise InputError("no such [file]")

    monkeypatch.setattr("core.sources.resolve.open_reviews", nothing)
    async with page("r") as console:
        await console.see("no reviews: no such [file]")


async def test_pages_are_reached_while_typing_and_by_mouse(open_console):
    async with open_console() as console:
        await console.press("2", "ctrl+n")
        await console.see("2 normalised", "0 warnings")
        assert console.app.focused.id == "text"
        await console.pilot.click("TokenizerPane PageBar", offset=(24, 0))
        await console.see("texts x")
        await console.press("escape", "t")
        await console.pilot.click("#token-rows", offset=(10, 3))
        await console.until(lambda: console.app.query_one("#token-rows").row == 2, "the clicked row")
        await console.pilot.click("#text", offset=(3, 0))
        await console.until(lambda: console.app.query_one("#text").caret == 1, "the clicked character")


@pytest.mark.parametrize(
    ("key", "copied"), [("y", "2 5 3"), ("Y", "[CLS] hello [SEP]"), ("ctrl+y", '"input_ids": [2, 5, 3]')]
)
async def test_ids_tokens_and_json_are_copied(page, key, copied):
    async with page("t", "hello") as console:
        await console.press(key)
        assert copied in console.app.clipboard


async def test_the_text_is_edited_with_the_keys_one_knows(open_console):
    async with open_console() as console:
        await console.press("2", "ctrl+u", *"one two", "enter", *"three")
        text = console.app.query_one("#text")
        assert text.text == "one two\nthree"
        await console.press("up", "home", "right", "delete")
        assert text.text == "oe two\nthree"
        await console.press("ctrl+right", "ctrl+k")
        assert text.text == "oe "
        await console.press("ctrl+z", "ctrl+z")
        assert text.text == "one two\nthree"
        await console.press("ctrl+end", "ctrl+w", "backspace")
        assert text.text == "one two"
        await console.press("ctrl+left", "left", "left", "end", *"!")
        assert text.text == "one two!"


async def test_the_help_lists_what_replaces_the_notebooks_old_calls(page):
    async with page("t", size=(100, 60)) as console:
        await console.press("question_mark")
        await console.see("tokenizer.encode(tok)", "convert_tokens_to_ids", "ids_to_tokens", "convert_ids_to_tokens")


@pytest.mark.parametrize("name", HARD)
async def test_a_hard_text_moves_no_cell_and_writes_no_control_character(page, name):
    text, size = HARD[name], (80, 24)
    async with page("t", text, size=size) as console:
        await console.until(lambda: console.app.query_one("#tokenizer")._playground.encoding.text == text, "the tokens")
        for key in "stbvct":
            await console.press(key)
            strips = console.strips()
            assert {strip.cell_length for strip in strips} == {size[0]}
            assert not {char for strip in strips for char in strip.text} & CONTROL
        await console.press("1")
        assert console.app.pane == "presets"
