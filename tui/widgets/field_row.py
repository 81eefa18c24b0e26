"""The fields of a configuration, one a row, to be edited in place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Label

from core.config import RunConfig, field_names, format_value
from tui.widgets.field import Field


def field_rows(config: RunConfig) -> Iterator[Widget]:
    """The fields under the headings of their sections."""
    section = ""
    for name in field_names():
        if section != (section := name.partition(".")[0]):
            yield Label(section, classes="section")
        yield FieldRow(name, config)


class PresetField(Field):
    """Its footer says where enter leads."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "to Train")]


class FieldRow(Horizontal):
    """One field: name, a dot where it differs from the preset's file, and its value to edit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "next", show=False),
        Binding("up", "app.focus_previous", "before", show=False),
    ]

    def __init__(self, name: str, config: RunConfig) -> None:
        super().__init__()
        self.field_name = name
        self._value = format_value(config.get(name))

    def compose(self) -> ComposeResult:
        yield Label(" ", classes="dot")
        yield Label(self.field_name.partition(".")[2], classes="field-name")
        yield PresetField(self._value, name=self.field_name, compact=True, select_on_focus=False)

    def show(self, config: RunConfig, original: RunConfig) -> None:
        """Puts in the value of ``config``; what the person has not typed is not announced as a change."""
        field = self.query_one(Input)
        with field.prevent(Input.Changed):
            field.value = format_value(config.get(self.field_name))
        field.remove_class("invalid")
        self.mark(config, original)

    def mark(self, config: RunConfig, original: RunConfig) -> None:
        changed = config.get(self.field_name) != original.get(self.field_name)
        self.query_one(".dot", Label).update("•" if changed else " ")
