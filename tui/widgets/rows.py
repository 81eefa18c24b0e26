"""A list or table of any length that builds only the lines in view."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.strip import Strip

from tui.widgets.line_view import LineView

Render = Callable[[int], Text]
"""Returns the text of a row, given its number."""


class Rows(LineView, can_focus=True):
    """Rows of text with a cursor. The header stays in place while the rows scroll."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {"rows--header", "rows--cursor", "rows--empty"}
    DEFAULT_CSS = """
    Rows { background: $background; overflow-x: hidden; overflow-y: auto; padding: 0 1; }
    Rows .rows--header { color: $foreground-muted; text-style: bold; }
    Rows .rows--cursor { background: $panel; text-style: bold; }
    Rows:focus .rows--cursor { background: $primary-muted; text-style: bold; }
    Rows .rows--empty { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "", show=False),
        Binding("pagedown", "page(1)", "", show=False),
        Binding("home,ctrl+home", "go(0)", "", show=False),
        Binding("end,ctrl+end", "go(-1)", "", show=False),
        Binding("enter", "select", "", show=False),
    ]

    class Highlighted(Message):
        """The cursor moved to another row."""

        def __init__(self, rows: Rows, row: int) -> None:
            super().__init__()
            self.rows, self.row = rows, row

        @property
        def control(self) -> Rows:
            return self.rows

    class Selected(Highlighted):
        """Enter was pressed, or the row under the cursor was clicked."""

    def __init__(self, *, id: str, header: Text | None = None, empty: str = "") -> None:
        super().__init__(id=id)
        self._count, self._row = 0, 0
        self._build: Render = lambda _: Text()
        self._header, self._empty = header, empty

    @property
    def row(self) -> int:
        """The row under the cursor; 0 if there are no rows."""
        return self._row

    @property
    def count(self) -> int:
        return self._count

    def show_rows(
        self,
        count: int,
        render: Render,
        *,
        row: int | None = None,
        header: Text | None = None,
        empty: str | None = None,
    ) -> None:
        """Show ``count`` rows, each with the text that ``render`` returns for its number.

        The cursor moves to ``row``; without one it stays on its row, or on the last one if there are fewer rows.
        ``empty`` is shown if there are no rows.
        """
        self._count, self._build = count, render
        self._header = header or self._header
        self._empty = self._empty if empty is None else empty
        self._row = max(min(self._row if row is None else row, count - 1), 0)
        self._resize_content()
        self.refresh_changes()

    def go_to(self, row: int, *, post: bool = True) -> None:
        """Move the cursor to a row and scroll it into view; post :class:`Highlighted` unless ``post`` is false."""
        row = max(min(row, self._count - 1), 0)
        moved = row != self._row
        self._row = row
        self._show_cursor()
        if moved:
            self.refresh_changes()
            if post:
                self.post_message(self.Highlighted(self, row))

    def _top(self) -> int:
        return 0 if self._header is None else 1

    def _resize_content(self) -> None:
        self.resize_content(self.scrollable_content_region.width, self._count + self._top())
        self._show_cursor()

    def _show_cursor(self) -> None:
        """Scroll the row of the cursor into view, below the header, which covers the first line."""
        height = self.scrollable_content_region.height
        top = round(self.scroll_y)
        if self._row < top:
            self.scroll_to(y=self._row, animate=False, force=True, immediate=True)
        elif height and self._row + self._top() >= top + height:
            self.scroll_to(y=self._row + self._top() - height + 1, animate=False, force=True, immediate=True)

    def on_resize(self) -> None:
        self._resize_content()

    def build_line(self, y: int) -> Strip:
        base, width = self.base_style, self.view.width
        if self._header is not None and y == 0:
            header = base + self.get_component_rich_style("rows--header", partial=True)
            return self.make_strip(self._header, header, width)
        row = y - self._top() + self.view.top
        if row == 0 and not self._count:
            empty = base + self.get_component_rich_style("rows--empty", partial=True)
            return self.make_strip(Text(self._empty), empty, width)
        if row >= self._count:
            return Strip.blank(width, base)
        cursor = self.get_component_rich_style("rows--cursor", partial=True) if row == self._row else None
        return self.make_strip(self._build(row), base, width, cursor)

    # Keys and mouse

    def action_move(self, step: int) -> None:
        self.go_to(self._row + step)

    def action_page(self, direction: int) -> None:
        self.go_to(self._row + direction * max(self.scrollable_content_region.height - self._top() - 1, 1))

    def action_go(self, row: int) -> None:
        self.go_to(self._count - 1 if row < 0 else row)

    def action_select(self) -> None:
        if self._count:
            self.post_message(self.Selected(self, self._row))

    def on_click(self, event: events.Click) -> None:
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self._top():
            return
        row = offset.y - self._top() + self.scroll_offset.y
        if row < self._count:
            chosen = row == self._row
            self.go_to(row)
            if chosen:
                self.action_select()
