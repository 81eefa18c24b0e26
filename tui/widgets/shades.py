"""A matrix of shares as shades, which read without colour."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

LEVELS = " ░▒▓█"


class Shades(Widget):
    """Cells as large as there is room for, down to one column; what does not fit is pooled by its largest number."""

    DEFAULT_CSS = """
    Shades { width: 1fr; height: 1fr; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._matrix: Any = None

    def show(self, matrix: Any) -> None:
        """A numpy array of [from, to], or None for nothing."""
        self._matrix = matrix
        self.refresh()

    def render(self) -> RenderResult:
        width, height = self.size.width, self.size.height
        if self._matrix is None or width < 2 or height < 1:
            return Text("")
        import numpy as np

        matrix = self._matrix
        rows, columns = matrix.shape
        times = max(min(height // rows, width // (2 * columns)), 1)
        cell = 2 * times if columns * 2 * times <= width else 1
        matrix = pooled(matrix, min(rows, height), min(columns, width // cell))
        most = float(matrix.max()) or 1.0
        levels = np.ceil(matrix / most * (len(LEVELS) - 1) - 0.25).astype(int).clip(0, len(LEVELS) - 1)
        lines = ["".join(LEVELS[level] * cell for level in line) for line in levels.tolist()]
        return Text("\n".join(line for line in lines for _ in range(times)), no_wrap=True)


def pooled(matrix: Any, rows: int, columns: int) -> Any:
    """At most ``rows`` x ``columns``: each cell the largest of what falls into it, so that a spike stays."""
    import numpy as np

    down = np.linspace(0, matrix.shape[0], rows + 1).astype(int)[:-1]
    across = np.linspace(0, matrix.shape[1], columns + 1).astype(int)[:-1]
    return np.maximum.reduceat(np.maximum.reduceat(matrix, down, axis=0), across, axis=1)
