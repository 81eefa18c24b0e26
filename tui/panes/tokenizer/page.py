"""What every page of the playground has in common."""

from __future__ import annotations

from rich.text import Text
from textual.containers import Vertical
from textual.widget import Widget

from core.formatting import printable
from tui.panes.tokenizer.state import Playground


class Page(Vertical):
    """A page shows a playground when it is in front; ``needs_data`` says that it wants the data set measured."""

    needs_data = False
    playground: Playground | None = None

    def show(self, playground: Playground) -> None:
        """Takes a playground in and draws it."""
        self.playground = playground
        self.draw(playground)

    def show_stages(self, playground: Playground) -> None:
        """The stages have come after the rest; a page that shows none only keeps them."""
        self.playground = playground

    def draw(self, playground: Playground) -> None:
        raise NotImplementedError

    def main_widget(self) -> Widget:
        """What has the focus when no field has it."""
        raise NotImplementedError


def safe(text: str, style: str = "") -> Text:
    """Text from outside, in one line and without anything that a terminal obeys."""
    return Text(printable(text), style=style, no_wrap=True, overflow="ellipsis")


def cell(text: Text | str, width: int, *, right: bool = False) -> Text:
    """A column of a table: cut with an ellipsis or filled up to ``width`` cells, and a space after it."""
    filled = text.copy() if isinstance(text, Text) else Text(text)
    filled.truncate(width, overflow="ellipsis")
    gap = " " * (width - filled.cell_len)
    return Text.assemble(gap, filled, " ") if right else Text.assemble(filled, gap, " ")
