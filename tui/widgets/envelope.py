"""A curve for drawing whose size stays bounded however long the run is, and in which a spike cannot vanish."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

MOST_BUCKETS = 1024
"""Reached, neighbouring buckets merge; more than a chart has columns: each still has buckets of its own."""

AT_ONCE = 250_000
"""Points that one call takes in, some 80 ms of work: a key that is pressed meanwhile does not wait for a million."""


class Bucket(NamedTuple):
    """What is kept of neighbouring points: the lowest and the highest, each with its step, and the sum of all."""

    low: tuple[int, float]
    high: tuple[int, float]
    total: float
    points: int


class Envelope:
    """The running mean of a metric, kept as the lowest, the highest and the mean of each bucket of steps.

    Values that are not finite are left out. Adding a point and drawing cost the same at a hundred points and at a
    million.
    """

    def __init__(self, window: int = 8) -> None:
        self._window = window
        self._recent: list[float] = []
        """The values before, one fewer than the window has."""
        self._per_bucket = 1
        self._buckets: list[Bucket] = []
        self._taken = 0

    def follow(self, steps: Sequence[int], values: Sequence[float], *, most: int = AT_ONCE) -> bool:
        """Takes in what has been added to a growing curve since the last call, at most so many points.

        Gives whether that is all of it.
        """
        there = min(len(steps), len(values))
        start, end = self._taken, min(there, self._taken + most)
        self._taken = end
        new_steps, new_values = steps[start:end], list(values[start:end])
        if not math.isfinite(sum(new_values)):  # then one of them is not, or they are huge: looked at one by one
            kept = [i for i, value in enumerate(new_values) if math.isfinite(value)]
            new_steps, new_values = [new_steps[i] for i in kept], [new_values[i] for i in kept]
        self._extend(new_steps, self._means(new_values))
        return end == there

    def points(self) -> tuple[list[int], list[float], list[float]]:
        """Steps and values in order, at most two a bucket, and beside each the mean of its bucket."""
        steps, values, means = [], [], []
        for low, high, total, points in self._buckets:
            for step, value in (low,) if low == high else (low, high) if low[0] < high[0] else (high, low):
                steps.append(step)
                values.append(value)
                means.append(total / points)
        return steps, values, means

    def _means(self, values: list[float]) -> list[float]:
        """The mean of each value and those before it, as many as the window has."""
        window, before = self._window, len(self._recent)
        known = self._recent + values
        first = min(max(window - before - 1, 0), len(values))  # so many have fewer before them
        means = [sum(known[:i]) / i for i in range(before + 1, before + 1 + first)]
        begin = max(before + first - window + 1, 0)
        # Each sum anew: in the difference of two running sums one huge loss would drown all that come after it.
        rest = zip(*(known[begin + k :] for k in range(window)), strict=False)
        means += [total / window for total in map(sum, rest)]
        self._recent = known[-(window - 1) :] if window > 1 else []
        return means

    def _extend(self, steps: Sequence[int], values: list[float]) -> None:
        there = (len(self._buckets) - 1) * self._per_bucket + self._buckets[-1].points if self._buckets else 0
        while there + len(values) > MOST_BUCKETS * self._per_bucket:
            pairs = zip_longest(self._buckets[::2], self._buckets[1::2])
            self._buckets = [_merged(one, other) if other else one for one, other in pairs]
            self._per_bucket *= 2
        done = 0
        while done < len(values):
            room = self._per_bucket - self._buckets[-1].points if self._buckets else 0
            if room:
                end = min(done + room, len(values))
                self._buckets[-1] = _merged(self._buckets[-1], _bucket(steps, values, done, end))
            else:
                end = min(done + self._per_bucket, len(values))
                self._buckets.append(_bucket(steps, values, done, end))
            done = end


def _bucket(steps: Sequence[int], values: list[float], start: int, end: int) -> Bucket:
    """The points from ``start`` to ``end``; of equally low or high ones the first."""
    part = values[start:end]
    low, high = min(part), max(part)
    first_low, first_high = steps[start + part.index(low)], steps[start + part.index(high)]
    return Bucket((first_low, low), (first_high, high), sum(part), end - start)


def _merged(one: Bucket, other: Bucket) -> Bucket:
    return Bucket(
        min(one.low, other.low, key=lambda point: point[1]),
        max(one.high, other.high, key=lambda point: point[1]),
        one.total + other.total,
        one.points + other.points,
    )
