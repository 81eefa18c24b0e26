"""The axis of Summary: points and intervals are where their values are."""

from __future__ import annotations

from core.analysis.intervals import Interval
from tui.panes.results.metrics_table import interval_bar


def test_a_point_and_its_interval_are_at_their_shares_of_the_axis():
    bar = interval_bar(0.8, Interval(0.75, 0.9), 0.5, 51).plain
    assert (bar.index("●"), bar.index("┣"), bar.index("┫"), len(bar)) == (30, 25, 40, 51)


def test_the_ends_of_the_axis_are_its_first_and_last_cell():
    assert interval_bar(0.5, None, 0.5, 11).plain == "●··········"
    assert interval_bar(1.0, Interval(0.9, 1.0), 0.5, 11).plain == "········┣━●"


def test_a_point_left_of_the_axis_is_at_its_first_cell():
    assert interval_bar(0.1, None, 0.5, 3).plain == "●··"
