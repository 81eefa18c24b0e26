"""An Input that shows control characters as signs.

Private name: ``Input._value`` (textual 8.2.8), the text that ``Input`` draws. Without it a value with an escape
sequence, as from a file name or a pasted text, is sent to the terminal as it is. ``highlighter`` is public but cannot
replace characters. It ends with an Input that escapes control characters itself.
"""

from __future__ import annotations

from rich.text import Text
from textual.widgets import Input

from core.formatting import printable


class PrintableInput(Input):
    """Each character stays one character, so that the cursor and the selection stay where they are."""

    @property
    def _value(self) -> Text:
        return Text(printable(self.value), no_wrap=True, overflow="ignore", end="")
