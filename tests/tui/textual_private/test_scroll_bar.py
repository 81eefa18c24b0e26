"""The scrollbar of our lists shows what Textual's own would, and is rendered only where that differs."""

from __future__ import annotations

import random

import pytest
from rich.text import Text
from textual.app import App
from textual.geometry import Region
from textual.scrollbar import ScrollBar

from tui.widgets.rows import Rows


class Listed(App[None]):
    def compose(self):
        yield Rows(id="rows")


def cells(strips):
    return [[(segment.text, segment.style) for segment in strip] for strip in strips]


def strips(bar):
    return cells(bar.render_lines(bar.size.region))


@pytest.fixture
def rendered(monkeypatch):
    """How often a bar was rendered."""
    calls = []
    own = ScrollBar.render_lines

    def counted(bar, crop):
        calls.append(crop)
        return own(bar, crop)

    monkeypatch.setattr(ScrollBar, "render_lines", counted)
    return calls


async def test_cells_are_those_of_textuals_own_bar():
    app = Listed()
    async with app.run_test(size=(30, 13)) as pilot:
        rows = app.query_one(Rows)
        draw = random.Random(0)
        for _ in range(40):
            count = draw.choice([14, 20, 100, 4000])
            rows.show_rows(count, lambda i: Text(str(i)), row=draw.randrange(count))
            bar = rows.vertical_scrollbar
            bar.mouse_over = draw.random() < 0.2
            await pilot.pause()
            shown = strips(bar)
            bar._styles_cache.clear()
            bar._set_dirty()
            assert shown == cells(ScrollBar.render_lines(bar, bar.size.region))
        assert bar.size.height == 13


async def test_a_line_more_that_moves_nothing_is_not_rendered(rendered):
    app = Listed()
    async with app.run_test(size=(30, 13)) as pilot:
        rows = app.query_one(Rows)
        rows.show_rows(1000, lambda i: Text(str(i)), row=999)
        await pilot.pause()
        bar = rows.vertical_scrollbar
        before, calls = strips(bar), len(rendered)
        rows.show_rows(1001, lambda i: Text(str(i)), row=1000)
        await pilot.pause()
        assert strips(bar) == before
        assert len(rendered) == calls
        rows.show_rows(1001, lambda i: Text(str(i)), row=0)
        await pilot.pause()
        assert strips(bar) != before
        assert len(rendered) > calls


async def test_parts_are_cut_from_the_whole_and_another_theme_is_rendered_anew():
    app = Listed()
    async with app.run_test(size=(30, 13)) as pilot:
        rows = app.query_one(Rows)
        rows.show_rows(1000, lambda i: Text(str(i)))
        await pilot.pause()
        bar = rows.vertical_scrollbar
        whole = bar.render_lines(bar.size.region)
        part = bar.render_lines(bar.size.region.shrink((2, 0, 3, 0)))
        assert [strip.text for strip in part] == [strip.text for strip in whole[2:-3]]
        assert [strip.text for strip in bar.render_lines(Region(1, 0, 1, 4))] == [strip.text[1:] for strip in whole[:4]]
        before = strips(bar)
        app.theme = "textual-light"
        await pilot.pause()
        assert strips(bar) != before
