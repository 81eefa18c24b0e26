"""The footer: the keys it shows, clicks on them, and the entries it leaves out in narrow terminals."""

from __future__ import annotations

from typing import ClassVar

import pytest
from textual.app import App
from textual.binding import Binding
from textual.widgets import Button
from textual.widgets import Footer as TextualFooter

from tests.tui.screen_text import screen_strips
from tui.widgets.footer import Footer

MANY = Binding.Group("many", compact=True)


class Bound(App[None]):
    """An app with bindings of each kind."""

    BINDINGS: ClassVar = [
        Binding("a", "note('a')", "do a"),
        Binding("ctrl+s", "note('save')", "save"),
        Binding("b", "note('b')", "not now"),
        Binding("1", "note('1')", "One", group=MANY),
        Binding("2", "note('2')", "Two", group=MANY),
        Binding("x", "note('x')", "hidden", show=False),
        Binding("question_mark", "note('help')", "keys", key_display="?"),
        Binding("q", "note('quit')", "quit"),
    ]

    def __init__(self, footer=None):
        super().__init__()
        self.footer = footer or Footer(help_key="question_mark")
        self.pressed = []
        self.rings = 0

    def compose(self):
        yield Button("focused first")
        yield self.footer

    def action_note(self, what):
        self.pressed.append(what)

    def check_action(self, action, parameters):
        return None if parameters == ("b",) else True

    def bell(self):
        self.rings += 1

    def line(self):
        return screen_strips(self)[self.footer.region.y].text


async def settled(pilot):
    await pilot.pause()
    await pilot.pause(0.1)


async def test_a_wide_footer_looks_like_that_of_textual():
    lines = []
    for footer in (None, TextualFooter(show_command_palette=False)):
        app = Bound(footer)
        async with app.run_test(size=(100, 10)) as pilot:
            await settled(pilot)
            lines.append(app.line().rstrip())
    assert lines[0] == lines[1]
    assert lines[0] == " a do a  ^s save  b not now  12 many  ? keys  q quit"


@pytest.mark.parametrize("word", ["do a", "save", "1", "2", "keys", "quit"])
async def test_a_click_presses_the_key(word):
    app = Bound()
    async with app.run_test(size=(100, 10)) as pilot:
        await settled(pilot)
        await pilot.click(app.footer, offset=(app.line().index(word), 0))
        await settled(pilot)
        assert app.pressed == [{"do a": "a", "keys": "help"}.get(word, word)]
        await pilot.click(app.footer, offset=(99, 0))
        await settled(pilot)
        assert len(app.pressed) == 1


async def test_a_disabled_key_is_dim_and_a_click_on_it_rings_the_bell():
    app = Bound()
    async with app.run_test(size=(100, 10)) as pilot:
        await settled(pilot)
        at = app.line().index("not now")
        await pilot.click(app.footer, offset=(at, 0))
        await settled(pilot)
        assert (app.pressed, app.rings) == ([], 1)
        line = app.footer.render()
        dim = [span for span in line.spans if "dim" in str(span.style)]
        assert "".join(line.plain[span.start : span.end] for span in dim).strip() == "b not now"


async def test_a_narrow_footer_leaves_out_the_last_entries_but_not_help():
    app = Bound()
    async with app.run_test(size=(41, 10)) as pilot:
        await settled(pilot)
        assert app.line().rstrip() == " a do a  ^s save  b not now  ? keys"
        await pilot.resize_terminal(10, 10)
        await settled(pilot)
        assert app.line() == " ? keys   "


async def test_the_key_under_the_mouse_is_highlighted():
    app = Bound()
    async with app.run_test(size=(100, 10)) as pilot:
        await settled(pilot)
        plain = app.footer.render()
        await pilot.hover(app.footer, offset=(app.line().index("save"), 0))
        await settled(pilot)
        marked = app.footer.render()
        more = [span for span in marked.spans if span not in plain.spans]
        assert "".join(marked.plain[span.start : span.end] for span in more) == " ^s save "
        await pilot.hover(Button)
        await settled(pilot)
        assert app.footer.render().spans == plain.spans


async def test_it_shows_the_keys_of_the_pane_in_front(open_console):
    async with open_console() as console:
        footer = console.app.query_one(Footer)
        await console.until(lambda: "open in Train" in footer.render().plain, "the keys of Presets")
        await console.press("2")
        await console.until(lambda: footer.render().plain == " esc leave text ", "the only key of a text")
        await console.press("escape")
        await console.until(lambda: "panes" in footer.render().plain, "the keys of the tokenizer")
