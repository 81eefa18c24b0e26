"""A plotext figure that may be larger than the terminal was when plotext was imported.

Private name: ``_limit_size`` of figures (plotext 5.3.2, through textual-plotext 1.0.1). Without it a chart is cut at
the size of the terminal at the import, so that it does not fill a window that grew. It ends with a public
``limit_size`` of figures: ``plotext.limit_size`` is for the global figure only.
"""

from __future__ import annotations

from typing import Any

from textual_plotext.plot import Plot


def new_figure(width: int, height: int) -> Any:
    """Return an empty figure of this size in cells, in the colours of the widget."""
    figure: Any = Plot()
    figure.theme("clear")
    figure._limit_size(False, False)
    figure.plotsize(width, height)
    return figure
