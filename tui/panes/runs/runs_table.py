"""The runs as a table: sorted, filtered, and marked to be compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import DataTable

from core.formatting import duration, percent, printable
from core.runs.status import STATUS_SIGNS
from core.runs.summary import status_label
from tui.messages import RunLine

COLUMNS = {"": 1, "status": 13, "preset": 14, "date": 11, "best acc": 9, "time": 9, "run": 60}
"""Headings and widths, which are fixed: one that follows the names comes frames after them."""
NARROW = 100
"""Cells below which the name of a run would be cut; it ends in the preset, which then has no column."""
SORTS: dict[str, Callable[[RunLine], Any]] = {
    "date": lambda line: 0,  # as they come, newest first
    "best acc": lambda line: -(line.val_accuracy or 0.0),
    "time": lambda line: -line.elapsed,
    "preset": lambda line: line.preset,
    "status": lambda line: list(STATUS_SIGNS).index(line.status),
}


class RunsTable(DataTable[Text]):
    """``marked`` are the names of the marked runs, in the order of marking."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "config"),
        Binding("home", "scroll_top", "first run", show=False),
        Binding("end", "scroll_bottom", "last run", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id, cursor_type="row")
        self.marked: list[str] = []
        self._lines: list[RunLine] = []
        self._words: list[str] = []
        self._sort = "date"
        self._narrow = False

    def on_mount(self) -> None:
        self._add_columns()

    def on_resize(self) -> None:
        if self._narrow is not (self.size.width < NARROW):
            self.clear(columns=True)
            self._add_columns()
            self._fill(anew=True)

    def _add_columns(self) -> None:
        self._narrow = self.size.width < NARROW
        for heading, width in COLUMNS.items():
            if heading != "preset" or not self._narrow:
                self.add_column(self._heading(heading), width=width, key=heading)

    def _heading(self, name: str) -> Text:
        sorted_by = name == self._sort or (name == "run" and self._narrow and self._sort == "preset")
        justify: Any = "right" if name in ("best acc", "time") else None
        return Text(f"{name}▾" if sorted_by else name, justify=justify)

    @property
    def current(self) -> str:
        """The name of the run under the cursor; empty where there is none."""
        if self.row_count == 0:
            return ""
        return str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value)

    def show_lines(self, lines: list[RunLine], words: str) -> None:
        """Shows those runs that have all of the ``words``."""
        self._lines, self._words = lines, words.casefold().split()
        self._fill()

    def _fill(self, *, anew: bool = False) -> None:
        """Puts the lines in; where only their words are others, only those."""
        lines = [line for line in self._lines if all(word in _searched(line) for word in self._words)]
        lines.sort(key=SORTS[self._sort])
        if anew or [str(key.value) for key in self.rows] != [line.run.name for line in lines]:
            current = self.current
            self.clear()
            for line in lines:
                self.add_row(*self._row(line), key=line.run.name)
            if current in self.rows:
                self.move_cursor(row=self.get_row_index(current))
            return
        for line in lines:
            for column, value in zip(self.columns, self._row(line), strict=True):
                if self.get_cell(line.run.name, column) != value:
                    self.update_cell(line.run.name, column, value)

    def _row(self, line: RunLine) -> tuple[Text, ...]:
        name = line.run.name
        mark = str(self.marked.index(name) + 1) if name in self.marked else " "
        preset = () if self._narrow else (Text(printable(line.preset)),)
        return (
            Text(mark, style="bold"),
            Text(status_label(line.status)),
            *preset,
            Text(f"{line.run.created:%m-%d %H:%M}"),
            Text(percent(line.val_accuracy), justify="right"),
            Text(duration(line.elapsed), justify="right"),
            Text(printable(name), style="dim"),
        )

    def mark_current(self) -> None:
        """Marks the run under the cursor, or takes its mark away."""
        if name := self.current:
            (self.marked.remove if name in self.marked else self.marked.append)(name)
            self._fill()

    def unmark_all(self) -> None:
        self.marked.clear()
        self._fill()

    def sort_by(self, name: str) -> None:
        """By a heading; those that cannot be sorted by change nothing."""
        if name in SORTS:
            self._sort = name
            for key, column in self.columns.items():
                column.label = self._heading(str(key.value))
            self._fill(anew=True)  # with its headings

    def sort_by_next(self) -> None:
        names = list(SORTS)
        self.sort_by(names[(names.index(self._sort) + 1) % len(names)])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Of several marked runs only the differences are shown."""
        return action != "select_cursor" or len(self.marked) < 2


def _searched(line: RunLine) -> str:
    return f"{line.status} {line.preset} {line.run.name}".casefold()
