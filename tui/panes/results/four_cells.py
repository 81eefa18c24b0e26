"""A table of two by two counts, of which the arrow keys choose one and enter opens its reviews."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

LABEL = 16
"""Width of the column of labels."""


class FourCells(Widget, can_focus=True):
    """A base class: subclasses draw the lines above the counts, and pass the counts to :meth:`count_row`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "list these"),
        Binding("up,k", "move(-1, 0)", show=False),
        Binding("down,j", "move(1, 0)", show=False),
        Binding("left,h", "move(0, -1)", show=False),
        Binding("right", "move(0, 1)", show=False),
    ]
    NAMES: ClassVar[tuple[tuple[str, str], tuple[str, str]]]
    """The name of each cell, row by row."""
    CELL: ClassVar[int]
    """Width of a cell."""
    FIRST_LINE: ClassVar[int]
    """The line of the first row of counts."""
    START: ClassVar[tuple[int, int]] = 0, 0
    """Row and column of the cell that is chosen at first."""

    class Chosen(Message):
        """Enter was pressed on a cell, or it was clicked."""

        def __init__(self, cells: FourCells, cell: str) -> None:
            super().__init__()
            self.cells, self.cell = cells, cell

        @property
        def control(self) -> FourCells:
            return self.cells

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._row, self._column = self.START

    @property
    def is_empty(self) -> bool:
        """Whether there are no counts, so that nothing can be chosen."""
        raise NotImplementedError

    def count_row(self, i: int, counts: tuple[int, int], style: str, marked: tuple[str, ...] = ()) -> Text:
        """Draw row ``i`` of the counts; the chosen cell is reversed, and the cells named in ``marked`` underlined."""
        text = Text(no_wrap=True)
        for j, count in enumerate(counts):
            shown = f" {count:,} "
            own = "bold underline" if self.NAMES[i][j] in marked else style
            if self.has_focus and (i, j) == (self._row, self._column):
                own = "bold reverse"
            text.append(" " * (self.CELL + 1 - len(shown) - j))  # its last space is the first cell of the next column
            text.append(shown, style=own)
        return text

    @property
    def chosen(self) -> str:
        """The name of the chosen cell."""
        return self.NAMES[self._row][self._column]

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def action_move(self, down: int, right: int) -> None:
        self._row = min(max(self._row + down, 0), 1)
        self._column = min(max(self._column + right, 0), 1)
        self.refresh()

    def action_choose(self) -> None:
        if not self.is_empty:
            self.post_message(self.Chosen(self, self.chosen))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None:
            return
        row, column = offset.y - self.FIRST_LINE, (offset.x - LABEL) // self.CELL
        if 0 <= row <= 1 and 0 <= column <= 1:
            self._row, self._column = row, column
            self.refresh()
            self.action_choose()
