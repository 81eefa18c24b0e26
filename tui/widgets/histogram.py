"""A histogram drawn by plotext."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual.app import RenderResult
from textual.color import Color
from textual.widget import Widget


class Histogram(Widget):
    """Bars over values; plotext is imported when the first one is drawn."""

    DEFAULT_CSS = """
    Histogram { width: 1fr; height: 1fr; }
    """

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._edges: list[float] = []
        self._bins: list[int] = []
        self._figure: Any = None

    def show(self, edges: list[float], bins: list[int]) -> None:
        """``edges`` has one more than ``bins``; no bins draw nothing."""
        self._edges, self._bins = edges, bins
        self.refresh()

    def render(self) -> RenderResult:
        width, height = self.size.width, self.size.height
        if not self._bins or width < 16 or height < 4:
            return Text("")
        if self._figure is None:
            from textual_plotext.plot import Plot

            self._figure = Plot()
        figure = self._figure
        figure.clear_figure()
        figure.theme("clear")
        figure.plotsize(width, height)
        middles = [(low + high) / 2 for low, high in zip(self._edges, self._edges[1:], strict=False)]
        colour = "default" if self.app.no_color else Color.parse(self.app.theme_variables["train-curve"]).rgb
        figure.bar(middles, self._bins, width=1, color=colour)
        low, high = self._edges[0], self._edges[-1]
        places = [low + (high - low) * i / 4 for i in range(5)]
        figure.xlim(low, high)
        figure.xticks(places, [f"{place:.2g}" for place in places])
        figure.ylim(0, max(self._bins))
        figure.yticks([0, max(self._bins)], ["0", f"{max(self._bins):,}"])
        return Text.from_ansi(figure.build(), no_wrap=True)
