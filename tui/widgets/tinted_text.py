"""A long text, wrapped and scrolled, with tinted spans and a rule where a model stopped reading."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.strip import Strip

from tui.widgets.cells import Layout
from tui.widgets.line_view import LineView

BOUNDS = (0.15, 0.4, 0.7)
"""Shares of the largest effect from which on a tint has level 1, 2 and 3."""
LEVELS = len(BOUNDS)
_BREAK = re.compile(r"<br\s*/?>")


class Tint(NamedTuple):
    """A span of the text; ``level`` is from -3 (strongly negative) to 3 (strongly positive)."""

    start: int
    end: int
    level: int


def level_of(effect: float, largest: float) -> int:
    """The level of a tint by its share of the largest effect, see ``BOUNDS``; smaller effects have level 0."""
    size = sum(abs(effect) >= bound * largest > 0 for bound in BOUNDS)
    return size if effect > 0 else -size


class TintedText(LineView, can_focus=True):
    """Positive spans are bold on green, negative ones underlined on red, stronger ones on a stronger colour.

    HTML line breaks, which reviews contain, are shown as line breaks; every index is one into the given text.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "tint--cut",
        *(f"tint--{sign}-{level}" for sign in ("plus", "minus") for level in range(1, LEVELS + 1)),
    }
    DEFAULT_CSS = """
    TintedText { background: $background; overflow-x: hidden; overflow-y: auto; padding: 0 1; }
    TintedText { scrollbar-gutter: stable; }
    TintedText:focus { background: $surface; }
    TintedText .tint--plus-1 { background: $success 20%; }
    TintedText .tint--plus-2 { background: $success 40%; text-style: bold; }
    TintedText .tint--plus-3 { background: $success 65%; text-style: bold; }
    TintedText .tint--minus-1 { background: $error 20%; }
    TintedText .tint--minus-2 { background: $error 40%; text-style: underline; }
    TintedText .tint--minus-3 { background: $error 65%; text-style: bold underline; }
    TintedText .tint--cut { color: $text-muted; text-style: dim; }
    """

    def __init__(self, *, id: str) -> None:
        super().__init__(id=id)
        self._text, self._cut, self._rule = "", 0, ""
        self._tints: Sequence[Tint] = ()
        self._starts: list[int] = []
        self._parts: tuple[Layout, Layout | None] = Layout("", 2), None

    def show(self, text: str, *, cut: int | None = None, rule: str = "") -> None:
        """Show another text from its start. What follows index ``cut`` is dim, below the line ``rule``."""
        self._text = _BREAK.sub(lambda found: " " * (len(found[0]) - 1) + "\n", text)
        self._cut = len(text) if cut is None else cut
        self._rule = rule
        self._tints, self._starts = (), []
        self._lay_out()
        self.scroll_to(y=0, animate=False, force=True, immediate=True)

    def tint(self, tints: Sequence[Tint]) -> None:
        """Tint spans of the text; they are sorted and do not overlap."""
        self._tints, self._starts = tints, [tint.start for tint in tints]
        self.refresh_changes()

    def mark_cut(self, cut: int | None, rule: str = "") -> None:
        """Set where the model stopped reading; the text stays."""
        cut = len(self._text) if cut is None else cut
        if (cut, rule) != (self._cut, self._rule):
            self._cut, self._rule = cut, rule
            self._lay_out()

    def on_resize(self) -> None:
        self._lay_out()

    def _lay_out(self) -> None:
        width = max(self.scrollable_content_region.width, 2)
        rest = Layout(self._text[self._cut :].lstrip(), width) if self._cut < len(self._text) else None
        self._parts = Layout(self._text[: self._cut], width), rest
        self.resize_content(width, len(self._parts[0]) + (1 + len(rest) if rest is not None else 0))
        self.refresh_changes()

    def build_line(self, y: int) -> Strip:
        base, width, line = self.base_style, self.view.width, y + self.view.top
        read, rest = self._parts
        if line < len(read):
            return self.make_strip(self._tinted(read, line), base, width)
        cut = base + self.get_component_rich_style("tint--cut", partial=True)
        if rest is None or line > len(read) + len(rest):
            return Strip.blank(width, base)
        if line == len(read):
            return self.make_strip(Text(f"── {self._rule} ".ljust(width, "─")), base, width)
        start, end = rest.span(line - len(read) - 1)
        return self.make_strip(Text(rest.shown[start:end].rstrip()), cut, width)

    def _tinted(self, layout: Layout, line: int) -> Text:
        start, end = layout.span(line)
        text = Text(layout.shown[start:end].rstrip())
        for tint in self._tints[max(bisect_right(self._starts, start) - 1, 0) :]:
            if tint.start >= end:
                break
            if tint.level and tint.end > start:
                sign = "plus" if tint.level > 0 else "minus"
                style = self.get_component_rich_style(f"tint--{sign}-{abs(tint.level)}")
                text.stylize(style, max(tint.start - start, 0), tint.end - start)
        return text
