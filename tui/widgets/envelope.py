"""A curve for drawing whose size stays bounded however long the run is, and in which a spike cannot vanish."""

from __future__ import annotations

import math
from collections.abc import Sequence

MOST_BUCKETS = 2048
"""Reached, neighbouring buckets merge; wider than any terminal, so that each column still has buckets of its own."""

AT_ONCE = 100_000
"""Points that one call takes in, some 30 ms of work: a key that is pressed meanwhile does not wait for a million."""


class Envelope:
    """The running mean of a metric, kept as the lowest and the highest point of each bucket of steps.

    Values that are not finite are left out. Adding a point and drawing cost the same at a hundred points and at a
    million.
    """

    def __init__(self, window: int = 8) -> None:
        self._window = window
        self._recent: list[float] = []
        """The values before, one fewer than the window has."""
        self._per_bucket = 1
        self._buckets: list[tuple[tuple[int, float], tuple[int, float]]] = []
        self._in_last = 0
        self._taken = 0

    def follow(self, steps: Sequence[int], values: Sequence[float], *, most: int = AT_ONCE) -> bool:
        """Takes in what has been added to a growing curve since the last call, at most so many points.

        Gives whether that is all of it.
        """
        there = min(len(steps), len(values))
        start, end = self._taken, min(there, self._taken + most)
        self._taken = end
        new_steps, new_values = list(steps[start:end]), list(values[start:end])
        if not all(map(math.isfinite, new_values)):
            kept = [i for i, value in enumerate(new_values) if math.isfinite(value)]
            new_steps, new_values = [new_steps[i] for i in kept], [new_values[i] for i in kept]
        self._extend(new_steps, self._means(new_values))
        return end == there

    def points(self) -> tuple[list[int], list[float]]:
        """Steps and values in order, at most two a bucket."""
        chosen = [point for low, high in self._buckets for point in sorted({low, high})]
        return [step for step, _ in chosen], [value for _, value in chosen]

    def _means(self, values: list[float]) -> list[float]:
        """The mean of each value and those before it, as many as the window has."""
        window = self._window
        known = self._recent + values
        first = min(max(window - len(self._recent) - 1, 0), len(values))  # so many have fewer before them
        begun = len(self._recent) + 1
        means = [sum(known[:i]) / i for i in range(begun, begun + first)]
        rest = zip(*(known[max(len(self._recent) + first - window + 1 + k, 0) :] for k in range(window)), strict=False)
        means += [total / window for total in map(sum, rest)]
        self._recent = known[-(window - 1) :] if window > 1 else []
        return means

    def _extend(self, steps: list[int], values: list[float]) -> None:
        done = 0
        while done < len(values):
            if self._buckets and self._in_last < self._per_bucket:
                end = min(done + self._per_bucket - self._in_last, len(values))
                self._buckets[-1] = _merged(self._buckets[-1], _ends(steps, values, done, end))
                self._in_last += end - done
                done = end
                continue
            if len(self._buckets) == MOST_BUCKETS:
                pairs = zip(self._buckets[::2], self._buckets[1::2], strict=True)
                self._buckets = [_merged(one, other) for one, other in pairs]
                self._per_bucket *= 2
            end = min(done + self._per_bucket, len(values))
            self._buckets.append(_ends(steps, values, done, end))
            self._in_last = end - done
            done = end


def _ends(steps: list[int], values: list[float], start: int, end: int) -> tuple[tuple[int, float], tuple[int, float]]:
    """The lowest and the highest point from ``start`` to ``end``; of equal ones the first."""
    part = values[start:end]
    low, high = min(part), max(part)
    return (steps[start + part.index(low)], low), (steps[start + part.index(high)], high)


def _merged(
    one: tuple[tuple[int, float], tuple[int, float]], other: tuple[tuple[int, float], tuple[int, float]]
) -> tuple[tuple[int, float], tuple[int, float]]:
    """The lowest and the highest of two buckets."""
    return (
        min(one[0], other[0], key=lambda point: point[1]),
        max(one[1], other[1], key=lambda point: point[1]),
    )
