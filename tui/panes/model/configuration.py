"""Configuration: every field with its default and its meaning; an edit updates the counts of the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.timer import Timer
from textual.widgets import DataTable, Input, Label, Static

from core.config.encoder_overrides import ENCODER_FIELDS
from core.config.schema import format_value
from core.errors import InputError
from core.formatting import printable
from core.inspection.config_fields import ConfigurationField, configuration_fields
from core.inspection.target import Resolved
from tui.panes.model.page import Page, failed, grid_text
from tui.widgets.field import Field

if TYPE_CHECKING:
    from tui.panes.model.pane import ModelPane

_COLUMNS = {"field": 25, "value": 18, "default": 14, "task": 9}
_LEAST = 20
"""Cells that a column of meanings needs at least; that of the selected field is always shown below the table."""
SETTLED_S = 0.15
"""Seconds without a key after which a typed value is applied, so that typing 12 does not apply 1."""
_UNUSED = "our classifier does not use this field, so it cannot be edited"
_GROUP_WORDS = {
    "architecture": "task-agnostic: the shape of the encoder",
    "training": "task-agnostic: initialisation and dropout",
    "task": "task-specific: used by a head or its labels, not by the encoder",
    "bookkeeping": "task-agnostic: files and outputs, not the network",
}


class ConfigurationPage(Page):
    """A table of fields by group; below it the meaning of the selected one, and its value in a text field."""

    title = "Configuration"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", "edit"),
        Binding("i", "init", "scratch/pretrained"),
        Binding("ctrl+s", "save_as", "save"),
    ]

    def __init__(self, pane: ModelPane) -> None:
        super().__init__(pane)
        self._rows: list[ConfigurationField | str] = []
        self._typing: Timer | None = None
        self._made_for = 0

    def compose(self) -> ComposeResult:
        yield FieldTable(id="config-table", cursor_type="row")
        with Horizontal(id="config-edit"):
            yield Label("", id="config-name")
            yield Field("", id="config-value", compact=True, select_on_focus=False)
        yield Static(id="config-help", markup=False)

    def on_mount(self) -> None:
        self._make_columns()

    def on_resize(self) -> None:
        if self._room() == self._made_for:
            return
        table = self.query_one(DataTable)
        row = table.cursor_row
        table.clear(columns=True)
        self._make_columns()
        if self.pane.resolved is not None:
            self.show_model(self.pane.resolved)
            table.move_cursor(row=row)

    def _room(self) -> int:
        """Return the cells that are left for the column of meanings."""
        return self.size.width - sum(width + 2 for width in _COLUMNS.values()) - 4

    def _make_columns(self) -> None:
        table, self._made_for = self.query_one(DataTable), self._room()
        for heading, width in _COLUMNS.items():
            table.add_column(heading, width=width)
        if self._made_for >= _LEAST:
            table.add_column("meaning", width=self._made_for)

    def main_widget(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    def show_model(self, resolved: Resolved) -> None:
        table = self.query_one(DataTable)
        row, top = table.cursor_row, table.scroll_offset.y
        self._rows, group = [], ""
        with self.app.batch_update():
            table.clear()
            for field in configuration_fields(resolved.encoder):
                if field.group != group:
                    group = field.group
                    self._rows.append(group)
                    cells = [grid_text(group, "bold"), "", "", "", grid_text(_GROUP_WORDS[group], "dim")]
                    table.add_row(*cells[: len(table.columns)])
                self._rows.append(field)
                scope = "specific" if field.task_specific else "agnostic"
                mark = "• " if field.name in self.pane.edited_fields else ""
                cells = [
                    grid_text(f"  {field.name}"),
                    grid_text(f"{mark}{format_value(field.value)}", "bold" if field.differs else ""),
                    grid_text(format_value(field.default) if field.differs else "", "dim"),
                    grid_text(scope, "" if field.task_specific else "dim"),
                    grid_text(field.meaning),
                ]
                table.add_row(*cells[: len(table.columns)])
            table.move_cursor(row=min(max(row, 1), len(self._rows) - 1))
            table.scroll_to(y=top, animate=False)
        self._show_current()

    @property
    def _current(self) -> ConfigurationField | None:
        row = self.query_one(DataTable).cursor_row
        found = self._rows[row] if row < len(self._rows) else None
        return found if isinstance(found, ConfigurationField) else None

    @on(DataTable.RowHighlighted)
    def _show_current(self) -> None:
        help_text, value = self.query_one("#config-help", Static), self.query_one("#config-value", Input)
        field = self._current
        editable = field is not None and field.name in ENCODER_FIELDS
        self.query_one("#config-name", Label).update(Text(printable(field.name) if field else "", style="bold"))
        value.disabled = not editable or self.pane.is_trained
        if not value.has_focus:
            with value.prevent(Input.Changed):
                value.value = format_value(field.value) if field else ""
        if field is None:
            row = self.query_one(DataTable).cursor_row
            group = self._rows[row] if row < len(self._rows) else ""
            help_text.update(_GROUP_WORDS.get(str(group), ""))
            return
        scope = "task-specific" if field.task_specific else "task-agnostic"
        text = Text(field.meaning)
        text.append(f"\n{field.group}, {scope}", style="dim")
        if not editable:
            text.append(f"; {_UNUSED}" if field.group != "bookkeeping" else "", style="dim")
        help_text.update(text)

    @on(Input.Changed, "#config-value")
    def _typed(self, event: Input.Changed) -> None:
        if self._typing is not None:
            self._typing.stop()
        if event.input.has_focus:
            self._typing = self.set_timer(SETTLED_S, self._settled)

    def _settled(self) -> None:
        """Apply the typed value to the model."""
        field, value = self._current, self.query_one("#config-value", Input)
        if field is None:
            return
        value.remove_class("invalid")
        try:
            overrides = self.pane.config.model.encoder.with_field(field.name, value.value)
            self.pane.change("model.encoder", overrides)
        except InputError as error:
            self.show_message(str(error))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        return self.pane.check_action(action, parameters) if action in ("init", "save_as") else True

    def action_init(self) -> None:
        self.pane.action_init()

    def action_save_as(self) -> None:
        self.pane.action_save_as()

    def show_message(self, message: str) -> None:
        self.query_one("#config-value").add_class("invalid")
        self.query_one("#config-help", Static).update(failed(message))

    @on(Input.Submitted, "#config-value")
    def _leave(self) -> None:
        self.screen.set_focus(self.query_one(DataTable))

    def action_edit(self) -> None:
        value = self.query_one("#config-value", Input)
        if not self.pane.may_edit():
            return
        if value.disabled:
            self.app.notify(f"{_UNUSED[0].upper()}{_UNUSED[1:]}.", severity="warning")
        else:
            self.screen.set_focus(value)
            value.cursor_position = len(value.value)


class FieldTable(DataTable[Text]):
    """A table in which enter edits the selected field."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "edit_field", "edit", show=False)]

    def action_edit_field(self) -> None:
        page = next(node for node in self.ancestors if isinstance(node, ConfigurationPage))
        page.action_edit()
