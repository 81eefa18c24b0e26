"""The chart: spikes stay visible, values that are not finite are left out, and long runs cost no more to draw."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from textual.app import App

from tests.tui.screen_text import screen_strips, screen_text
from tui.widgets.chart import Chart, Series, nice_ticks

COLOUR = "train-curve"
BRAILLE = {chr(code) for code in range(0x2801, 0x2900)}


@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6), st.integers(2, 9))
@example(0.0, 0.7, 5)
def test_ticks_are_round_even_and_inside(low, span, most):
    high = low + span
    assume(high - low > 1e-6 * max(abs(low), abs(high)))  # else both are the same number as a float
    places, decimals = nice_ticks(low, high, most)
    assert 2 <= len(places) <= most
    near = 1e-6 * (high - low) + 1e-9 * max(abs(low), abs(high))
    assert low - near <= places[0]
    assert places[-1] <= high + near
    if places != [low, high]:
        distance = places[1] - places[0]
        digit = float(f"{distance:.2e}"[:4])
        if digit == 4.0:  # twice 2: used if half of it gives too many ticks and 5 too few
            inside = [
                math.floor(high / d + 1e-9) - math.ceil(low / d - 1e-9) + 1 for d in (distance / 2, distance * 1.25)
            ]
            assert inside[0] > most
            assert inside[1] < 2
        else:
            assert digit in (1.0, 2.0, 5.0)
        assert all(float(f"{place:.{decimals}f}") == pytest.approx(place, abs=near) for place in places)


@pytest.mark.parametrize(
    ("low", "high", "most", "written"),
    [
        (0.06, 0.94, 5, ["0.2", "0.4", "0.6", "0.8"]),
        (35.0, 100.0, 4, ["40", "60", "80", "100"]),
        (0.648, 0.703, 6, ["0.65", "0.66", "0.67", "0.68", "0.69", "0.70"]),
        (0.6, 0.9, 2, ["0.6", "0.8"]),
        (0.06, 0.94, 2, ["0.4", "0.8"]),
        (0.06, 0.94, 3, ["0.4", "0.8"]),
        (0.55, 1.04, 2, ["0.55", "1.04"]),
    ],
)
def test_ticks_are_written_with_the_decimals_they_need(low, high, most, written):
    places, decimals = nice_ticks(low, high, most)
    assert [f"{place:.{decimals}f}" for place in places] == written


async def test_a_long_curve_is_a_line_through_the_means_between_dots(monkeypatch):
    from textual_plotext.plot import Plot

    handed = {"plot": [], "scatter": []}
    for name in handed:
        real = getattr(Plot, name)

        def note(self, steps, values, _real=real, _name=name, **options):
            handed[_name].append(list(values))
            return _real(self, steps, values, **options)

        monkeypatch.setattr(Plot, name, note)
    app = Page()
    async with app.run_test(size=(60, 20)) as pilot:
        values = [0.2, 0.8] * 1000
        app.query_one(Chart).show([Series("train", range(2000), values, COLOUR)], x_end=2000, ticks=[])
        await pilot.pause()
    assert handed["plot"]
    assert all(line == pytest.approx([0.5] * len(line), abs=0.02) for line in handed["plot"])
    assert [set(dots) for dots in handed["scatter"]][:2] == [{0.2}, {0.8}]


class Page(App[None]):
    def compose(self):
        yield Chart("loss")

    def get_theme_variable_defaults(self):
        return {COLOUR: "#4c9ef5"}


def drawn(app):
    return screen_text(app)


def at_spike(number):
    return 50.0 if number == 777_777 else 0.5


async def test_plotext_draws_few_of_a_million_points_and_the_spike_is_among_them(monkeypatch):
    from textual_plotext.plot import Plot

    handed = []
    for name in ("plot", "scatter"):
        real = getattr(Plot, name)

        def count(self, *args, _real=real, **options):
            handed.extend(len(each) for each in args if hasattr(each, "__len__"))
            return _real(self, *args, **options)

        monkeypatch.setattr(Plot, name, count)
    app = Page()
    async with app.run_test(size=(100, 30)) as pilot:
        million = range(1, 1_000_001)
        series = Series("train", million, [at_spike(number) for number in million], COLOUR)
        app.query_one(Chart).show([series], x_end=1_000_000, ticks=[(500_000, "half")])
        await pilot.pause()
        text = drawn(app)
    assert handed
    assert max(handed) <= 2 * 100
    assert "half" in text
    assert any("5" in line.split("┤")[0] for line in text.splitlines() if "┤" in line)


@pytest.mark.parametrize("size", [(100, 30), (40, 12), (20, 6), (8, 3), (1, 1)])
async def test_a_chart_of_any_size_is_drawn(size):
    app = Page()
    async with app.run_test(size=size) as pilot:
        curve = [Series("train", [1, 2, 3], [0.7, 0.6, 0.5], COLOUR)]
        app.query_one(Chart).show(curve, x_end=10, ticks=[(5, "epoch 1"), (10, "2")])
        await pilot.pause()
        assert drawn(app).strip() or size[0] < 8


@pytest.mark.parametrize(
    "values", [[], [math.nan], [math.inf, -math.inf], [0.5], [0.5, 0.5], [0.0, 1e30], [math.nan, 0.4, math.nan]]
)
async def test_curves_that_are_empty_flat_huge_or_not_finite_are_drawn_without_an_error(values):
    app = Page()
    async with app.run_test(size=(60, 20)) as pilot:
        for mark in ("", "●"):
            series = Series("train", range(1, len(values) + 1), values, COLOUR, mark=mark)
            app.query_one(Chart).show([series], x_end=10, ticks=[])
            await pilot.pause()
        assert "loss" in drawn(app)


async def test_a_chart_fills_a_screen_larger_than_the_usual_terminal():
    app = Page()
    async with app.run_test(size=(150, 60)) as pilot:
        app.query_one(Chart).show([Series("a", [1, 2, 3], [0.1, 0.3, 0.2], COLOUR)], x_end=3, ticks=[(3, "3")])
        await pilot.pause()
        *_, axis, labels = drawn(app).splitlines()
    assert labels.strip() == "3"
    assert axis.endswith("┬┘")
    assert len(axis) == 150


async def test_a_curve_has_the_colour_of_the_current_theme():
    class Themed(Page):
        def get_theme_variable_defaults(self):
            return {COLOUR: "#4c9ef5" if self.current_theme.dark else "#123456"}

    def colours():
        strips = screen_strips(app)
        styles = [segment.style for strip in strips for segment in strip if set(segment.text) & BRAILLE]
        return {style.color.get_truecolor().hex for style in styles}

    app = Themed()
    async with app.run_test(size=(60, 20)) as pilot:
        app.query_one(Chart).show([Series("train", [1, 2, 3], [0.7, 0.6, 0.5], COLOUR)], x_end=3, ticks=[])
        await pilot.pause()
        assert colours() == {"#4c9ef5"}
        app.theme = "textual-light"
        await pilot.pause()
        assert colours() == {"#123456"}
