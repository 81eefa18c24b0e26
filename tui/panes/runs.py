"""All runs: sort, filter and open them, or mark several and see them over one another and how they differ."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.timer import Timer
from textual.widgets import DataTable, Input, Label, Static

from core.event_reader import take_in
from core.report import duration, percent, printable, status_words
from core.state import RunState
from core.statuses import STATUS_SIGNS, UNFINISHED
from tui.messages import RunGrew, RunRead, RunsListed
from tui.shelf import RunLine, Shelf
from tui.widgets.curves import RunCurves
from tui.widgets.field import Field
from tui.widgets.run_view import configuration_table, differences_table, epoch_table

if TYPE_CHECKING:
    from tui.app import ImdbTui

REFRESH_S = 2.0
PATIENCE_S = 0.15
"""How long the curves before stay while those of a run are read; short runs come sooner."""
MOST_KEPT = 12
"""Runs whose steps stay in memory besides those that are shown."""
COLUMNS = {"": 1, "status": 13, "preset": 14, "date": 11, "best acc": 9, "time": 9}
"""Headings and widths; the run's name has the rest."""
NAME_WIDTH = 60
"""Fixed: a width that follows the names comes frames after them."""
NARROW = 100
"""Cells below which the name of the run would be cut."""
SORTS: dict[str, Callable[[RunLine], Any]] = {
    "date": lambda line: 0,  # as they come, newest first
    "best acc": lambda line: -(line.val_accuracy or 0.0),
    "time": lambda line: -line.elapsed,
    "preset": lambda line: line.preset,
    "status": lambda line: list(STATUS_SIGNS).index(line.status),
}


class RunsTable(DataTable[Text]):
    """The table; enter is named in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "select_cursor", "config"),
        Binding("home", "scroll_top", "first run", show=False),
        Binding("end", "scroll_bottom", "last run", show=False),
    ]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Of several marked runs only the differences are shown."""
        return action != "select_cursor" or len(cast("RunsPane", self.parent).marked) < 2


class RunsPane(Vertical):
    """The table above; below it the marked runs, or the one under the cursor. A thread reads them all."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark"),
        Binding("o", "watch", "open"),
        Binding("g", "go_on", "go on"),
        Binding("c", "clear", "unmark"),
        Binding("s", "sort", "sort by the next column", show=False),
        Binding("slash", "filter", "filter", show=False, key_display="/"),
        Binding("r", "refresh", "refresh", show=False),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._lines: dict[str, RunLine] = {}
        self._states: dict[str, RunState] = {}
        self.marked: list[str] = []
        self._details = False
        self._sort = "date"
        self._error = ""
        self._listed = False
        self._late: Timer | None = None
        self._narrow = False

    @property
    def console(self) -> ImdbTui:
        return cast("ImdbTui", self.app)

    def compose(self) -> ComposeResult:
        with Horizontal(id="runs-filter-line", classes="field-line"):
            yield Label("filter  ")
            yield Field("", id="runs-filter", compact=True, placeholder="words of the status, the preset or the name")
        yield RunsTable(id="runs-table", cursor_type="row")
        yield Static(id="runs-hint", markup=False)
        yield RunCurves()
        with VerticalScroll(id="runs-config"):
            yield Static(id="runs-words", markup=False)

    def on_mount(self) -> None:
        self.query_one("#runs-filter-line").display = False
        self._add_columns()
        self._shelf = Shelf(self.console.root, self.post_message)
        self.set_interval(REFRESH_S, self._refresh_if_visible)

    def _add_columns(self) -> None:
        table = self.query_one(DataTable)
        self._narrow = self.size.width < NARROW
        for heading, width in COLUMNS.items():
            if heading != "preset" or not self._narrow:
                table.add_column(self._heading(heading), width=width, key=heading)
        table.add_column(self._heading("run"), width=NAME_WIDTH, key="run")

    def on_resize(self) -> None:
        """Where there is no room for both, the run's name, which ends in the preset, is worth more than the preset."""
        if self._narrow is not (self.size.width < NARROW):
            self.query_one(DataTable).clear(columns=True)
            self._add_columns()
            self._fill(anew=True)

    def _refresh_if_visible(self) -> None:
        if self.console.pane == "runs":
            self._ask()

    def _ask(self, *, anew: bool = False) -> None:
        """Has the directory looked at, and what is shown read."""
        chosen = self._chosen_names()
        for name in [name for name in self._states if name not in chosen][:-MOST_KEPT]:
            del self._states[name]
        self._shelf.ask(chosen, self._states, anew=anew)

    # What the thread found

    def on_runs_listed(self, message: RunsListed) -> None:
        self._lines = {line.run.name: line for line in message.lines}
        self._error, self._listed = message.error, True
        self.marked = [name for name in self.marked if name in self._lines]
        self._states = {name: state for name, state in self._states.items() if name in self._lines}
        self._fill()
        self._show()

    def on_run_read(self, message: RunRead) -> None:
        self._states[message.run.name] = message.state
        if message.run.name in self._chosen_names():
            self._show()

    def on_run_grew(self, message: RunGrew) -> None:
        state = self._states.get(message.run.name)
        if state is None:
            return
        take_in(message.parts, state)
        state.status, state.skipped_lines = message.status, message.skipped
        if message.run.name in self._chosen_names():
            self._show()

    # The table

    def _fill(self, *, anew: bool = False) -> None:
        """Puts the lines that the filter leaves into the table; where only their words are others, only those."""
        table = self.query_one(DataTable)
        words = self.query_one("#runs-filter", Input).value.casefold().split()
        lines = sorted(self._lines.values(), key=SORTS[self._sort])
        lines = [line for line in lines if all(word in _searched(line) for word in words)]
        if anew or [str(key.value) for key in table.rows] != [line.run.name for line in lines]:
            current = self._current_name()
            table.clear()
            for line in lines:
                table.add_row(*self._row(line), key=line.run.name)
            if current in table.rows:
                table.move_cursor(row=table.get_row_index(current))
            return
        for line in lines:
            for column, value in zip(table.columns, self._row(line), strict=True):
                if table.get_cell(line.run.name, column) != value:
                    table.update_cell(line.run.name, column, value)

    def _row(self, line: RunLine) -> tuple[Text, ...]:
        name = line.run.name
        mark = str(self.marked.index(name) + 1) if name in self.marked else " "
        preset = () if self._narrow else (Text(printable(line.preset)),)
        return (
            Text(mark, style="bold"),
            Text(status_words(line.status)),
            *preset,
            Text(f"{line.run.created:%m-%d %H:%M}"),
            Text(percent(line.val_accuracy), justify="right"),
            Text(duration(line.elapsed), justify="right"),
            Text(printable(name), style="dim"),
        )

    def _heading(self, name: str) -> Text:
        sorted_by = name == self._sort or (name == "run" and self._narrow and self._sort == "preset")
        return Text(f"{name}▾" if sorted_by else name, justify="right" if name in ("best acc", "time") else None)

    def _current_name(self) -> str:
        table = self.query_one(DataTable)
        if table.row_count == 0:
            return ""
        return str(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value)

    def _chosen_names(self) -> list[str]:
        """The marked runs in the order of marking, else the one under the cursor."""
        return [name for name in self.marked or [self._current_name()] if name in self._lines]

    # Below the table

    @on(DataTable.RowHighlighted)
    def _show(self) -> None:
        """The chosen runs; those whose steps are not there yet are read, and what was shown stays a moment longer."""
        self.refresh_bindings()
        names = self._chosen_names()
        missing = [name for name in names if name not in self._states]
        if self._late is not None:
            self._late.stop()
            self._late = None
        if missing:
            self._ask()
            self._late = self.set_timer(PATIENCE_S, self._draw)
        else:
            self._draw()

    def _draw(self) -> None:
        names = self._chosen_names()
        hint, words = self.query_one("#runs-hint", Static), self.query_one("#runs-words", Static)
        curves = self.query_one(RunCurves)
        curves.display = bool(names)
        if not names:
            hint.update(self._nothing())
            words.update("")
            return
        ready = [name for name in names if name in self._states]
        curves.show([(self._legend(name), self._states[name]) for name in ready])
        runs = [self._lines[name].run for name in names]
        if len(runs) > 1:
            hint.update(_hint(f"{len(runs)} marked: curves, and the fields in which they differ · {self._filtered()}"))
            words.update(differences_table(runs))
        else:
            hint.update(_hint(f"space marks runs to compare · o opens one in Train · {self._filtered()}"))
            if self._details:
                words.update(configuration_table(runs[0]))
            else:
                state = self._states.get(names[0])
                words.update(epoch_table(state, rows=len(state.epochs)) if state is not None else "")
        if len(ready) < len(names):
            hint.update(_hint("reading " + ", ".join(name for name in names if name not in ready) + " …"))

    def _legend(self, name: str) -> str:
        return f"{self._states[name].preset} {self._lines[name].run.created:%H:%M:%S}"

    def _filtered(self) -> str:
        filtered = self.query_one("#runs-filter", Input).value
        return "s sorts · " + ("escape shows all" if filtered else "/ filters")

    def _nothing(self) -> str:
        if self._error:
            return f"✗ {printable(self._error)}"
        if not self._listed:
            return "reading the runs …"
        if self._lines:
            return "no run has these words · / changes them"
        return "no runs yet · 1 chooses a preset, enter takes it to Train, s starts it"

    # Keys

    def shown(self) -> None:
        self._ask()
        self._draw()
        self.screen.set_focus(self.query_one(DataTable))

    def leave_field(self) -> None:
        """From the filter to the table; from there, what was opened or filtered goes."""
        table, field = self.query_one(DataTable), self.query_one("#runs-filter", Input)
        if table.has_focus and self._details:
            self._details = False
            self._draw()
        elif table.has_focus:
            field.value = ""
        self.query_one("#runs-filter-line").display = bool(field.value)
        self.screen.set_focus(table)

    def action_mark(self) -> None:
        name = self._current_name()
        if not name:
            return
        if name in self.marked:
            self.marked.remove(name)
        else:
            self.marked.append(name)
        self._fill()
        self._show()

    def action_clear(self) -> None:
        self.marked.clear()
        self._fill()
        self._show()

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        self._details = not self._details
        self._draw()

    def action_sort(self) -> None:
        """By the next column that can be sorted by."""
        names = list(SORTS)
        self._sort_by(names[(names.index(self._sort) + 1) % len(names)])

    @on(DataTable.HeaderSelected)
    def _heading_clicked(self, event: DataTable.HeaderSelected) -> None:
        if str(event.column_key.value) in SORTS:
            self._sort_by(str(event.column_key.value))

    def _sort_by(self, name: str) -> None:
        self._sort = name
        table = self.query_one(DataTable)
        for key, column in table.columns.items():
            column.label = self._heading(str(key.value))
        self._fill(anew=True)  # with its headings

    def action_filter(self) -> None:
        self.query_one("#runs-filter-line").display = True
        self.screen.set_focus(self.query_one("#runs-filter"))

    @on(Input.Changed, "#runs-filter")
    def _filter_typed(self) -> None:
        self._fill()
        self._show()

    @on(Input.Submitted, "#runs-filter")
    def _filter_done(self) -> None:
        self.leave_field()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The footer offers what there is to do with the run under the cursor; help lists all."""
        if action == "clear":
            return bool(self.marked)
        if action == "go_on":
            line = self._lines.get(self._current_name()) if self.is_mounted else None
            return line is not None and line.status in UNFINISHED and line.run.is_saved
        return True

    def action_watch(self) -> None:
        """Shows the run under the cursor in Train, and follows it where another process writes it."""
        if (line := self._lines.get(self._current_name())) is not None:
            self.console.open_run(line.run)

    def action_go_on(self) -> None:
        """Takes the run under the cursor up again from its last checkpoint."""
        if (line := self._lines.get(self._current_name())) is not None:
            self.console.resume_run(line.run)

    def action_refresh(self) -> None:
        self._states.clear()
        self._ask(anew=True)

    def action_move(self, step: int) -> None:
        table = self.query_one(DataTable)
        (table.action_cursor_down if step > 0 else table.action_cursor_up)()


def _searched(line: RunLine) -> str:
    return f"{line.status} {line.preset} {line.run.name}".casefold()


def _hint(words: str) -> Text:
    return Text(words, style="dim", no_wrap=True, overflow="ellipsis")
