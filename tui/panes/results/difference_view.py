"""The difference of two accuracies with its interval on an axis, and the four cells of a comparison."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.widget import Widget

from tui.panes.results.four_cells import LABEL, FourCells

if TYPE_CHECKING:
    from core.analysis.comparison import Cell, Paired

GRID: tuple[tuple[Cell, Cell], tuple[Cell, Cell]] = (("both", "only_first"), ("only_second", "neither"))
"""Rows: the first is right or wrong; columns: the second is right or wrong."""
_STEPS = (1, 2, 5, 10, 20, 50, 100)
"""Ends of the axis, in points."""


def difference_bar(pair: Paired, first_name: str, second_name: str, width: int) -> Text:
    """Three lines: who is better to which side, the interval on an axis with 0 in its middle, and the points."""
    low, high = 100 * pair.interval.low, 100 * pair.interval.high
    end = next((step for step in _STEPS if step >= max(abs(low), abs(high))), 100)
    half = max((width - 1) // 2, 4)

    def place(points: float) -> int:
        return min(max(half + round(points / end * half), 0), 2 * half)

    bar = ["·"] * (2 * half + 1)
    bar[place(low) : place(high) + 1] = "━" * (place(high) - place(low) + 1)
    bar[place(low)], bar[place(high)] = "┣", "┫"
    bar[half] = "╋" if place(low) < half < place(high) else "┃"
    bar[place(100 * pair.difference)] = "●"
    left, right = f"◀ {first_name} better", f"{second_name} better ▶"
    if len(left) + len(right) + 2 > len(bar):
        left, right = "◀ first better", "second better ▶"
    text = Text(no_wrap=True)
    text.append(left + right.rjust(len(bar) - len(left)) + "\n", style="dim")
    for char in bar:
        text.append(char, style="dim" if char == "·" else "bold")
    ends = f"−{end} points", "0", f"+{end} points"
    text.append("\n" + ends[0] + ends[1].rjust(half + 1 - len(ends[0])) + ends[2].rjust(half), style="dim")
    return text


class DifferenceBar(Widget, can_focus=False):
    """:func:`difference_bar`, as wide as there is room for."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._shown: tuple[Paired, str, str] | None = None

    def show(self, pair: Paired | None, names: tuple[str, str]) -> None:
        """Show a comparison of the two named; None shows nothing."""
        self._shown = (pair, *names) if pair is not None else None
        self.refresh()

    def render(self) -> Text:
        return difference_bar(*self._shown, min(self.size.width, 101)) if self._shown is not None else Text()


class CellTable(FourCells):
    """How many reviews both, one or neither predict correctly; the arrow keys choose a cell."""

    NAMES: ClassVar = GRID
    CELL, FIRST_LINE, START = 16, 1, (1, 0)

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._pair: Paired | None = None
        self._listed: tuple[Cell, ...] = ()

    def show(self, pair: Paired | None, listed: tuple[Cell, ...] = ()) -> None:
        """Show the counts; the cells whose reviews are listed are underlined. None shows nothing."""
        self._pair, self._listed = pair, listed
        self.refresh()

    @property
    def is_empty(self) -> bool:
        return self._pair is None

    def render(self) -> Text:
        text, pair = Text(no_wrap=True, overflow="ellipsis"), self._pair
        if pair is None:
            return text
        text.append(f"{'reviews':{LABEL}}{'second right':>{self.CELL}}{'second wrong':>{self.CELL}}", style="dim")
        for i, counts in enumerate(((pair.both, pair.only_first), (pair.only_second, pair.neither))):
            text.append(f"\n{('first right', 'first wrong')[i]:{LABEL}}")
            text.append_text(self.count_row(i, counts, "", marked=self._listed))
        return text
