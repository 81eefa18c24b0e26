"""The table of runs: sorted, filtered, and with marked runs to compare."""

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
"""Headings and widths. They are fixed, because the table measures its contents only frames later."""
NARROW = 100
"""Below this width there is no preset column, so that names, which end in the preset, are not cut."""
SORTS: dict[str, Callable[[RunLine], Any]] = {
    "date": lambda line: 0,  # the order of the list: newest first
    "best acc": lambda line: -(line.val_accuracy or 0.0),
    "time": lambda line: -line.elapsed,
    "preset": lambda line: line.preset,
    "status": lambda line: list(STATUS_SIGNS).index(line.status),
}


class RunsTable(DataTable[Text]):
    """``marked`` has the names of the marked runs, in the order of marking."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "results"),
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
            self._fill(rebuild=True)

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
        """The name of the selected run; empty if there is none."""
        if self.row_count == 0:
            return ""
        return str(self.coordinate_to_cell_key(self.cursor_coordinate).row_key.value)

    def show_lines(self, lines: list[RunLine], query: str) -> None:
        """Show the runs that contain every word of ``query``."""
        self._lines, self._words = lines, query.casefold().split()
        self._fill()

    def _fill(self, *, rebuild: bool = False) -> None:
        """Fill the table; if the rows are the same runs, update only the cells that changed."""
        lines = [line for line in self._lines if all(word in _searched(line) for word in self._words)]
        lines.sort(key=SORTS[self._sort])
        if rebuild or [str(key.value) for key in self.rows] != [line.run.name for line in lines]:
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
            self._name_cell(line),
        )

    def _name_cell(self, line: RunLine) -> Text:
        """The run's name, and how many of its lines are unreadable, if any."""
        name = Text(printable(line.run.name), style="dim")
        if line.skipped_lines:
            warning = self.app.theme_variables["warning"]
            name = Text.assemble(("! ", warning), name, (f"  unreadable lines: {line.skipped_lines}", warning))
        return name

    def mark_current(self) -> None:
        """Mark or unmark the selected run."""
        if name := self.current:
            (self.marked.remove if name in self.marked else self.marked.append)(name)
            self._fill()

    def unmark_all(self) -> None:
        self.marked.clear()
        self._fill()

    def sort_by(self, name: str) -> None:
        """Sort by a column; do nothing if it cannot be sorted by."""
        if name in SORTS:
            self._sort = name
            for key, column in self.columns.items():
                column.label = self._heading(str(key.value))
            self._fill(rebuild=True)  # with its headings

    def sort_by_next(self) -> None:
        names = list(SORTS)
        self.sort_by(names[(names.index(self._sort) + 1) % len(names)])

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Results are those of one run, or compare two."""
        return action != "select_cursor" or len(self.marked) <= 2


def _searched(line: RunLine) -> str:
    return f"{line.status} {line.preset} {line.run.name}".casefold()
