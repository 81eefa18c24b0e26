"""The confusion matrix: four cells, of which the arrow keys choose one and enter opens its reviews."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text

from core.formatting import percent
from tui.panes.results.four_cells import LABEL, FourCells

if TYPE_CHECKING:
    from core.analysis.metrics import Metrics

CELL_NAMES = {
    "tn": "true negative",
    "fp": "false positive",
    "fn": "false negative",
    "tp": "true positive",
}
_SHARE, _WITH_INTERVAL = 11, 22
"""Widths of a column of shares, without and with its interval."""


class ConfusionMatrix(FourCells):
    """Rows are the labels, columns the predictions; behind them precision, recall and F1 of the class of the row."""

    NAMES: ClassVar = (("tn", "fp"), ("fn", "tp"))
    CELL, FIRST_LINE, START = 10, 2, (0, 1)

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._metrics: Metrics | None = None

    def show(self, metrics: Metrics | None) -> None:
        """Show the counts and the shares of each class; None shows nothing."""
        self._metrics = metrics
        self.refresh()

    @property
    def is_empty(self) -> bool:
        return self._metrics is None

    def render(self) -> Text:
        text, cell = Text(no_wrap=True, overflow="ellipsis"), self.CELL
        if self._metrics is None:
            return text
        share = _WITH_INTERVAL if self.size.width >= LABEL + 2 * cell + 3 * _WITH_INTERVAL else _SHARE
        text.append(f"{'':{LABEL}}{'predicted':>{cell}}\n", style="dim")
        text.append(f"{'label':{LABEL}}{'negative':>{cell}}{'positive':>{cell}}", style="dim")
        text.append("".join(f"{name:>{share}}" for name in ("precision", "recall", "F1")), style="dim")
        for i, (label, row) in enumerate(zip(("negative", "positive"), self._metrics.confusion, strict=True)):
            text.append(f"\n{label:{LABEL}}")
            text.append_text(self.count_row(i, row, "bold", marked=(self.chosen,)))
            values = self._metrics.per_class[label]
            cells = (_share(values, name, whole=share == _WITH_INTERVAL) for name in ("precision", "recall", "f1"))
            text.append("".join(f"{each:>{share}}" for each in cells)[1:])
        return text


def _share(values: dict[str, Any], name: str, *, whole: bool) -> str:
    """A share in per cent; ``whole`` adds its 95 % interval."""
    value, interval = values[name], values[f"{name}_interval"]
    if not math.isfinite(value) or not whole or interval is None:
        return percent(value)
    return f"{percent(value)} {100 * interval.low:.1f}–{100 * interval.high:.1f}"
