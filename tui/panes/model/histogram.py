"""A histogram with bars in eighths of a cell, so that a small count is visible even on a few lines."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

from core.formatting import EIGHTHS


class Histogram(Widget):
    """Bars over an axis of values; each count above zero is at least one eighth of a cell high."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"histogram--bar"}
    DEFAULT_CSS = """
    Histogram { width: 1fr; height: 1fr; }
    Histogram .histogram--bar { color: $train-curve; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._edges: list[float] = []
        self._bins: list[int] = []

    def show(self, edges: list[float], bins: list[int]) -> None:
        """Draw the counts in ``bins``, of which ``edges`` are the bounds, one more; nothing is drawn without bins."""
        self._edges, self._bins = edges, bins
        self.refresh()

    def render(self) -> RenderResult:
        width, height = self.size
        if not self._bins or width < 16 or height < 3:
            return Text("")
        most = max(self._bins)
        margin = len(f"{most:,}")
        columns, rows = width - margin - 1, height - 2
        heights = [-(-count * 8 * rows // most) for count in _columns(self._bins, columns)]
        bars = self.get_component_rich_style("histogram--bar", partial=True)
        drawn = Text(no_wrap=True)
        for row in reversed(range(rows)):
            label = f"{most:,}" if row == rows - 1 else "0" if row == 0 else ""
            drawn.append(f"{label:>{margin}}{'┤' if label else '│'}")
            drawn.append("".join(EIGHTHS[min(max(full - 8 * row, 0), 8)] for full in heights), bars)
            drawn.append("\n")
        axis, numbers = _axis(self._edges[0], self._edges[-1], columns)
        return drawn.append(f"{' ' * margin}└{axis}\n{' ' * (margin + 1)}{numbers}")


def _columns(bins: list[int], columns: int) -> list[int]:
    """Return the count for each column: that of its bin, or the highest of several bins."""
    n = len(bins)
    return [max(bins[i * n // columns : max((i + 1) * n // columns, i * n // columns + 1)]) for i in range(columns)]


def _axis(low: float, high: float, columns: int) -> tuple[str, str]:
    """Return the axis with its ticks, and the line of numbers below it."""
    ticks = max(min(columns // 12, 4), 1)
    axis, numbers = ["─"] * columns, ""
    for i in range(ticks + 1):
        place = i * (columns - 1) // ticks
        axis[place] = "┬"
        label = f"{low + (high - low) * i / ticks:.2g}"
        at = min(max(place - len(label) // 2, 0), columns - len(label))
        if at > len(numbers) or not numbers:
            numbers = numbers.ljust(at) + label
    return "".join(axis), numbers
