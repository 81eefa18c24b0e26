"""The histogram of a tensor shows every count and fits into any size."""

from __future__ import annotations

import pytest
from textual.app import App

from tests.tui.screen_text import screen_strips
from tui.panes.model.histogram import Histogram
from tui.themes import ON_DARK

EDGES = [-1.0, -0.5, 0.0, 0.5, 1.0]


class Shown(App[None]):
    def compose(self):
        yield Histogram()

    def get_theme_variable_defaults(self):
        return dict(ON_DARK)


async def lines(size, bins, edges=EDGES):
    app = Shown()
    async with app.run_test(size=size) as pilot:
        app.query_one(Histogram).show(edges, bins)
        await pilot.pause()
        return [strip.text.rstrip() for strip in screen_strips(app)]


async def test_the_height_of_a_bar_is_its_count_in_eighths_of_a_cell_rounded_up():
    assert await lines((19, 4), [0, 1, 16, 9]) == [
        "16┤        ████▁▁▁▁",
        " 0┤    ▁▁▁▁████████",
        "  └┬──────────────┬",
        "   -1             1",
    ]


@pytest.mark.parametrize("width", [16, 17, 40, 60, 61, 119, 200])
@pytest.mark.parametrize("height", [3, 5, 30])
async def test_it_fills_its_size_and_shows_a_count_of_one(width, height):
    bins = [0] * 60
    bins[17], bins[41] = 1, 1_000_000
    drawn = await lines((width, height), bins, [i / 60 for i in range(61)])
    assert len(drawn) == height
    assert all(len(line) <= width for line in drawn)
    bars = [line.split("┤")[-1].split("│")[-1] for line in drawn[:-2]]
    assert sum(char != " " for char in bars[-1]) >= 2
    assert "▁" in bars[-1]
    assert "█" in bars[0]


async def test_nothing_is_drawn_without_bins_or_in_too_small_a_size():
    assert not any(await lines((40, 10), []))
    assert not any(await lines((15, 10), [1, 2, 3, 4]))
    assert not any(await lines((40, 2), [1, 2, 3, 4]))
