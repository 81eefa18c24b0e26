"""The text editor of the playground draws what is typed, tinted or not, and undoes a limited number of edits."""

from __future__ import annotations

import time
from contextlib import contextmanager

import pytest
from textual.app import App

from tests.tui.screen_text import screen_text
from tui.widgets.history import MOST_CHARACTERS, MOST_EDITS, History
from tui.widgets.source_text import SourceText


class Editor(App[None]):
    """An app that paints each change, or none; ``held`` counts the open calls of ``batch_update``."""

    def __init__(self, *, paints):
        super().__init__()
        self.paints, self.held = paints, 0

    @contextmanager
    def batch_update(self):
        self.held += 1
        with super().batch_update():
            yield
        self.held -= 1

    def compose(self):
        yield SourceText("", id="text")

    def on_source_text_changed(self):
        if self.paints:
            self.query_one(SourceText).paint((), (0, 0))


@pytest.mark.parametrize("paints", [False, True])
async def test_a_typed_letter_is_drawn_and_frames_are_released(paints):
    app = Editor(paints=paints)
    async with app.run_test(size=(40, 6)) as pilot:
        await pilot.press("a", "b", "c")
        end = time.monotonic() + 10
        while "abc" not in screen_text(app) or app.held:
            assert time.monotonic() < end
            await pilot.pause(0.01)


async def test_an_editor_removed_during_an_edit_releases_frames():
    app = Editor(paints=False)
    async with app.run_test(size=(40, 6)) as pilot:
        editor = app.query_one(SourceText)
        editor.set_text("film")
        assert app.held
        await editor.remove()
        await pilot.pause()
        assert not app.held


def test_undo_returns_earlier_texts_newest_first():
    history = History()
    for text in ("", "a", "ab"):
        history.remember(text, len(text))
    assert [history.undo() for _ in range(4)] == [("ab", 2), ("a", 1), ("", 0), None]


@pytest.mark.parametrize(("size", "stored"), [(1, MOST_EDITS), (MOST_CHARACTERS // 4, 4)])
def test_undo_drops_the_oldest_texts_beyond_its_limits(size, stored):
    history = History()
    for i in range(MOST_EDITS + 50):
        history.remember("x" * size, i)
    carets = []
    while (before := history.undo()) is not None:
        carets.append(before[1])
    assert carets == list(range(MOST_EDITS + 49, MOST_EDITS + 49 - stored, -1))
