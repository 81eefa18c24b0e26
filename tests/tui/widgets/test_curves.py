"""Curves of a run: a long run is drawn to its end, and new points are drawn after a short wait."""

from __future__ import annotations

from textual.app import App

from core.runs.state import RunState
from tests.core.support.events_of import step
from tests.tui.screen_text import screen_text
from tui.themes import ON_DARK
from tui.widgets.curves import RunCurves

BRAILLE = {chr(code) for code in range(0x2801, 0x2900)}


class Page(App[None]):
    def compose(self):
        yield RunCurves()

    def get_theme_variable_defaults(self):
        return dict(ON_DARK)


def state_of(count, loss):
    state = RunState()
    for number in range(1, count + 1):
        state.apply(step(number, loss=loss))
    return state


def text_of(app):
    return screen_text(app)


def braille_of(app):
    """The drawn cells of the left chart, where the loss is."""
    return [[char if char in BRAILLE else " " for char in line[:50]] for line in text_of(app).splitlines()]


async def test_a_long_run_is_drawn_to_its_end_and_another_replaces_it():
    app = Page()
    async with app.run_test(size=(100, 30)) as pilot:
        curves = app.query_one(RunCurves)
        curves.show([("long", state_of(5000, 0.75))])
        await pilot.pause()
        assert any(line[47] != " " or line[46] != " " for line in braille_of(app))
        assert "lowest and highest" in text_of(app)
        curves.show([("other", state_of(10, 0.25))])
        await pilot.pause()
        assert "lowest and highest" not in text_of(app)


async def test_new_points_wait_but_the_numbers_of_the_legend_do_not(monkeypatch):
    monkeypatch.setattr("tui.widgets.curves.CURVES_S", 3600.0)
    app = Page()
    async with app.run_test(size=(100, 30)) as pilot:
        curves = app.query_one(RunCurves)
        state = state_of(10, 0.25)
        curves.show([("run", state)])
        await pilot.pause()
        before = braille_of(app)
        state.apply(step(11, loss=0.75))
        curves.show([("run", state)], paced=True)
        await pilot.pause()
        assert braille_of(app) == before
        assert "loss 0.750" in text_of(app)
        curves.show([("run", state)])
        await pilot.pause()
        assert braille_of(app) != before


async def test_new_points_are_drawn_within_the_time_between_two_drawings(monkeypatch):
    monkeypatch.setattr("tui.widgets.curves.CURVES_S", 0.1)
    app = Page()
    async with app.run_test(size=(100, 30)) as pilot:
        curves = app.query_one(RunCurves)
        state = state_of(10, 0.25)
        curves.show([("run", state)])
        await pilot.pause()
        before = braille_of(app)
        state.apply(step(11, loss=0.75))
        curves.show([("run", state)], paced=True)
        await pilot.pause(0.4)
        assert braille_of(app) != before
