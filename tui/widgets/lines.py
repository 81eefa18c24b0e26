"""A few lines of text that do not scroll; only lines that changed are drawn again."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.strip import Strip

from tui.widgets.line_view import LineView


class Lines(LineView, can_focus=False):
    """One text per line; an ellipsis ends a line that is too long."""

    DEFAULT_CSS = """
    Lines { overflow: hidden hidden; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._lines: Sequence[Text] = ()

    def show(self, *lines: Text) -> None:
        self._lines = lines
        self.refresh_changes()

    def build_line(self, y: int) -> Strip:
        width = self.view.width
        if y >= len(self._lines):
            return Strip.blank(width, self.base_style)
        return self.make_strip(self._lines[y], self.base_style, width)
