"""A chart of curves over the steps of a run, drawn by plotext.

A long curve is reduced to a few values per plotted column before it is drawn, so the time to draw a frame does not
depend on the length of the run.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.text import Text
from textual.color import Color
from textual.geometry import Size
from textual.strip import Strip

from tui.widgets.line_view import LineView

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Series:
    """One curve; it must not change after it is shown.

    ``colour`` is the name of a theme variable. With a ``mark``, each point is drawn as that character, without a line.
    """

    label: str
    steps: Sequence[int] | NDArray[np.int64]
    values: Sequence[float] | NDArray[np.float64]
    colour: str
    mark: str = ""
    cloud: bool = False
    """Whether every point is drawn, in any order of the steps; points of one cell are drawn once."""


def nice_ticks(low: float, high: float, most: int) -> tuple[list[float], int]:
    """Return up to ``most`` round values between ``low`` and ``high``, and the number of decimals to write them with.

    Their distance is 1, 2 or 5 times a power of ten (Heckbert 1990, Nice Numbers for Graph Labels, in Graphics Gems).
    If fewer than two such values fit, twice the next smaller distance is used; if that fails too, ``low`` and ``high``
    are returned.
    """
    power = math.floor(math.log10((high - low) / most)) - 1
    distances = [factor * 10.0**exponent for exponent in range(power, power + 4) for factor in (1, 2, 5)]
    # The largest distance is more than the span and leaves at most one value, so that `next` always finds one.
    coarse = next(i for i, distance in enumerate(distances) if len(_multiples(low, high, distance)) <= most)
    for distance in (distances[coarse], 2 * distances[coarse - 1]):
        if 2 <= len(places := _multiples(low, high, distance)) <= most:
            return [place * distance for place in places], max(-math.floor(math.log10(distance)), 0)
    return [low, high], max(-power, 0)


def _multiples(low: float, high: float, distance: float) -> range:
    """Return the multiples of ``distance`` from ``low`` to ``high``; a tolerance allows for rounding at both ends."""
    return range(math.ceil(low / distance - 1e-9), math.floor(high / distance + 1e-9) + 1)


class Chart(LineView, can_focus=False):
    """Title, curves and axes. plotext is imported only when the first chart is drawn."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    Chart { width: 1fr; height: 1fr; overflow: hidden hidden; }
    """

    def __init__(
        self, title: str, *, percent: bool = False, limits: tuple[float, float] | None = None, id: str | None = None
    ) -> None:
        """``limits`` are the lowest and the highest value of the y axis; by default, those of the curves."""
        super().__init__(id=id or title)
        self._title, self._percent, self._limits = title, percent, limits
        self._series: list[Series] = []
        self._x_end = 1
        self._ticks: list[tuple[int, str]] = []
        self._marks: list[tuple[int, str]] = []
        self._lines: list[Text] = []
        self._drawn_in = Size(0, 0)

    def show(
        self,
        series: list[Series],
        *,
        x_end: int,
        ticks: list[tuple[int, str]],
        marks: Sequence[tuple[int, str]] = (),
    ) -> None:
        """Draw these curves over steps 0 to ``x_end``.

        ``ticks`` are pairs of a step and a label. ``marks`` are pairs of a step and a sign of one cell, drawn on a
        separate line below the axis; if several are in one column, the last is drawn.
        """
        self._series, self._x_end, self._ticks, self._marks = series, max(x_end, 1), ticks, list(marks)
        self._forget()
        self.refresh_changes()

    def _forget(self) -> None:
        self._drawn_in = Size(0, 0)

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._forget()  # the colours of the curves depend on the theme

    def build_line(self, y: int) -> Strip:
        base, size = self.base_style, Size(self.view.width, self.view.height)
        if size != self._drawn_in:
            self._lines, self._drawn_in = self._draw(*size), size
        if y >= len(self._lines):
            return Strip.blank(size.width, base)
        return self.make_strip(self._lines[y], base, size.width)

    def _draw(self, width: int, height: int) -> list[Text]:
        if width < 12 or height < 5:
            return [Text(self._summary())]
        from tui.textual_private.plotext_canvas import new_figure
        from tui.widgets.decimation import (  # they import numpy, which the first frame does not need
            finite,
            per_column,
            thinned,
        )

        marked = bool(self._marks) and height >= 8
        figure = new_figure(width, height - marked)
        figure.title(self._title)
        scale = 100 if self._percent else 1
        extremes: list[float] = []
        for one in self._series:
            columns, colour = max(width - 8, 2), self._rgb(one.colour)
            steps, values = finite(one.steps, one.values)
            if not len(values):
                continue
            if one.cloud:
                steps, values = thinned(steps, values, (columns, 4 * height))
            if one.cloud or len(values) <= 2 * columns:
                scaled = (values * scale).tolist()
                extremes += [min(scaled), max(scaled)]
                draw = figure.scatter if one.mark else figure.plot
                draw(steps.tolist(), scaled, color=colour, marker=one.mark or "braille")
                continue
            # Several points share a column: draw dots at its lowest and highest value and a line through the means.
            shown = per_column(steps, values, columns)
            across = shown.steps.tolist()
            for extreme in (shown.lowest, shown.highest):
                scaled = (extreme * scale).tolist()
                extremes += [min(scaled), max(scaled)]
                figure.scatter(across, scaled, color=colour, marker=one.mark or "braille")
            if not one.mark:
                figure.plot(across, (shown.mean * scale).tolist(), color=colour, marker="braille")
        figure.xlim(0, self._x_end)
        if extremes:
            low, high = self._y_limits(extremes, scale)
            figure.ylim(low, high)
            places, decimals = nice_ticks(low, high, max(2, min(7, height // 4)))
            sign = "%" if self._percent else ""
            figure.yticks(places, [f"{place:.{decimals}f}{sign}" for place in places])
        else:
            figure.yticks([], [])
        fitting = self._ticks if len(self._ticks) * 4 < width else self._ticks[:: -(-len(self._ticks) * 4 // width)]
        figure.xticks([step for step, _ in fitting], [label for _, label in fitting])
        lines = list(Text.from_ansi(figure.build()).split())
        return [*lines, Text(self._mark_line(lines))] if marked else lines

    def _y_limits(self, extremes: list[float], scale: int) -> tuple[float, float]:
        """Return the lowest and the highest plotted value, with some room around the curves."""
        if self._limits is not None:
            return self._limits[0] * scale, self._limits[1] * scale
        low, high = min(extremes), max(extremes)
        room = (high - low) * 0.08 or max(abs(high), 1) * 0.1
        low, high = max(0.0, low - room) if low >= 0 else low - room, high + room
        return low, min(100.0, high) if self._percent else high

    def _mark_line(self, drawn: list[Text]) -> str:
        """Return the line of marks, each below its step; the axis extends between the corners of the drawn frame."""
        axis = next((line.plain for line in reversed(drawn) if "└" in line.plain), "")
        left, right = axis.find("└") + 1, max(axis.find("┘"), axis.find("└") + 2)
        cells = [" "] * (right + 1)
        for step, sign in self._marks:
            cells[left + round(min(step / self._x_end, 1.0) * (right - left - 1))] = sign
        return "".join(cells)

    def _rgb(self, variable: str) -> tuple[int, int, int] | str:
        return "default" if self.app.no_color else Color.parse(self.app.theme_variables[variable]).rgb

    def _summary(self) -> str:
        """Return the last value of each curve as text, for a widget too small for a chart."""
        last = [
            f"{one.label} {one.values[-1] * (100 if self._percent else 1):.3g}"
            for one in self._series
            if len(one.values)
        ]
        return f"{self._title}: " + ", ".join(last)
