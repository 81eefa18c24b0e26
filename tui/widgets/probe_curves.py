"""P(positive) of the probe sentences over the steps of a run, as small curves beside the sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal

from core.formatting import percent, printable
from core.runs.state import RunState
from tui.throttle import CURVES_S, Throttle
from tui.widgets.chart import Chart, Series
from tui.widgets.curves import RUN_COLOURS
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    from core.runs.state import Curve

SIGNS = 12
"""About how many points of a curve carry its number, which tells the curves apart without colour."""


class ProbeCurves(Horizontal):
    """One curve per sentence, whose number stands on the curve and before the sentence."""

    DEFAULT_CSS = """
    ProbeCurves { height: 25%; min-height: 8; max-height: 14; }
    ProbeCurves > #probe-sentences { width: 50%; height: 100%; padding: 1 1 0 2; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._state: RunState | None = None
        self._throttle = Throttle(self, self._draw, CURVES_S)

    def compose(self) -> ComposeResult:
        yield Chart("probe sentences", percent=True, limits=(0.0, 1.0), id="probe-chart")
        yield Lines(id="probe-sentences")

    def show(self, state: RunState, *, paced: bool = False) -> None:
        """Draw the probes of a run; with ``paced``, at most once a second, as only points are new."""
        self._state = state
        self._throttle.ask(wait=paced)

    def _draw(self) -> None:
        state = self._state
        if state is None or not self.app.is_running:
            return
        series: list[Series] = []
        lines = [Text("P(positive)", style="dim")]
        for number, (sentence, curve) in enumerate(zip(state.probe_sentences, state.probes, strict=True)):
            sign, colour = str(number + 1), f"run-{number % RUN_COLOURS + 1}"
            series += _series(curve, sign, colour)
            last = percent(_probability(curve.last)) if curve.last is not None else "–"
            heading = (f"{sign} {last:>8}  ", self.app.theme_variables[colour])
            lines.append(Text.assemble(heading, printable(sentence)))
        self.query_one(Lines).show(*lines)
        self.query_one(Chart).show(series, x_end=max(state.total_steps, state.step), ticks=[])


def _series(curve: Curve, sign: str, colour: str) -> list[Series]:
    """The curve as a line, and its number on some of its points, always on the last."""
    import numpy as np

    steps, logits = np.array(curve.steps), np.array(curve.values)
    values = np.exp(-np.logaddexp(0.0, -logits))
    chosen = np.arange(len(steps) - 1, -1, -max(1, len(steps) // SIGNS))[::-1]
    return [Series(sign, steps, values, colour), Series(sign, steps[chosen], values[chosen], colour, mark=sign)]


def _probability(logit: float) -> float:
    return 1.0 / (1.0 + math.exp(-logit)) if logit > -700 else 0.0
