"""The editor of the playground: what is typed is drawn whoever listens, and can be had back within bounds."""

from __future__ import annotations

import time

import pytest
from textual.app import App

from tui.widgets.history import MOST_CHARACTERS, MOST_EDITS, History
from tui.widgets.source_text import SourceText


class Editor(App[None]):
    """Nobody here paints what was typed, or only at once."""

    def __init__(self, *, paints):
        super().__init__()
        self.paints = paints

    def compose(self):
        yield SourceText("", id="text")

    def on_source_text_changed(self):
        if self.paints:
            self.query_one(SourceText).paint((), (0, 0))


@pytest.mark.parametrize("paints", [False, True])
async def test_a_letter_is_drawn_and_frames_are_held_for_it_no_longer(paints):
    app = Editor(paints=paints)
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.press("a", "b", "c")
        end = time.monotonic() + 10
        while "abc" not in app.screen._compositor.render_strips()[0].text or app._batch_count:
            assert time.monotonic() < end
            await pilot.pause(0.01)
        assert app.query_one(SourceText)._patience is None


async def test_an_editor_that_goes_amid_an_edit_holds_no_frame_back():
    app = Editor(paints=False)
    async with app.run_test(size=(40, 6)) as pilot:
        editor = app.query_one(SourceText)
        editor.set_text("film")
        assert app._batch_count
        await editor.remove()
        await pilot.pause()
        assert not app._batch_count


def test_texts_are_had_back_in_turn():
    history = History()
    for text in ("", "a", "ab"):
        history.remember(text, len(text))
    assert [history.take_back() for _ in range(4)] == [("ab", 2), ("a", 1), ("", 0), None]


@pytest.mark.parametrize(("size", "kept"), [(1, MOST_EDITS), (MOST_CHARACTERS // 4, 4)])
def test_the_oldest_texts_are_forgotten_where_there_are_too_many_edits_or_characters(size, kept):
    history = History()
    for i in range(MOST_EDITS + 50):
        history.remember("x" * size, i)
    carets = []
    while (before := history.take_back()) is not None:
        carets.append(before[1])
    assert carets == list(range(MOST_EDITS + 49, MOST_EDITS + 49 - kept, -1))
