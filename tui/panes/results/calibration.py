"""Calibration: whether the probabilities can be believed, and how accurate the most confident predictions are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from rich.text import Text
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from core.formatting import percent
from tui.panes.results.errors import ErrorsPage
from tui.panes.results.page import Page, failed
from tui.widgets.chart import Chart, Series
from tui.widgets.rows import Rows
from tui.workers.inspection import Inspection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from core.analysis.calibration import ReliabilityBin
    from core.analysis.intervals import Interval
    from tui.panes.results.pane import ResultsPane

SCALE = 1000
"""Points of the x axes, which stand for 0 to 1."""
_TICKS = [(0, "0"), (SCALE // 4, "25"), (SCALE // 2, "50"), (3 * SCALE // 4, "75"), (SCALE, "100%")]


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What the page shows."""

    bins: list[ReliabilityBin]
    coverage: NDArray[Any]
    accuracy: NDArray[Any]
    ece: float
    confidence: float
    """Mean probability of the predicted label."""
    right: float
    """Share of right predictions."""
    interval: Interval
    """95 % interval of that share."""

    def sentence(self) -> str:
        """What the diagrams mean."""
        claim = f"The model gives its predictions {percent(self.confidence)} on average; {percent(self.right)} of them"
        low, high = (f"{100 * end:.1f}" for end in self.interval)
        if self.confidence > self.interval.high:
            verdict = "it is overconfident"
        elif self.confidence < self.interval.low:
            verdict = "it is underconfident"
        else:
            verdict = "no over- or underconfidence can be seen"
        half = self.accuracy[max(len(self.accuracy) // 2 - 1, 0)]
        return (
            f"{claim} are right (95 % interval {low} to {high}): {verdict}. Calibration error {self.ece:.3f}. "
            f"The most confident half is right in {percent(float(half))}."
        )


class BinRows(Rows):
    """The bins of the reliability diagram."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "select", "list its errors")]


class CalibrationPage(Page):
    """The reliability diagram and accuracy against coverage; below them the bins as numbers."""

    title = "Calibration"

    def __init__(self, pane: ResultsPane) -> None:
        super().__init__(pane)
        self._found: Calibrated | None = None

    def compose(self) -> ComposeResult:
        yield Static(id="calibration-sentence", markup=False)
        with Horizontal(id="calibration-charts"):
            yield Chart("positive, of those given P(positive)", percent=True, limits=(0.0, 1.0), id="reliability")
            yield Chart("accuracy on the most confident share", percent=True, id="coverage")
        yield BinRows(
            id="calibration-bins",
            header=Text(
                f"{'P(positive)':<14}{'reviews':>8}  {'mean P':>8}  {'positive':>8}  95 % interval", style="dim"
            ),
        )

    def main_widget(self) -> Rows:
        return self.query_one(Rows)

    def show_data(self) -> None:
        data = self.data

        def work(_: Inspection) -> Calibrated:
            import numpy as np

            from core.analysis.calibration import coverage_curve, reliability
            from core.analysis.intervals import wilson
            from core.analysis.metrics import metrics

            predictions = data.predictions()
            measured = metrics(predictions)
            probabilities = predictions.probabilities
            coverage, accuracy = coverage_curve(predictions)
            return Calibrated(
                reliability(predictions),
                coverage,
                accuracy,
                measured.ece,
                float(np.maximum(probabilities, 1 - probabilities).mean()),
                measured.accuracy,
                wilson(int(predictions.correct.sum()), len(predictions)),
            )

        self.query_one("#calibration-sentence", Static).update(Text("computing …", style="dim"))
        self.compute(work, self._show, libraries=False)

    def _show(self, found: Calibrated) -> None:
        import numpy as np

        self._found = found
        self.query_one("#calibration-sentence", Static).update(Text(found.sentence(), style="bold"))
        used = [one for one in found.bins if one.n]
        across = np.array([round(one.mean_probability * SCALE) for one in used], dtype=np.int64)
        shares = np.array([one.positive_share for one in used])
        diagonal = np.arange(0, SCALE + 1, SCALE // 50)
        ideal = Series("calibrated", diagonal, diagonal / SCALE, "run-3")
        points = Series("model", across, shares, "validation-curve", mark="●")
        self.query_one("#reliability", Chart).show([ideal, points], x_end=SCALE, ticks=_TICKS)
        start = min(max(len(found.coverage) // 20, 10), len(found.coverage)) - 1  # of fewer reviews it is noise
        curve = Series(
            "accuracy", np.rint(found.coverage[start:] * SCALE).astype(np.int64), found.accuracy[start:], "train-curve"
        )
        self.query_one("#coverage", Chart).show([curve], x_end=SCALE, ticks=_TICKS)
        self.main_widget().show_rows(len(found.bins), self._row)

    def _row(self, row: int) -> Text:
        assert self._found is not None
        one = self._found.bins[row]
        line = Text(f"{f'{100 * one.low:.0f} to {100 * one.high:.0f} %':<14}{one.n:>8,}  ")
        if one.interval is None:
            return line.append("–", style="dim")
        line.append(f"{percent(one.mean_probability):>8}  {percent(one.positive_share):>8}  ")
        sign = "" if one.interval.low <= one.mean_probability <= one.interval.high else "  differs"
        return line.append(f"{100 * one.interval.low:.1f} to {100 * one.interval.high:.1f}{sign}", style="dim")

    @on(Rows.Selected, "#calibration-bins")
    def _open(self) -> None:
        if self._found is None:
            return
        data, row = self.data, self.main_widget().row
        one = self._found.bins[row]

        def work(_: Inspection) -> Any:
            from core.analysis.calibration import bin_of

            predictions = data.predictions()
            return frozenset(predictions.ids[bin_of(predictions.probabilities) == row].tolist()), one

        self.compute(work, self._open_ids, libraries=False)

    def _open_ids(self, result: tuple[frozenset[int], ReliabilityBin]) -> None:
        ids, one = result

        async def show() -> None:
            page = await self.pane.show_page("Errors")
            assert isinstance(page, ErrorsPage)
            page.list_only(ids, f"P(positive) {100 * one.low:.0f} to {100 * one.high:.0f} %")

        self.call_next(show)

    def show_message(self, message: str) -> None:
        self.query_one("#calibration-sentence", Static).update(failed(message))
