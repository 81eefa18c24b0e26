"""What a frame costs, kept to what is different in it.

Textual draws a part of the screen anew by asking every widget in the rectangle around all changes for all of its lines,
those behind it included. A letter typed at the top and a row at the bottom then cost as much as the whole screen. Here
a widget is asked only where something has changed and nothing lies in front of it, and only for the lines it takes.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual._compositor import ChopsUpdate, Compositor
from textual.geometry import Region
from textual.screen import Screen
from textual.strip import Strip


class SparingCompositor(Compositor):
    """Draws the same cells as Textual's own, of which it overrides how widgets are chosen for a partial update."""

    def __init__(self) -> None:
        super().__init__()
        self._changed: list[Region] | None = None

    def render_partial_update(self) -> ChopsUpdate | None:
        self._changed = list(self._dirty_regions)
        try:
            return super().render_partial_update()
        finally:
            self._changed = None

    def _get_renders(self, crop: Region | None = None) -> Iterable[tuple[Region, Region, list[Strip]]]:
        """Where each widget is, to what it is clipped, and its strips from there on; front to back."""
        if self._changed is None:
            yield from super()._get_renders(crop)
            return
        pending = self._changed
        for widget, (region, clip) in self.visible_widgets.items():
            inside = region.intersection(clip)
            touched = [changed for changed in pending if inside.overlaps(changed)]
            if not touched:
                continue
            top = max(min(changed.y for changed in touched), inside.y)
            bottom = min(max(changed.bottom for changed in touched), inside.bottom)
            lines = Region(inside.x, top, inside.width, bottom - top)
            yield region, lines, widget.render_lines(lines.translate(-region.offset))
            # What this widget covers, no other one shows through.
            pending = [changed for changed in pending if not inside.contains_region(changed)]
            if not pending:
                return


class SparingScreen(Screen[None]):
    """A screen whose frames cost what is different in them."""

    def __init__(self) -> None:
        super().__init__(id="_default")
        self._compositor = SparingCompositor()
