"""A curve for drawing whose size stays bounded however long the run is, and in which a spike cannot vanish."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence

MOST_BUCKETS = 2048
"""Reached, neighbouring buckets merge; wider than any terminal, so that each column still has buckets of its own."""


class Envelope:
    """The running mean of a metric, kept as the lowest and the highest point of each bucket of steps.

    Values that are not finite are left out. Adding a point and drawing cost the same at a hundred points and at a
    million.
    """

    def __init__(self, window: int = 8) -> None:
        self._recent: deque[float] = deque(maxlen=window)
        self._per_bucket = 1
        self._buckets: list[tuple[tuple[int, float], tuple[int, float]]] = []
        self._in_last = 0
        self._taken = 0

    def follow(self, steps: Sequence[int], values: Sequence[float]) -> None:
        """Takes in what has been added to a growing curve since the last call."""
        for i in range(self._taken, min(len(steps), len(values))):
            if math.isfinite(values[i]):
                self._recent.append(values[i])
                self._add((steps[i], sum(self._recent) / len(self._recent)))
        self._taken = min(len(steps), len(values))

    def points(self) -> tuple[list[int], list[float]]:
        """Steps and values in order, at most two a bucket."""
        chosen = [point for low, high in self._buckets for point in sorted({low, high})]
        return [step for step, _ in chosen], [value for _, value in chosen]

    def _add(self, point: tuple[int, float]) -> None:
        if self._buckets and self._in_last < self._per_bucket:
            low, high = self._buckets[-1]
            self._buckets[-1] = _merged((low, high), (point, point))
            self._in_last += 1
            return
        if len(self._buckets) == MOST_BUCKETS:
            pairs = zip(self._buckets[::2], self._buckets[1::2], strict=True)
            self._buckets = [_merged(one, other) for one, other in pairs]
            self._per_bucket *= 2
        self._buckets.append((point, point))
        self._in_last = 1


def _merged(
    one: tuple[tuple[int, float], tuple[int, float]], other: tuple[tuple[int, float], tuple[int, float]]
) -> tuple[tuple[int, float], tuple[int, float]]:
    """The lowest and the highest of two buckets."""
    return (
        min(one[0], other[0], key=lambda point: point[1]),
        max(one[1], other[1], key=lambda point: point[1]),
    )
