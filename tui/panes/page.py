"""The base class of the pages of a pane, and the formats that they share."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from core.formatting import printable


class Page(Vertical):
    """One view of what its pane has open. Threads compute for it; only its handlers touch its widgets."""

    title: str = ""
    """Its name in the row of pages."""

    def main_widget(self) -> Widget:
        """Return the widget that takes the focus."""
        raise NotImplementedError

    def activate(self) -> None:
        """The page has come to the front: compute what it shows, if needed."""

    def show_message(self, message: str) -> None:
        """Show why there is no result."""


def failed(message: str) -> Text:
    """Format an error message; its sign needs no colour."""
    return Text(f"✗ {printable(message)}", style="bold")


def grid_text(text: str, style: str = "") -> Text:
    """Format a cell of a table: one line, cut with an ellipsis."""
    return Text(printable(text), style=style, no_wrap=True, overflow="ellipsis")


def right(text: str, style: str = "") -> Text:
    """Format a number or the heading of a column of numbers, aligned to the right."""
    return Text(text, style=style, justify="right", no_wrap=True)
