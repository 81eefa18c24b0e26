"""Reduce long curves for drawing: a running mean, and the lowest, highest and mean value per plotted column.

It uses numpy, so that a redraw of a million points takes a few milliseconds. Import this module only where a curve is
drawn: importing numpy takes about 0.1 s, which would delay the first frame.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from core.runs.state import Curve

_Number = TypeVar("_Number", np.int64, np.float64)

WINDOW = 8
"""Batches in the running mean, because the loss of a single batch of 16 is noisy."""


class RunningMean:
    """The running mean of a growing curve over ``window`` values; each call computes only the new points.

    Values that are not finite are left out.
    """

    def __init__(self, curve: Curve, window: int = WINDOW) -> None:
        self._curve, self._window = curve, window
        self._steps, self._means = np.empty(1024, np.int64), np.empty(1024)
        self._reset()

    def _reset(self) -> None:
        self._taken = self._count = 0
        self._rewinds = self._curve.rewinds
        self._recent = np.empty(0)
        """The last ``window - 1`` finite values, with which the next mean begins."""

    def points(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the steps and means of the whole curve."""
        if self._curve.rewinds != self._rewinds:
            self._reset()
        if len(self._curve.values) > self._taken:
            # The numpy views are released when this call returns: an array cannot grow while a view of it exists.
            self._extend(np.frombuffer(self._curve.steps, np.int64), np.frombuffer(self._curve.values, np.float64))
        return self._steps[: self._count], self._means[: self._count]

    def _extend(self, steps: NDArray[np.int64], values: NDArray[np.float64]) -> None:
        steps, values = finite(steps[self._taken :], values[self._taken :])
        self._taken = len(self._curve.values)
        start, self._count = self._count, self._count + len(values)
        if self._count > len(self._steps):
            size = max(self._count, 2 * len(self._steps))
            self._steps, self._means = _enlarged(self._steps, start, size), _enlarged(self._means, start, size)
        self._steps[start : self._count] = steps
        self._means[start : self._count] = self._means_of(values)

    def _means_of(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        before = len(self._recent)
        known = np.concatenate((np.zeros(self._window - 1 - before), self._recent, values))
        total = np.zeros(len(values))
        # Sum each window by itself: with differences of cumulative sums, one huge loss would round away later values.
        with np.errstate(over="ignore"):
            for shift in range(self._window):
                total += known[shift : shift + len(values)]
        means = total / np.minimum(np.arange(before + 1, before + 1 + len(values)), self._window)
        self._recent = known[len(known) - min(self._window - 1, before + len(values)) :].copy()
        return np.where(np.isfinite(means), means, values)


@dataclass(frozen=True, slots=True)
class Columns:
    """Arrays with one value per plotted column; ``steps`` has the step in the middle of each column."""

    steps: NDArray[np.int64]
    lowest: NDArray[np.float64]
    highest: NDArray[np.float64]
    mean: NDArray[np.float64]


def per_column(steps: NDArray[np.int64], values: NDArray[np.float64], columns: int) -> Columns:
    """Divide finite points evenly among columns and return the extremes and the mean of each, so that no spike is lost.

    There must be at least as many points as ``columns``.
    """
    edges = np.arange(columns + 1) * len(values) // columns
    starts = edges[:-1]
    with np.errstate(over="ignore"):
        mean = np.add.reduceat(values, starts) / np.diff(edges)
    lowest, highest = np.minimum.reduceat(values, starts), np.maximum.reduceat(values, starts)
    return Columns(steps[(starts + edges[1:] - 1) // 2], lowest, highest, np.clip(mean, lowest, highest))


def finite(steps: ArrayLike | Sequence[int], values: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Return the points with finite values."""
    across, up = np.asarray(steps, np.int64), np.asarray(values, np.float64)
    mask = np.isfinite(up)
    return (across, up) if mask.all() else (across[mask], up[mask])


def _enlarged(old: NDArray[_Number], used: int, size: int) -> NDArray[_Number]:
    new = np.empty(size, old.dtype)
    new[:used] = old[:used]
    return new


def thinned(
    steps: NDArray[np.int64], values: NDArray[np.float64], cells: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The points of a cloud with at most one in each of ``cells``, columns by rows of equal size over their range."""
    if not len(steps):
        return steps, values
    places = []
    for each, count in ((steps, cells[0]), (values, cells[1])):
        span = float(each.max() - each.min()) or 1.0
        places.append(((each - each.min()) / span * (count - 1)).astype(np.int64))
    chosen = np.unique(places[0] * cells[1] + places[1], return_index=True)[1]
    return steps[chosen], values[chosen]
