"""The confusion matrix: four cells, of which the arrow keys choose one and enter opens its reviews."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from core.formatting import percent

CELL_NAMES = {
    "tn": "true negative",
    "fp": "false positive",
    "fn": "false negative",
    "tp": "true positive",
}
_GRID = (("tn", "fp"), ("fn", "tp"))
_LABEL, _CELL = 16, 11
"""Widths of the column of labels and of a cell."""


class ConfusionMatrix(Widget, can_focus=True):
    """Rows are the labels, columns the predictions; behind each row the share that is predicted correctly (recall)."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "list these"),
        Binding("up", "move(-1, 0)", show=False),
        Binding("down", "move(1, 0)", show=False),
        Binding("left", "move(0, -1)", show=False),
        Binding("right", "move(0, 1)", show=False),
        Binding("k", "move(-1, 0)", show=False),
        Binding("j", "move(1, 0)", show=False),
    ]

    class Chosen(Message):
        """Enter was pressed on a cell, or it was clicked."""

        def __init__(self, cell: str) -> None:
            super().__init__()
            self.cell = cell

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._counts: tuple[tuple[int, int], tuple[int, int]] | None = None
        self._row, self._column = 0, 1

    def show(self, counts: tuple[tuple[int, int], tuple[int, int]] | None) -> None:
        """Show ((tn, fp), (fn, tp)); None shows nothing."""
        self._counts = counts
        self.refresh()

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        if self._counts is None:
            return text
        text.append(f"{'':{_LABEL}}{'predicted':>{_CELL}}\n", style="dim")
        text.append(f"{'label':{_LABEL}}{'negative':>{_CELL}}{'positive':>{_CELL}}{'correct':>{_CELL}}\n", style="dim")
        for i, (label, row) in enumerate(zip(("negative", "positive"), self._counts, strict=True)):
            text.append(f"{label:{_LABEL}}")
            for j, count in enumerate(row):
                shown = f"{count:,}"
                cursor = (i, j) == (self._row, self._column)
                style = ("bold reverse" if self.has_focus else "bold underline") if cursor else ""
                text.append(f"{'':{_CELL - len(shown) - 2}}")
                text.append(f" {shown} ", style=style)
            share = row[i] / sum(row) if sum(row) else None
            text.append(f"{percent(share):>{_CELL}}\n", style="dim")
        return text

    def action_move(self, down: int, right: int) -> None:
        self._row = min(max(self._row + down, 0), 1)
        self._column = min(max(self._column + right, 0), 1)
        self.refresh()

    def action_choose(self) -> None:
        if self._counts is not None:
            self.post_message(self.Chosen(_GRID[self._row][self._column]))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self._counts is None:
            return
        row, column = offset.y - 2, (offset.x - _LABEL) // _CELL
        if 0 <= row <= 1 and 0 <= column <= 1:
            self._row, self._column = row, column
            self.refresh()
            self.action_choose()
