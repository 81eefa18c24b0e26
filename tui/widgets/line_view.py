"""A scrolling view that builds the lines one sees, once, and has only those drawn again that are different."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import NamedTuple

from rich.segment import Segment
from rich.style import Style
from rich.text import Text
from textual.geometry import Region, Size, Spacing
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from tui.textual_private.scroll_bar import SparingScrollBar

MOST_KEPT = 500


class KeptStrips:
    """Strips by the very object that each was made of, and by how."""

    def __init__(self) -> None:
        self._strips: dict[tuple[int, tuple[Hashable, ...]], tuple[object, Strip]] = {}

    def get(self, source: object, how: tuple[Hashable, ...], make: Callable[..., Strip]) -> Strip:
        """What ``make(source, *how)`` gave before, or gives now."""
        known = self._strips.get((id(source), how))
        if known is not None and known[0] is source:  # which lives on here, so that its id is no other's
            return known[1]
        if len(self._strips) > MOST_KEPT:
            self._strips.clear()
        strip = make(source, *how)
        self._strips[id(source), how] = source, strip
        return strip

    def clear(self) -> None:
        self._strips.clear()


class View(NamedTuple):
    """The part of the content that one sees: from a cell of its line ``top`` on, so many cells wide and lines high."""

    left: int
    top: int
    width: int
    height: int


class LineView(ScrollView):
    """Subclasses give :meth:`build_line` and call :meth:`refresh_changes` when what they show has changed."""

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._built: dict[int, Strip] = {}
        self._padded = KeptStrips()
        self._base: Style | None = None
        self.view = View(0, 0, 0, 0)

    @property
    def vertical_scrollbar(self) -> ScrollBar:
        """As Textual's own, and made when it is first asked for."""
        if self._vertical_scrollbar is None:
            self._vertical_scrollbar = SparingScrollBar(self.scrollbar_size_vertical)
            self._vertical_scrollbar.display = False
            self.app._start_widget(self, self._vertical_scrollbar)
        return self._vertical_scrollbar

    @property
    def base_style(self) -> Style:
        """What every line stands on; worked out once for each change of styles."""
        if self._base is None:
            self._base = self.rich_style
        return self._base

    def resize_content(self, width: int, height: int) -> None:
        """Sets the size of the whole content; the screen is laid out anew only where a scrollbar comes or goes."""
        size, room = Size(width, height), self.scrollable_content_region.height
        if size == self.virtual_size:
            return
        if not room or width != self.virtual_size.width or (height > room) != (self.virtual_size.height > room):
            self.virtual_size = size
            return
        self.set_reactive(LineView.virtual_size, size)
        if self.show_vertical_scrollbar:
            self.vertical_scrollbar.window_virtual_size = height

    def watch_show_vertical_scrollbar(self, shown: bool) -> None:
        """A bar that was away has not followed what was scrolled meanwhile."""
        if shown:
            self.vertical_scrollbar.position = self.scroll_y

    def build_line(self, y: int) -> Strip:
        """The line ``y`` cells below the top of ``self.view``, and as wide."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        self._look()
        return self._line(y)

    def _line(self, y: int) -> Strip:
        if y not in self._built:
            self._built[y] = self.build_line(y)
        return self._built[y]

    def render_lines(self, crop: Region) -> list[Strip]:
        """The same strips as Textual's own, which makes them anew wherever a line comes to stand: here once."""
        if not self._is_plain():
            return super().render_lines(crop)
        under, background = self.background_colors
        blank = Style.from_color(bgcolor=(under + background).rich_color)
        size, padding, filters = self.content_region.size, self.styles.padding, self.get_line_filters()
        strips = []
        self._look()
        for y in crop.line_range:
            line = self._line(y) if y < size.height else Strip.blank(size.width, blank)
            strip = self._padded.get(line, (size.width, padding, blank), _padded)
            for line_filter in filters:
                strip = strip.apply_filter(line_filter, background)
            strips.append(strip)
        if crop.column_span != (0, self.region.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _is_plain(self) -> bool:
        """Whether lines have padding at their sides and nothing else around or over them."""
        styles = self.styles
        around = styles.gutter != styles.padding or any(edge for edge, _ in styles.outline)
        over = styles.tint.a or self.opacity != 1 or styles.text_opacity != 1
        return not (around or over or styles.padding.top or styles.padding.bottom)

    def make_strip(self, text: Text, style: Style, width: int, over: Style | None = None) -> Strip:
        """A line of ``text`` in so many cells, cut with an ellipsis; ``over`` lies over all of it."""
        text = text.copy()
        text.no_wrap = True
        text.truncate(width, overflow="ellipsis")
        console = self.app.console
        style += console.get_style(text.style)  # which rich leaves out where there is no other
        segments = list(Segment.apply_style(text.render(console, end=""), style, over))
        under = style if over is None else style + over
        return Strip(segments).adjust_cell_length(width, under)

    def refresh_changes(self) -> None:
        """Builds the lines in sight and has those drawn that are not what they were."""
        if self._look() or not self._built:
            self._built.clear()
            self.refresh(Region(0, 0, self.view.width, self.view.height))  # and not the scrollbar
            return
        built = {y: self.build_line(y) for y in range(self.view.height)}
        changed = [y for y, strip in built.items() if y not in self._built or strip != self._built[y]]
        self._built = built
        if changed:
            self.refresh(*(Region(0, y, self.view.width, 1) for y in changed))

    def _look(self) -> bool:
        """Whether another part is seen than the last time; what was built is then forgotten."""
        offset, room = self.scroll_offset, self.scrollable_content_region
        view = View(offset.x, offset.y, room.width, room.height)
        if view == self.view:
            return False
        self.view = view
        self._built.clear()
        return True

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._base = None
        self._built.clear()
        self._padded.clear()


def _padded(line: Strip, width: int, padding: Spacing, blank: Style) -> Strip:
    left, right = Segment(" " * padding.left, blank), Segment(" " * padding.right, blank)
    segments = [left, *line.adjust_cell_length(width, blank), right]
    return Strip([segment for segment in segments if segment.text])
