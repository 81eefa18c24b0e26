"""A long text with tints: what is drawn stays at its index, and the rule marks where the model stopped."""

from __future__ import annotations

import pytest
from textual.app import App

from tui.widgets.tinted_text import Tint, TintedText, level_of


@pytest.fixture
def texts():
    return TintedText(id="text")


def app_of(widget):
    class Shown(App):
        def compose(self):
            yield widget

    return Shown()


def lines_of(widget):
    return ["".join(segment.text for segment in widget.render_line(y)).rstrip() for y in range(widget.size.height)]


def tinted(widget, y):
    """The characters of a line whose background is not that of the widget."""
    segments = list(widget.render_line(y))
    base = segments[-1].style.bgcolor
    return "".join(segment.text for segment in segments if segment.style.bgcolor != base)


@pytest.mark.parametrize(
    ("effect", "level"), [(1.0, 3), (0.7, 3), (-0.69, -2), (0.4, 2), (0.39, 1), (-0.15, -1), (0.14, 0), (0.0, 0)]
)
def test_the_level_of_a_tint_is_the_share_of_the_largest_effect(effect, level):
    assert level_of(effect, 1.0) == level
    assert level_of(effect * 5, 5.0) == level


def test_without_an_effect_nothing_is_tinted():
    assert level_of(0.0, 0.0) == 0


async def test_html_line_breaks_are_line_breaks_and_tints_stay_at_their_words(texts):
    text = "a good film<br /><br />but a dull end"
    async with app_of(texts).run_test(size=(40, 10)) as pilot:
        texts.show(text)
        texts.tint([Tint(2, 6, 3), Tint(text.index("dull"), text.index("dull") + 4, -3)])
        await pilot.pause()
        assert lines_of(texts)[:4] == ["a good film", "", "but a dull end", ""]
        assert (tinted(texts, 0), tinted(texts, 2)) == ("good", "dull")


async def test_a_tint_that_wraps_is_drawn_on_both_lines(texts):
    async with app_of(texts).run_test(size=(14, 6)) as pilot:
        texts.show("one two three four")
        texts.tint([Tint(4, 13, 2)])
        await pilot.pause()
        assert lines_of(texts)[:2] == ["one two", "three four"]
        assert [tinted(texts, y).strip() for y in (0, 1)] == ["two", "three"]


async def test_the_text_after_the_cut_is_below_a_rule_and_scrolls_with_the_text(texts):
    async with app_of(texts).run_test(size=(30, 4)) as pilot:
        texts.show("read this and not this", cut=9, rule="not read")
        await pilot.pause()
        shown = lines_of(texts)
        assert (shown[0], shown[2]) == ("read this", "and not this")
        assert shown[1].startswith("── not read ──")
        texts.mark_cut(None)
        assert lines_of(texts)[:2] == ["read this and not this", ""]


async def test_another_text_is_shown_from_its_start_without_the_tints_of_the_one_before(texts):
    async with app_of(texts).run_test(size=(30, 4)) as pilot:
        texts.show("word " * 100)
        texts.tint([Tint(0, 4, 3)])
        texts.scroll_end(animate=False)
        await pilot.pause()
        texts.show("short text")
        await pilot.pause()
        assert lines_of(texts)[0] == "short text"
        assert tinted(texts, 0) == ""


async def test_a_text_of_100000_characters_has_all_of_its_lines(texts):
    async with app_of(texts).run_test(size=(54, 10)) as pilot:
        texts.show("word " * 20_000 + "end")
        texts.scroll_end(animate=False)
        await pilot.pause()
        assert texts.virtual_size.height == 2001
        assert lines_of(texts)[-1] == "end"
