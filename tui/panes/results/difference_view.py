"""The difference of two accuracies with its interval on an axis, and the four cells of a comparison."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

if TYPE_CHECKING:
    from core.analysis.comparison import Cell, Paired

GRID: tuple[tuple[Cell, Cell], tuple[Cell, Cell]] = (("both", "only_first"), ("only_second", "neither"))
"""Rows: the first is right or wrong; columns: the second is right or wrong."""
_STEPS = (1, 2, 5, 10, 20, 50, 100)
"""Ends of the axis, in points."""
_LABEL, _CELL = 16, 16


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


class CellTable(Widget, can_focus=True):
    """How many reviews both, one or neither predict correctly; the arrow keys choose a cell."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "list these"),
        Binding("up,k", "move(-1, 0)", show=False),
        Binding("down,j", "move(1, 0)", show=False),
        Binding("left,h", "move(0, -1)", show=False),
        Binding("right", "move(0, 1)", show=False),
    ]

    class Chosen(Message):
        """Enter was pressed on a cell, or it was clicked."""

        def __init__(self, cell: Cell) -> None:
            super().__init__()
            self.cell = cell

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._pair: Paired | None = None
        self._listed: tuple[Cell, ...] = ()
        self._row, self._column = 1, 0

    def show(self, pair: Paired | None, listed: tuple[Cell, ...] = ()) -> None:
        """Show the counts; the cells whose reviews are listed are underlined. None shows nothing."""
        self._pair, self._listed = pair, listed
        self.refresh()

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        if self._pair is None:
            return text
        text.append(f"{'reviews':{_LABEL}}{'second right':>{_CELL}}{'second wrong':>{_CELL}}", style="dim")
        for i, row in enumerate(GRID):
            text.append(f"\n{('first right', 'first wrong')[i]:{_LABEL}}")
            for j, cell in enumerate(row):
                shown = f" {getattr(self._pair, cell):,} "
                style = "bold underline" if cell in self._listed else ""
                if self.has_focus and (i, j) == (self._row, self._column):
                    style = "bold reverse"
                text.append(" " * (_CELL + 1 - len(shown) - j))  # its last space is the first cell of the next column
                text.append(shown, style=style)
        return text

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_move(self, down: int, right: int) -> None:
        self._row = min(max(self._row + down, 0), 1)
        self._column = min(max(self._column + right, 0), 1)
        self.refresh()

    def action_choose(self) -> None:
        if self._pair is not None:
            self.post_message(self.Chosen(GRID[self._row][self._column]))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row, column = offset.y - 1, math.floor((offset.x - _LABEL) / _CELL)
        if 0 <= row <= 1 and 0 <= column <= 1:
            self._row, self._column = row, column
            self.action_choose()
