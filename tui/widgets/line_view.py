"""A scrolling view that builds only the lines in view and redraws only the lines that changed."""

from __future__ import annotations

from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip


class View(NamedTuple):
    """The visible part of the content, in cells: its offset in the content and its size."""

    left: int
    top: int
    width: int
    height: int


class LineView(ScrollView):
    """A base class: subclasses implement :meth:`build_line` and call :meth:`refresh_changes` after a change."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._drawn: dict[int, Strip] = {}
        self._ready: dict[int, Strip] = {}
        """Lines that :meth:`refresh_changes` built and that are not drawn yet, for the view ``_ready_view``."""
        self._ready_view = View(0, 0, 0, 0)
        self._base: Style | None = None

    @property
    def view(self) -> View:
        offset, room = self.scroll_offset, self.scrollable_content_region
        return View(offset.x, offset.y, room.width, room.height)

    @property
    def base_style(self) -> Style:
        """The widget's own style, on which every line is drawn; computed once per change of styles."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base = None
        self._ready.clear()

    def resize_content(self, width: int, height: int) -> None:
        """Set the size of the whole content, in cells; the screen is laid out only where a scroll bar comes or goes."""
        size, room, before = Size(width, height), self.scrollable_content_region.height, self.virtual_size
        if not room or width != before.width or (height > room) != (before.height > room):
            self.virtual_size = size
        elif size != before:
            self.set_reactive(LineView.virtual_size, size)
            if self.show_vertical_scrollbar:
                self.vertical_scrollbar.window_virtual_size = height

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """Set the position of a scroll bar that appears, because a hidden one does not follow the content."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def build_line(self, y: int) -> Strip:
        """Build line ``y`` of the view, as wide as the view."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        ready = self._ready.pop(y, None) if self._ready_view == self.view else None
        strip = self._drawn[y] = ready if ready is not None else self.build_line(y)
        return strip

    def refresh_changes(self) -> None:
        """Redraw the lines in view that changed since they were drawn; all lines while the widget is hidden."""
        view = self.view
        if not view.height:  # it has no lines to compare, but what it drew before would be shown again
            self.refresh()
            return
        self._ready, self._ready_view = {y: self.build_line(y) for y in range(view.height)}, view
        changed = [y for y, strip in self._ready.items() if strip != self._drawn.get(y)]
        if changed:
            self.refresh(*(Region(0, y, view.width, 1) for y in changed))

    def make_strip(self, text: Text, style: Style, width: int, over: Style | None = None) -> Strip:
        """Return ``text`` as a line of ``width`` cells, cut with an ellipsis; ``over`` then styles the whole line."""
        text = text.copy()
        text.no_wrap = True
        text.truncate(width, overflow="ellipsis")
        console = self.app.console
        style += console.get_style(text.style)  # rich skips this style where the text has no spans
        segments = list(Segment.apply_style(text.render(console, end=""), style, over))
        return Strip(segments).adjust_cell_length(width, style if over is None else style + over)
