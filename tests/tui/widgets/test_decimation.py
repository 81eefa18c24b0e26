"""Reduced curves: the running mean, and the extremes per column, so that no spike is lost."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from core.runs.state import Curve
from tui.widgets.decimation import RunningMean, finite, per_column

finite_values = st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=400)


def curve_of(values: list[float]) -> Curve:
    curve = Curve()
    for step, value in enumerate(values, start=1):
        curve.add(step, value)
    return curve


def points_of(mean: RunningMean) -> tuple[list[int], list[float]]:
    steps, values = mean.points()
    return steps.tolist(), values.tolist()


@given(finite_values, st.integers(1, 60))
@example([0.0] * 49, 49)
def test_columns_have_the_extremes_and_the_mean_of_all_points(values: list[float], columns: int) -> None:
    columns = min(columns, len(values))
    shown = per_column(*finite(range(len(values)), values), columns)
    assert len(shown.steps) == len(shown.lowest) == len(shown.highest) == len(shown.mean) == columns
    assert shown.steps.tolist() == sorted(set(shown.steps.tolist()))
    assert (shown.lowest.min(), shown.highest.max()) == (min(values), max(values))
    assert ((shown.lowest <= shown.mean) & (shown.mean <= shown.highest)).all()
    if len(values) % columns == 0 and max(map(abs, values)) < 1e6:
        size = len(values) // columns
        assert shown.mean[0] == pytest.approx(sum(values[:size]) / size, abs=1e-6)


@given(st.integers(0, 9_999), st.integers(2, 100))
def test_a_single_spike_among_ten_thousand_points_is_in_its_column(at: int, columns: int) -> None:
    values = np.full(10_000, 0.5)
    values[at] = 9.0
    shown = per_column(np.arange(10_000), values, columns)
    (column,) = np.flatnonzero(shown.highest == 9.0)
    assert abs(int(shown.steps[column]) - at) <= 10_000 / columns


def test_a_spike_survives_among_a_million_points() -> None:
    curve = curve_of([0.5] * 777_776 + [50.0] + [0.5] * 222_223)
    assert per_column(*RunningMean(curve).points(), 90).highest.max() == (50.0 + 7 * 0.5) / 8


def test_values_that_are_not_finite_are_left_out_of_later_means() -> None:
    mean = RunningMean(curve_of([0.5, math.nan, math.inf, 0.5]), window=4)
    assert points_of(mean) == ([1, 4], [0.5, 0.5])


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(0, 60))
def test_a_curve_read_in_two_parts_has_the_running_mean_of_the_whole(values: list[float], cut: int) -> None:
    curve = curve_of(values[:cut])
    mean = RunningMean(curve, window=4)
    mean.points()
    for step, value in enumerate(values[cut:], start=len(values[:cut]) + 1):
        curve.add(step, value)
    means = [sum(values[max(i - 3, 0) : i + 1]) / min(i + 1, 4) for i in range(len(values))]
    assert points_of(mean) == (list(range(1, len(values) + 1)), pytest.approx(means))


def test_a_huge_loss_does_not_change_means_after_its_window() -> None:
    mean = RunningMean(curve_of([1e308, 1e308, 1e308, 0.5, 0.5, 0.5]), window=2)
    assert points_of(mean)[1][-2:] == [0.5, 0.5]
    assert all(map(math.isfinite, points_of(mean)[1]))


def test_points_that_were_removed_when_a_run_was_resumed_are_not_drawn() -> None:
    curve = curve_of([0.5, 0.4, 0.3, 0.2])
    mean = RunningMean(curve, window=1)
    mean.points()
    curve.rewind(2)
    curve.add(3, 0.9)
    assert points_of(mean) == ([1, 2, 3], [0.5, 0.4, 0.9])


def test_a_curve_can_grow_after_it_was_drawn() -> None:
    curve = curve_of([0.5] * 3000)
    mean = RunningMean(curve)
    drawn = mean.points()
    for step in range(3001, 6001):
        curve.add(step, 0.25)
    assert len(mean.points()[0]) == 6000
    assert len(drawn[0]) == 3000
