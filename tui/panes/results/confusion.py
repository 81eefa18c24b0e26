"""The confusion matrix: four cells, of which the arrow keys choose one and enter opens its reviews."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from core.formatting import percent

if TYPE_CHECKING:
    from core.analysis.metrics import Metrics

CELL_NAMES = {
    "tn": "true negative",
    "fp": "false positive",
    "fn": "false negative",
    "tp": "true positive",
}
_GRID = (("tn", "fp"), ("fn", "tp"))
_LABEL, _CELL = 16, 10
"""Widths of the column of labels and of a cell."""
_SHARE, _WITH_INTERVAL = 11, 22
"""Widths of a column of shares, without and with its interval."""


class ConfusionMatrix(Widget, can_focus=True):
    """Rows are the labels, columns the predictions; behind them precision, recall and F1 of the class of the row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "list these"),
        Binding("up,k", "move(-1, 0)", show=False),
        Binding("down,j", "move(1, 0)", show=False),
        Binding("left,h", "move(0, -1)", show=False),
        Binding("right", "move(0, 1)", show=False),
    ]

    class Chosen(Message):
        """Enter was pressed on a cell, or it was clicked."""

        def __init__(self, cell: str) -> None:
            super().__init__()
            self.cell = cell

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._metrics: Metrics | None = None
        self._row, self._column = 0, 1

    def show(self, metrics: Metrics | None) -> None:
        """Show the counts and the shares of each class; None shows nothing."""
        self._metrics = metrics
        self.refresh()

    def render(self) -> Text:
        text = Text(no_wrap=True, overflow="ellipsis")
        if self._metrics is None:
            return text
        share = _WITH_INTERVAL if self.size.width >= _LABEL + 2 * _CELL + 3 * _WITH_INTERVAL else _SHARE
        text.append(f"{'':{_LABEL}}{'predicted':>{_CELL}}\n", style="dim")
        text.append(f"{'label':{_LABEL}}{'negative':>{_CELL}}{'positive':>{_CELL}}", style="dim")
        text.append("".join(f"{name:>{share}}" for name in ("precision", "recall", "F1")), style="dim")
        for i, (label, row) in enumerate(zip(("negative", "positive"), self._metrics.confusion, strict=True)):
            text.append(f"\n{label:{_LABEL}}")
            for j, count in enumerate(row):
                shown = f" {count:,} "
                cursor = (i, j) == (self._row, self._column)
                style = ("bold reverse" if self.has_focus else "bold underline") if cursor else "bold"
                text.append(" " * (_CELL + 1 - len(shown) - j))  # its last space is the first cell of the next column
                text.append(shown, style=style)
            values = self._metrics.per_class[label]
            cells = (_share(values, name, whole=share == _WITH_INTERVAL) for name in ("precision", "recall", "f1"))
            text.append("".join(f"{cell:>{share}}" for cell in cells)[1:])
        return text

    def action_move(self, down: int, right: int) -> None:
        self._row = min(max(self._row + down, 0), 1)
        self._column = min(max(self._column + right, 0), 1)
        self.refresh()

    def action_choose(self) -> None:
        if self._metrics is not None:
            self.post_message(self.Chosen(_GRID[self._row][self._column]))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or self._metrics is None:
            return
        row, column = offset.y - 2, (offset.x - _LABEL) // _CELL
        if 0 <= row <= 1 and 0 <= column <= 1:
            self._row, self._column = row, column
            self.refresh()
            self.action_choose()


def _share(values: dict[str, Any], name: str, *, whole: bool) -> str:
    """A share in per cent; ``whole`` adds its 95 % interval."""
    value, interval = values[name], values[f"{name}_interval"]
    if not math.isfinite(value) or not whole or interval is None:
        return percent(value)
    return f"{percent(value)} {100 * interval.low:.1f}–{100 * interval.high:.1f}"
