"""What a curve keeps for drawing: bounded, in order, and with every spike."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.widgets.envelope import MOST_BUCKETS, Envelope


@pytest.mark.parametrize("spike", [0, 1, 4095, 4096, 12_345, 19_999])
def test_a_spike_survives_however_long_the_curve(spike: int) -> None:
    envelope = Envelope(window=1)
    envelope.follow(range(20_000), [9.0 if i == spike else 1.0 for i in range(20_000)])
    steps, values, _ = envelope.points()
    assert (spike, 9.0) in zip(steps, values, strict=True)


def test_what_is_kept_is_bounded() -> None:
    envelope = Envelope()
    envelope.follow(range(100_000), [float(i * 7919 % 1000) for i in range(100_000)])
    assert MOST_BUCKETS / 2 <= len(envelope.points()[0]) <= 2 * MOST_BUCKETS


@given(st.lists(st.floats(0, 1), max_size=60), st.integers(0, 60))
def test_following_in_two_parts_equals_following_at_once_and_is_the_running_mean(values: list[float], cut: int) -> None:
    steps = list(range(1, len(values) + 1))
    parts, whole = Envelope(window=4), Envelope(window=4)
    parts.follow(steps[:cut], values[:cut])
    parts.follow(steps, values)
    whole.follow(steps, values)
    assert parts.points() == whole.points()
    means = [sum(values[max(i - 3, 0) : i + 1]) / min(i + 1, 4) for i in range(len(values))]
    assert whole.points() == (steps, pytest.approx(means), pytest.approx(means))


def test_a_loss_that_is_not_finite_is_left_out_and_spoils_nothing_after_it() -> None:
    envelope = Envelope(window=4)
    envelope.follow([1, 2, 3, 4], [0.5, math.nan, math.inf, 0.5])
    assert envelope.points() == ([1, 4], [0.5, 0.5], [0.5, 0.5])


@pytest.mark.parametrize("count", [1, 9, MOST_BUCKETS, MOST_BUCKETS + 1, 5 * MOST_BUCKETS + 7])
def test_point_by_point_many_at_once_and_in_parts_come_to_the_same(count: int) -> None:
    steps = list(range(1, count + 1))
    values = [step * 7919 % 1009 / 1009 for step in steps]
    one_by_one, at_once, in_parts = Envelope(), Envelope(), Envelope()
    while not one_by_one.follow(steps, values, most=1):
        pass
    assert at_once.follow(steps, values)
    while not in_parts.follow(steps, values, most=313):
        pass
    (*one, one_means), (*whole, means), (*parts, part_means) = (
        envelope.points() for envelope in (one_by_one, at_once, in_parts)
    )
    assert one == whole == parts
    assert one_means == pytest.approx(means, rel=1e-12) == part_means  # sums of the same, in another order


def test_the_mean_of_a_bucket_is_that_of_all_its_points() -> None:
    envelope, count = Envelope(window=1), 4 * MOST_BUCKETS
    envelope.follow(range(count), [float(i % 4 == 0) for i in range(count)])
    _, values, means = envelope.points()
    assert set(values) == {0.0, 1.0}
    assert set(means) == {0.25}


def test_a_call_takes_in_no_more_than_it_is_told_and_says_so() -> None:
    envelope = Envelope()
    assert not envelope.follow(range(10), [0.5] * 10, most=9)
    assert len(envelope.points()[0]) == 9
    assert envelope.follow(range(10), [0.5] * 10, most=9)
    assert len(envelope.points()[0]) == 10
