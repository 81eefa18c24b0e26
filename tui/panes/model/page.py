"""The base class of the pages of Model, and the formats that they share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from core.formatting import printable
from core.inspection.target import Resolved

if TYPE_CHECKING:
    from tui.panes.model.pane import ModelPane
    from tui.workers.inspection import Work


class Page(Vertical):
    """One view of the model that ``pane`` has open."""

    title: str = ""
    """Its name in the row of pages."""

    def __init__(self, pane: ModelPane) -> None:
        super().__init__()
        self.pane = pane

    def inspect(self, work: Work, *, heavy: bool) -> bool:
        """Start an inspection for this page; return False if a live run forbids it."""
        return self.pane.inspect(self.title, work, heavy=heavy)

    def main_widget(self) -> Widget:
        """Return the widget that takes the focus."""
        raise NotImplementedError

    def show_model(self, resolved: Resolved) -> None:
        """Show another model, or another configuration of it."""

    def activate(self) -> None:
        """The page has come to the front: inspect what it shows, if needed."""

    def show_result(self, result: Any) -> None:
        """Show the result of an inspection of this page."""

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
