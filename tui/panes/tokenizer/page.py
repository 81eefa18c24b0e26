"""The base class of the pages of the playground, and the formats that they share."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from core.formatting import printable
from tui.panes.tokenizer.state import Playground


class Page(Vertical):
    """A page of the playground. With ``needs_data``, the data set is read and measured for it."""

    needs_data = False
    playground: Playground | None = None

    def show(self, playground: Playground) -> None:
        """Draw a playground; called only while the page is in front."""
        self.playground = playground
        self.draw(playground)

    def show_stages(self, playground: Playground) -> None:
        """Draw the stages, which are ready later than the rest."""
        self.playground = playground

    def draw(self, playground: Playground) -> None:
        raise NotImplementedError

    def main_widget(self) -> Widget:
        """Return the widget that takes the focus."""
        raise NotImplementedError


def safe(text: str, style: str = "") -> Text:
    """Format a text from outside in one line, without control characters."""
    return Text(printable(text), style=style, no_wrap=True, overflow="ellipsis")


def cell(text: Text | str, width: int, *, right: bool = False) -> Text:
    """Format a column of a table: cut or filled to ``width`` cells, and a space after it."""
    filled = text.copy() if isinstance(text, Text) else Text(text)
    filled.truncate(width, overflow="ellipsis")
    gap = " " * (width - filled.cell_len)
    return Text.assemble(gap, filled, " ") if right else Text.assemble(filled, gap, " ")
