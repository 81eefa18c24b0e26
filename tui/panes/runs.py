"""All runs: open one, or mark several and see them over one another and how their configurations differ."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.table import Table
from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.widgets import DataTable, Static

from core.config import field_names, format_value
from core.errors import InputError
from core.report import difference_rows, duration, percent, printable, status_words
from core.runs import Run, list_runs
from core.state import RunState
from core.statuses import LIVE
from tui.widgets.curves import RunCurves
from tui.widgets.run_view import epoch_table

if TYPE_CHECKING:
    from tui.app import ImdbTui

REFRESH_S = 2.0


class RunsTable(DataTable[Text]):
    """The table; enter is named in the footer."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select_cursor", "config")]


class RunsPane(Vertical):
    """The table above; below it the marked runs, or the one under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark"),
        Binding("o", "watch", "open"),
        Binding("g", "go_on", "go on"),
        Binding("c", "clear", "unmark"),
        Binding("r", "refresh", "refresh", show=False),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._runs: list[Run] = []
        self._states: dict[str, RunState] = {}
        self._full: dict[str, RunState] = {}
        self._marked: list[str] = []
        self._details = False

    @property
    def console(self) -> ImdbTui:
        return cast("ImdbTui", self.app)

    def compose(self) -> ComposeResult:
        yield RunsTable(id="runs-table", cursor_type="row")
        yield Static(id="runs-hint", markup=False)
        yield RunCurves()
        with VerticalScroll(id="runs-config"):
            yield Static(id="runs-words", markup=False)

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        for heading, width in (("", 1), ("status", 13), ("preset", 14), ("date", 11), ("val acc", 7), ("time", 7)):
            table.add_column(heading, width=width)
        table.add_column("run")
        self.set_interval(REFRESH_S, self._refresh_if_visible)

    def _refresh_if_visible(self) -> None:
        if self.console.pane == "runs":
            self._refresh()

    def _refresh(self) -> None:
        """Reads the directory anew; finished runs are read once."""
        table = self.query_one(DataTable)
        try:
            self._runs = list_runs(self.console.root)
        except InputError as error:
            self.query_one("#runs-hint", Static).update(f"✗ {printable(str(error))}")
            return
        for run in self._runs:
            known = self._states.get(run.name)
            if known is None or known.status in LIVE:
                self._states[run.name] = run.state(steps=False)
                self._full.pop(run.name, None)
        names = [run.name for run in self._runs]
        self._marked = [name for name in self._marked if name in names]
        current = self._current_name()
        if len(names) != table.row_count or current not in names:
            table.clear()
            for run in self._runs:
                table.add_row(*self._row(run), key=run.name)
            if current in names:
                table.move_cursor(row=names.index(current))
        else:
            self._update_rows()
        self._show()

    def _update_rows(self) -> None:
        table = self.query_one(DataTable)
        columns = list(table.columns)
        for run in self._runs:
            for column, value in zip(columns, self._row(run), strict=True):
                table.update_cell(run.name, column, value)

    def _row(self, run: Run) -> tuple[Text, ...]:
        state = self._states[run.name]
        mark = str(self._marked.index(run.name) + 1) if run.name in self._marked else " "
        return (
            Text(mark, style="bold"),
            Text(status_words(state.status)),
            Text(printable(state.preset)),
            Text(f"{run.created:%m-%d %H:%M}"),
            Text(percent(state.best_val_accuracy), justify="right"),
            Text(duration(state.elapsed), justify="right"),
            Text(printable(run.name), style="dim"),
        )

    def _current_name(self) -> str:
        table = self.query_one(DataTable)
        if table.row_count == 0:
            return ""
        return str(table.coordinate_to_cell_key(table.cursor_coordinate).row_key.value)

    def _chosen(self) -> list[Run]:
        """The marked runs in the order of marking, else the one under the cursor."""
        names = self._marked or [self._current_name()]
        by_name = {run.name: run for run in self._runs}
        return [by_name[name] for name in names if name in by_name]

    @on(DataTable.RowHighlighted)
    def _show(self) -> None:
        self.refresh_bindings()
        chosen = self._chosen()
        hint = self.query_one("#runs-hint", Static)
        curves = self.query_one(RunCurves)
        words = self.query_one("#runs-words", Static)
        curves.display = bool(chosen)
        if not chosen:
            hint.update("no runs yet · 1 chooses a preset, enter takes it to Train, s starts it")
            words.update("")
            return
        for run in chosen:
            if run.name not in self._full:
                self._full[run.name] = run.state()
        states = [(f"{self._full[run.name].preset} {run.created:%H:%M:%S}", self._full[run.name]) for run in chosen]
        curves.show(states)
        if len(chosen) > 1:
            hint.update(_hint(f"{len(chosen)} marked: their curves, and only the fields in which they differ"))
            words.update(_differences(chosen))
        else:
            hint.update(_hint("space marks runs to compare · o opens one in Train"))
            state = states[0][1]
            words.update(_configuration(chosen[0]) if self._details else epoch_table(state, rows=len(state.epochs)))

    # Keys

    def shown(self) -> None:
        self._refresh()
        self.screen.set_focus(self.query_one(DataTable))

    def leave_field(self) -> None:
        if self._details:
            self._details = False
            self._show()
        self.screen.set_focus(self.query_one(DataTable))

    def action_mark(self) -> None:
        name = self._current_name()
        if not name:
            return
        if name in self._marked:
            self._marked.remove(name)
        else:
            self._marked.append(name)
        self._update_rows()
        self._show()

    def action_clear(self) -> None:
        self._marked.clear()
        self._update_rows()
        self._show()

    @on(DataTable.RowSelected)
    def action_open(self) -> None:
        self._details = not self._details
        self._show()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """The footer offers what there is to do with the run under the cursor; help lists all."""
        if action == "clear":
            return bool(self._marked)
        if action == "go_on":
            known = self._states.get(self._current_name()) if self.is_mounted else None
            return known is not None and known.status in ("stopped", "failed", "interrupted")
        return True

    def action_watch(self) -> None:
        """Shows the run under the cursor in Train, and follows it where another process writes it."""
        if (run := self._current()) is not None:
            self.console.open_run(run)

    def action_go_on(self) -> None:
        """Takes the run under the cursor up again from its last checkpoint."""
        if (run := self._current()) is not None:
            self.console.resume_run(run)

    def _current(self) -> Run | None:
        name = self._current_name()
        return next((run for run in self._runs if run.name == name), None)

    def action_refresh(self) -> None:
        self._states.clear()
        self._refresh()

    def action_move(self, step: int) -> None:
        table = self.query_one(DataTable)
        (table.action_cursor_down if step > 0 else table.action_cursor_up)()


def _hint(words: str) -> Text:
    return Text(words, style="dim", no_wrap=True, overflow="ellipsis")


def _differences(runs: list[Run]) -> Table | Text:
    try:
        rows = difference_rows(runs)
    except InputError as error:
        return Text(f"✗ {printable(str(error))}")
    if not rows:
        return Text("their configurations are the same")
    table = Table(box=None, pad_edge=False)
    table.add_column("field", no_wrap=True)
    for number, run in enumerate(runs, start=1):
        table.add_column(Text(f"{number} {printable(run.name[16:] or run.name)}"), overflow="ellipsis")
    for name, values in rows:
        table.add_row(name, *(Text(printable(value)) for value in values))
    return table


def _configuration(run: Run) -> Table | Text:
    try:
        config = run.config()
    except InputError as error:
        return Text(f"✗ {printable(str(error))}")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name in field_names():
        table.add_row(name, Text(printable(format_value(config.get(name)))))
    return table
