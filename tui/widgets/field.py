"""A text field that says how to leave it and shows control characters instead of sending them."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.binding import Binding, BindingType
from textual.widgets import Input

from core.formatting import printable


class Field(Input):
    """An Input whose footer names escape; leaving loses nothing that was typed."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "app.leave_field", "leave field", key_display="esc")]

    @property
    def _value(self) -> Text:
        """What Input draws; a character stays one character, so the cursor and the selection stay where they are."""
        return Text(printable(self.value), no_wrap=True, overflow="ignore", end="")
