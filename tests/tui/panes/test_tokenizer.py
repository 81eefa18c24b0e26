"""The tokenizer playground: the table follows the text."""

from __future__ import annotations

import pytest

from core.sources.origin import Origin
from core.tokenization.encode import SPECIAL_MEANINGS
from tests.tui.fakes import PIECES, small_tokenizer
from tui.widgets.source_text import SourceText

CONTROL = [chr(code) for code in (*range(32), 0x7F, *range(0x80, 0xA0)) if chr(code) != "\n"]


@pytest.fixture(autouse=True)
def _small_vocabulary(monkeypatch):
    origin = Origin("embedded", "small vocabulary")
    monkeypatch.setattr("core.sources.resolve.open_tokenizer", lambda *_, **__: (small_tokenizer(), origin))


@pytest.fixture
def playground(open_console):
    """The console with the Tokenizer pane in front and its tokenizer found."""
    from contextlib import asynccontextmanager

    @asynccontextmanager
    async def opened(**options):
        async with open_console(**options) as console:
            await console.press("2")
            await console.see("small vocabulary")
            yield console

    return opened


async def replace_text(console, text):
    await console.press("end", "ctrl+u")
    await console.paste(text)


def row(console, piece):
    """Whether a line of the table has the piece and its id."""
    number = str(PIECES.index(piece))
    return any(piece in line.split() and number in line.split() for line in console.text().splitlines())


async def test_it_opens_on_a_sentence_with_its_tokens_and_ids(playground):
    async with playground() as console:
        await console.see("hello my name is kevin", "7 tokens")
        for piece in ("[CLS]", "hello", "my", "name", "is", "kevin", "[SEP]"):
            assert row(console, piece), piece


async def test_a_typed_key_is_in_the_table_at_the_next_refresh(playground):
    async with playground() as console:
        await console.press("s")
        assert row(console, "##s")
        await console.press("backspace")
        assert not row(console, "##s")
        await console.press("space", *"film")
        assert row(console, "film")


async def test_an_unknown_word_is_counted_and_called_unknown(playground):
    async with playground() as console:
        await replace_text(console, "hello xyzzy")
        await console.see("1 unknown", "[UNK]")


@pytest.mark.parametrize("line_break", ["\r", "\n", "\r\n"])
async def test_each_kind_of_line_break_is_pasted_as_one_line_feed(playground, line_break):
    async with playground() as console:
        await replace_text(console, f"hello{line_break}kevin")
        await console.until(lambda: console.app.query_one(SourceText).text == "hello\nkevin", "the pasted text")


async def test_the_special_tokens_are_explained_under_the_cursor(playground):
    async with playground() as console:
        await console.press("escape", "ctrl+home")
        await console.see(SPECIAL_MEANINGS["[CLS]"][:30])
        await console.press("ctrl+end")
        await console.see(SPECIAL_MEANINGS["[SEP]"][:30])


async def test_special_tokens_can_be_taken_off_and_put_on_again(playground):
    async with playground() as console:
        await console.press("ctrl+t")
        await console.see("5 tokens")
        assert "[CLS]" not in console.text()
        await console.press("ctrl+t")
        await console.see("7 tokens", "[CLS]")


async def test_max_length_truncates_and_marks_the_truncated_text(playground):
    async with playground() as console:
        await console.press("ctrl+l", "4")
        await console.see("4 tokens", "truncated: 3 tokens")
        assert any("name is kevin" in line for line in console.text().splitlines() if "truncated" in line)
        await console.press("backspace")
        await console.see("7 tokens")
        await console.see_no("truncated")


async def test_a_max_length_that_leaves_no_room_is_refused_with_its_limits(playground):
    async with playground() as console:
        await console.press("ctrl+l", "2")
        await console.see("must be between 3 and 512", "7 tokens")


async def test_a_paste_of_100_000_characters_is_encoded(playground):
    async with playground() as console:
        await replace_text(console, "hello my name is kevin " * 4348)
        await console.see("21,742 tokens")
        await console.press("escape", "1")
        assert console.app.pane == "presets"


async def test_an_empty_text_has_only_its_special_tokens(playground):
    async with playground() as console:
        await console.press("end", "ctrl+u")
        await console.see("2 tokens")
        await console.press("ctrl+t")
        await console.see("0 tokens")


async def test_a_tokenizer_that_is_not_available_is_reported(open_console, monkeypatch):
    from core.errors import InputError

    def nothing(*_, **__):
        raise InputError("the vocabulary is nowhere")

    monkeypatch.setattr("core.sources.resolve.open_tokenizer", nothing)
    async with open_console() as console:
        await console.press("2")
        await console.see("the vocabulary is nowhere")
        await console.press("x", "escape", "5")
        assert console.app.pane == "runs"


async def test_no_control_character_of_the_text_reaches_the_screen(playground):
    async with playground() as console:
        await replace_text(console, "hello \x1b[31mred\x00 my\x07 name\x9b31m \u202e is")
        await console.see("red")
        found = {char for strip in console.strips() for char in strip.text if char in CONTROL or char == "\u202e"}
        assert found == set()


async def test_a_reason_with_brackets_is_shown_as_it_is(open_console, monkeypatch):
    from core.errors import InputError

    def nothing(*_, **__):
        raise InputError("no folder [/x] here")

    monkeypatch.setattr("core.sources.resolve.open_tokenizer", nothing)
    async with open_console() as console:
        await console.press("2")
        await console.see("no folder [/x] here")
