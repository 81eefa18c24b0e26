"""A scrollbar that is rendered again only where one would see a difference."""

from __future__ import annotations

from typing import cast

from textual.geometry import Region
from textual.scrollbar import ScrollBar, ScrollBarRender
from textual.strip import Strip


class SparingScrollBar(ScrollBar):
    """A vertical one; Textual's own renders all its cells at each line that its content grows by."""

    def __init__(self, thickness: int) -> None:
        super().__init__(vertical=True, name="vertical", thickness=thickness)
        self._look: object = None
        self._strips: list[Strip] = []

    def render_lines(self, crop: Region) -> list[Strip]:
        bar = cast(ScrollBarRender, self.render())
        cells = bar.render_bar(self.size.height, bar.virtual_size, bar.window_size, bar.position).segments
        look = (self.size, bar.style, [*cells])
        if look != self._look:
            self._look, self._strips = look, super().render_lines(self.size.region)
        strips = self._strips[crop.y : crop.bottom]
        if crop.column_span != (0, self.size.width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._look = None
