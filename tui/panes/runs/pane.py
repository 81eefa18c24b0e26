"""Runs: a table of all runs, and the curves of the selected one or of several marked ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.timer import Timer
from textual.widgets import DataTable, Input, Label, Static

from core.formatting import printable
from core.runs.state import RunState
from core.runs.status import UNFINISHED
from core.runs.summary import skipped_text
from tui.messages import RunGrew, RunLine, RunRead, RunsListed
from tui.panes.pane import Pane
from tui.panes.runs.runs_table import RunsTable
from tui.widgets.curves import RunCurves
from tui.widgets.field import Field
from tui.widgets.run_view import configuration_table, differences_table, epoch_table
from tui.workers.run_index import RunIndex

if TYPE_CHECKING:
    from tui.panes.pane import Console

REFRESH_S = 2.0
"""How often the directory is read while the pane is in front."""
PATIENCE_S = 0.15
"""How long the curves of the last selection stay while a run is read; most runs are read sooner."""
MOST_CACHED = 12
"""Runs that stay in memory besides those that are shown."""


class RunsPane(Pane):
    """The table above; below it the marked runs, or the selected one. A thread reads them."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "mark", "mark"),
        Binding("o", "watch", "open"),
        Binding("i", "configuration", "config"),
        Binding("p", "resume", "resume"),
        Binding("c", "clear", "unmark"),
        Binding("s", "sort", "sort by the next column", show=False),
        Binding("slash", "filter", "filter", show=False, key_display="/"),
        Binding("r", "refresh", "refresh", show=False),
        Binding("j", "move(1)", "down", show=False),
        Binding("k", "move(-1)", "up", show=False),
    ]

    def __init__(self, console: Console, *, id: str) -> None:
        super().__init__(console, id=id)
        self._lines: dict[str, RunLine] = {}
        self._states: dict[str, RunState] = {}
        self._details = False
        self._error = ""
        self._listed = False
        self._delayed: Timer | None = None

    def compose(self) -> ComposeResult:
        with Horizontal(id="runs-filter-line", classes="field-line"):
            yield Label("filter  ")
            yield Field("", id="runs-filter", compact=True, placeholder="part of the status, the preset or the name")
        yield RunsTable(id="runs-table")
        yield Static(id="runs-hint", markup=False)
        yield RunCurves()
        with VerticalScroll(id="runs-config"):
            yield Static(id="runs-text", markup=False)

    def on_mount(self) -> None:
        self.query_one("#runs-filter-line").display = False
        self._index = RunIndex(self.console.root, self.post_message)
        self.set_interval(REFRESH_S, self._refresh_if_visible)

    def _refresh_if_visible(self) -> None:
        if self.display:
            self._request()

    def _request(self, *, afresh: bool = False) -> None:
        """Let the thread list the directory and read the runs that are shown."""
        chosen = self._chosen_names()
        for name in [name for name in self._states if name not in chosen][:-MOST_CACHED]:
            del self._states[name]
        self._index.ask(chosen, self._states, afresh=afresh)

    # Messages of the thread

    def on_runs_listed(self, message: RunsListed) -> None:
        self._lines = {line.run.name: line for line in message.lines}
        self._error, self._listed = message.error, True
        self._table.marked = [name for name in self._table.marked if name in self._lines]
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
        state.update(message.update)
        if message.run.name in self._chosen_names():
            self._show()

    @property
    def _table(self) -> RunsTable:
        return self.query_one(RunsTable)

    def _fill(self) -> None:
        self._table.show_lines(list(self._lines.values()), self.query_one("#runs-filter", Input).value)

    def _chosen_names(self) -> list[str]:
        """Return the marked runs in the order of marking, else the selected one."""
        return [name for name in self._table.marked or [self._table.current] if name in self._lines]

    # Below the table

    @on(DataTable.RowHighlighted)
    def _show(self) -> None:
        """Show the chosen runs; if one is still to be read, first keep the last selection for a moment."""
        self.refresh_bindings()
        names = self._chosen_names()
        missing = [name for name in names if name not in self._states]
        if self._delayed is not None:
            self._delayed.stop()
            self._delayed = None
        if missing:
            self._request()
            self._delayed = self.set_timer(PATIENCE_S, self._draw)
        else:
            self._draw()

    def _draw(self) -> None:
        names = self._chosen_names()
        hint, text = self.query_one("#runs-hint", Static), self.query_one("#runs-text", Static)
        curves = self.query_one(RunCurves)
        curves.display = bool(names)
        if not names:
            hint.update(self._empty_message())
            text.update("")
            return
        ready = [name for name in names if name in self._states]
        curves.show([(self._legend(name), self._states[name]) for name in ready])
        runs = [self._lines[name].run for name in names]
        if len(runs) > 1:
            compare = "enter: compare them · " if len(runs) == 2 else ""
            hint.update(
                _hint(
                    f"{compare}{len(runs)} marked: their curves, and the fields that differ · {self._sort_and_filter()}"
                )
            )
            text.update(differences_table(runs))
        else:
            skipped = self._lines[names[0]].skipped_lines
            damage = f"{skipped_text(skipped)} · " if skipped else ""
            keys = "enter: results · space: mark runs to compare · o: open in Train"
            hint.update(_hint(f"{damage}{keys} · {self._sort_and_filter()}"))
            if self._details:
                text.update(configuration_table(runs[0]))
            else:
                state = self._states.get(names[0])
                text.update(epoch_table(state, rows=len(state.epochs)) if state is not None else "")
        if len(ready) < len(names):
            hint.update(_hint("reading " + ", ".join(name for name in names if name not in ready) + " …"))

    def _legend(self, name: str) -> str:
        return f"{self._states[name].preset} {self._lines[name].run.created:%H:%M:%S}"

    def _sort_and_filter(self) -> str:
        filtered = self.query_one("#runs-filter", Input).value
        return "s: sort · " + ("escape: show all" if filtered else "/: filter")

    def _empty_message(self) -> str:
        if self._error:
            return f"✗ {printable(self._error)}"
        if not self._listed:
            return "reading the runs …"
        if self._lines:
            return "No run matches the filter. Press / to change it."
        return "No runs yet. Press 1 to choose a preset, enter to open it in Train, and s to start."

    # Keys

    def activate(self) -> None:
        self._request()
        self._draw()
        self.screen.set_focus(self._table)

    def leave_field(self) -> None:
        """Move from the filter to the table; in the table, close the configuration or clear the filter."""
        table, field = self._table, self.query_one("#runs-filter", Input)
        if table.has_focus and self._details:
            self._details = False
            self._draw()
        elif table.has_focus:
            field.value = ""
        self.query_one("#runs-filter-line").display = bool(field.value)
        self.screen.set_focus(table)

    def action_mark(self) -> None:
        self._table.mark_current()
        self._show()

    def action_clear(self) -> None:
        self._table.unmark_all()
        self._show()

    @on(DataTable.RowSelected)
    async def _open_results(self) -> None:
        """Show the results of the selected run, or compare the two marked ones."""
        marked = [self._lines[name].run for name in self._table.marked if name in self._lines]
        if len(marked) == 2:
            await self.console.show_results(*marked)
        elif (line := self._lines.get(self._table.current)) is not None:
            await self.console.show_results(line.run)

    def action_configuration(self) -> None:
        """Show the configuration of the selected run instead of its epochs, and back."""
        self._details = not self._details
        self._draw()

    def action_sort(self) -> None:
        """Sort by the next column."""
        self._table.sort_by_next()

    @on(DataTable.HeaderSelected)
    def _heading_clicked(self, event: DataTable.HeaderSelected) -> None:
        self._table.sort_by(str(event.column_key.value))

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
        """Offer in the footer only what applies to the selected run; the help screen lists all keys."""
        if action == "clear":
            return bool(self.is_mounted and self._table.marked)
        if action == "configuration":
            return not self.is_mounted or len(self._table.marked) < 2
        if action == "resume":
            line = self._lines.get(self._table.current) if self.is_mounted else None
            return line is not None and line.status in UNFINISHED and line.can_resume
        return True

    async def action_watch(self) -> None:
        """Show the selected run in Train; if another process writes it, follow it."""
        if (line := self._lines.get(self._table.current)) is not None:
            await self.console.open_run(line.run)

    def action_resume(self) -> None:
        """Resume the selected run from its last checkpoint."""
        if (line := self._lines.get(self._table.current)) is not None:
            self.console.resume_run(line.run)

    def action_refresh(self) -> None:
        self._states.clear()
        self._request(afresh=True)

    def action_move(self, step: int) -> None:
        table = self._table
        (table.action_cursor_down if step > 0 else table.action_cursor_up)()


def _hint(text: str) -> Text:
    return Text(text, style="dim", no_wrap=True, overflow="ellipsis")
