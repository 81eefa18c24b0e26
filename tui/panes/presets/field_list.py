"""The fields of a configuration, one per line, which can be edited in place.

All lines are one widget. It has a single text field, which moves to the line that is edited: creating one text field
per line took more than half a second.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Input

from core.config.schema import RunConfig, field_names, format_value
from core.formatting import printable
from tui.widgets.field import Field

DOT, NAME = 2, 24
"""Cells for the dot of a field that differs from the file of the preset, and for the name of a field."""
STEPS = {"down": 1, "tab": 1, "up": -1, "shift+tab": -1}


class PresetField(Field):
    """The text field of the list. The footer shows what enter does.

    It calls the list directly for steps and edits. With messages, text typed right after a step would be taken for the
    previous field.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "submit", "to Train")]

    def __init__(self, fields: FieldList) -> None:
        super().__init__(compact=True, select_on_focus=False)
        self._fields = fields

    def on_key(self, event: events.Key) -> None:
        if event.key in STEPS:
            event.stop()
            event.prevent_default()
            self._fields.step(STEPS[event.key])

    def watch_value(self, value: str) -> None:
        self._fields.edit(value)


class FieldList(Widget):
    """Fields below the headings of their sections: a dot if the field differs from the file, its name and its value."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES: ClassVar[set[str]] = {"fields--section", "fields--dot", "fields--name", "fields--invalid"}
    DEFAULT_CSS = f"""
    FieldList {{ height: auto; }}
    FieldList > .fields--section {{ color: $accent; }}
    FieldList > .fields--dot {{ color: $warning; text-style: bold; }}
    FieldList > .fields--name {{ color: $text-muted; }}
    FieldList > .fields--invalid {{ color: $error; text-style: bold underline; }}
    FieldList PresetField {{ width: 1fr; margin: 0 0 0 {DOT + NAME}; background: $background; }}
    FieldList PresetField:focus {{ background: $panel; text-style: bold; }}
    """

    @dataclass
    class Edited(Message):
        """The value of a field was edited; ``original`` is the configuration in the file."""

        original: RunConfig
        name: str
        value: str

    @dataclass
    class Entered(Message):
        """The cursor moved to another field."""

        name: str

    def __init__(self, id: str, *, first: str) -> None:
        """``first`` is the field that has the cursor at first."""
        super().__init__(id=id)
        self._lines: list[str] = []
        for name in field_names():
            if (section := name.partition(".")[0]) not in self._lines:
                self._lines.append(section)
            self._lines.append(name)
        self.current = first if first in self._lines else self._lines[1]
        self._config: RunConfig | None = None
        self._original: RunConfig | None = None
        self._typed: dict[str, str] = {}
        self.errors: dict[str, str] = {}
        """Error messages by field, for fields whose text is not a valid value."""

    def compose(self) -> ComposeResult:
        yield PresetField(self)

    def on_mount(self) -> None:
        self._place()

    @property
    def field(self) -> PresetField:
        return self.query_one(PresetField)

    def show(self, config: RunConfig, original: RunConfig) -> None:
        """Show ``config`` and its differences from ``original``; discard text that was typed before."""
        self._config, self._original = config, original
        self._typed.clear()
        self.errors.clear()
        self._place()

    def accept(self, name: str, config: RunConfig) -> None:
        """Take over the configuration that the text of a field resulted in."""
        self._config = config
        self.errors.pop(name, None)
        self._mark()

    def refuse(self, name: str, error: str) -> None:
        """Show that the text of a field is not a valid value, for the reason in ``error``."""
        self.errors[name] = error
        self._mark()

    def edit(self, value: str) -> None:
        """Post :class:`Edited`, unless the text field has the value that the list set."""
        if self._original is not None and value != self._value(self.current):
            self._typed[self.current] = value
            self.post_message(self.Edited(self._original, self.current, value))

    def go(self, name: str) -> None:
        """Move the cursor to a field."""
        self.current = name
        self._place()
        self.post_message(self.Entered(name))

    def step(self, by: int) -> None:
        """Move the cursor to the next field or the previous one; leave the list after the last and before the first."""
        names = [name for name in self._lines if "." in name]
        number = names.index(self.current) + by
        if 0 <= number < len(names):
            self.go(names[number])
        elif by > 0:
            self.screen.focus_next()
        else:
            self.screen.focus_previous()

    def on_click(self, event: events.Click) -> None:
        line = event.get_content_offset(self)
        if line is not None and "." in (name := self._lines[line.y]):
            self.go(name)
            self.screen.set_focus(self.field)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()

    def _place(self) -> None:
        """Move the text field to the line of the current field and set its value."""
        if not self.is_mounted:
            return
        field, line = self.field, self._lines.index(self.current)
        field.value = self._value(self.current)
        field.cursor_position = len(field.value)
        field.styles.offset = (0, line)
        self._mark()
        self.reveal()

    def reveal(self) -> None:
        """Scroll to the text field if it has the focus."""
        if self.field.has_focus and isinstance(self.parent, Widget):
            line = self.virtual_region.y + self._lines.index(self.current)
            self.parent.scroll_to_region(Region(0, line, 1, 1), animate=False)

    def _mark(self) -> None:
        self.field.set_class(self.current in self.errors, "invalid")
        self.refresh()

    def _value(self, name: str) -> str:
        if self._config is None:
            return ""
        return self._typed.get(name, format_value(self._config.get(name)))

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._lines)

    def render_line(self, y: int) -> Strip:
        width, base = self.size.width, self.rich_style
        if y >= len(self._lines) or self._config is None or self._original is None:
            return Strip.blank(width, base)
        name = self._lines[y]
        if "." not in name:
            segments = [Segment(name, base + self.get_component_rich_style("fields--section"))]
        else:
            differs = self._config.get(name) != self._original.get(name)
            value = self.get_component_rich_style("fields--invalid") if name in self.errors else Style.null()
            segments = [
                Segment(f"{'•' if differs else ' ':<{DOT}}", base + self.get_component_rich_style("fields--dot")),
                Segment(f"{name.partition('.')[2]:<{NAME}}", base + self.get_component_rich_style("fields--name")),
                Segment(printable(self._value(name)), base + value),
            ]
        return Strip(segments).adjust_cell_length(width, base)
