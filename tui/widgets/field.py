"""A text field that says how to leave it."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import Input


class Field(Input):
    """An Input whose footer names escape; leaving loses nothing that was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.leave_field", "leave field", key_display="esc")]
