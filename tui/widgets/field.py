"""A text field with a binding in the footer to leave it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType

from tui.textual_private.printable_input import PrintableInput


class Field(PrintableInput):
    """A text field that escape leaves without changing its text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.leave_field", "leave field", key_display="esc")]
