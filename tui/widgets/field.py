"""A text field that names in the footer how to leave it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.textual_private.printable_input import PrintableInput


class Field(PrintableInput):
    """A text field that escape leaves; what was typed stays."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.leave_field", "leave field", key_display="esc")]
