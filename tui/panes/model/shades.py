"""A matrix of shares, drawn with characters of five densities, so that it needs no colour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.text import Text
from textual.app import RenderResult
from textual.widget import Widget

LEVELS = " ░▒▓█"
SHORTEST_NAME, LONGEST_NAME = 5, 12
"""Limits of the cells for the name of a row; names are shown only if each row has its own line."""


class Shades(Widget):
    """Cells as large as the widget allows; if there are too many, neighbours are pooled and the largest value is drawn.

    If a row is marked, rows and columns are numbered, and rows that are not pooled have their names.
    """

    DEFAULT_CSS = """
    Shades { width: 1fr; height: 1fr; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._matrix: Any = None
        self._labels: Sequence[str] = ()
        self._marked: int | None = None
        self._rows: list[int | None] = []

    def show(self, matrix: Any, labels: Sequence[str] = (), marked: int | None = None) -> None:
        """Draw a numpy array of shape [rows, columns], or nothing for None; ``labels`` are the names of the rows."""
        self._matrix, self._labels, self._marked = matrix, labels, marked
        self.refresh()

    def row_at(self, line: int) -> int | None:
        """Return the row drawn on a line, the first one if several are pooled; None for other lines."""
        return self._rows[line] if 0 <= line < len(self._rows) else None

    def render(self) -> RenderResult:
        width, height = self.size.width, self.size.height
        self._rows = []
        if self._matrix is None or width < 2 or height < 1:
            return Text("")
        import numpy as np

        matrix = self._matrix
        rows, columns = matrix.shape
        digits = len(str(rows - 1))
        ruled = self._marked is not None and width >= digits + 4 and height > 1
        height -= ruled
        gutter = name = 0
        if ruled:
            gutter = digits + 2
            spare = [width - gutter - columns * cell - 1 for cell in (2, 1)]
            room = next((cells for cells in spare if cells >= SHORTEST_NAME), 0)
            name = min(room, LONGEST_NAME) if rows <= height else 0
            gutter += name + bool(name)
        width -= gutter
        times = max(min(height // rows, width // (2 * columns)), 1)
        cell = 2 * times if columns * 2 * times <= width else 1
        down, across = starts(rows, height), starts(columns, width // cell)
        matrix = pooled(matrix, height, width // cell)
        most = float(matrix.max()) or 1.0
        levels = np.ceil(matrix / most * (len(LEVELS) - 1) - 0.25).astype(int).clip(0, len(LEVELS) - 1)
        marked = -1 if self._marked is None else int(np.searchsorted(down, self._marked, side="right")) - 1
        drawn = Text(no_wrap=True)
        if ruled:
            drawn.append(f"{' ' * gutter}{ruler(across.tolist(), cell, width)}\n", style="dim")
            self._rows.append(None)
        for number, (row, line) in enumerate(zip(down.tolist(), levels.tolist(), strict=True)):
            head = ""
            if ruled:
                label = Text(self._labels[row] if name else "")
                label.truncate(name, overflow="ellipsis", pad=True)
                head = f"{'▸' if number == marked else ' '}{row:>{digits}} {label.plain}{' ' if name else ''}"
            shades = "".join(LEVELS[level] * cell for level in line)
            for again in range(times):
                drawn.append(" " * gutter if again else head, style="bold" if number == marked else "dim")
                drawn.append(f"{shades}\n")
                self._rows.append(row)
        drawn.right_crop(1)
        return drawn


def ruler(numbers: Sequence[int], cell: int, width: int) -> str:
    """Return the numbers of columns above their cells, in even steps, as many as fit into ``width`` cells."""
    widest = len(str(numbers[-1])) + 1
    step = next(step * 10**power for power in range(9) for step in (1, 2, 5) if step * 10**power * cell >= widest)
    drawn = "".join(f"{number:<{step * cell}}" for number in numbers[::step]).rstrip()
    # The last number is left out if one of its digits would be cut off.
    return drawn if len(drawn) <= width else drawn[: drawn.rindex(" ")].rstrip()


def pooled(matrix: Any, rows: int, columns: int) -> Any:
    """Reduce a matrix to at most ``rows`` x ``columns``; each cell is the maximum of a group, so that spikes stay."""
    import numpy as np

    down, across = starts(matrix.shape[0], rows), starts(matrix.shape[1], columns)
    return np.maximum.reduceat(np.maximum.reduceat(matrix, down, axis=0), across, axis=1)


def starts(count: int, most: int) -> Any:
    """Return the first row of each of at most ``most`` groups of ``count`` rows, as an array for numpy's reduceat."""
    import numpy as np

    return np.linspace(0, count, min(count, most) + 1).astype(int)[:-1]
