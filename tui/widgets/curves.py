"""The curves of loss and accuracy side by side, of one run or of several in the same charts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from core.formatting import percent
from core.runs.state import RunState
from tui.throttle import CURVES_S, Throttle
from tui.widgets.chart import Chart, Series
from tui.widgets.lines import Lines

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from tui.widgets.decimation import RunningMean

KINDS = ("loss", "accuracy")
TRAIN_COLOUR, VALIDATION_COLOUR = "train-curve", "validation-curve"
RUN_COLOURS = 6
"""How many runs have a colour of their own: the theme's run-1 to run-6."""
MARKS = {
    "checkpoint": ("▪", "saved"),
    "pause": ("‖", "pause"),
    "start": ("↻", "resumed"),
    "add_epochs": ("+", "epochs added"),
    "learning_rate": ("λ", "rate changed"),
}
"""The sign under the axis and its text in the legend, by the kind of :class:`core.runs.state.Mark`."""


class RunCurves(Vertical):
    """Two charts and a legend. One run shows training and validation, several show validation over training."""

    DEFAULT_CSS = """
    RunCurves { height: 1fr; }
    RunCurves > Horizontal { height: 1fr; }
    RunCurves > Lines { height: 1; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._means: dict[tuple[int, str], tuple[RunState, RunningMean]] = {}
        """By the id of a state and the kind of curve; the state is stored too, so that its id is not reused."""
        self._runs: Sequence[tuple[str, RunState]] = ()
        self._throttle = Throttle(self, self._draw, CURVES_S)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Chart("loss")
            yield Chart("accuracy", percent=True)
        yield Lines(id="legend")

    def show(self, runs: Sequence[tuple[str, RunState]], *, paced: bool = False) -> None:
        """Draw the curves of (name, state) pairs; with ``paced``, at most once a second, as only points are new."""
        self._runs = runs
        self._show_legend()
        self._throttle.ask(wait=paced)

    def _show_legend(self) -> None:
        legend = Text()
        room = self.app.size.width - 6
        for number, (name, _) in enumerate(self._runs if len(self._runs) > 1 else ()):
            legend.append(f"━{_sign(number)} {name}   ", style=self._style(_run_colour(number)))
        if len(self._runs) == 1:
            state = self._runs[0][1]
            legend.append("━ train ", style=self._style(TRAIN_COLOUR))
            legend.append(_latest(state, "train"))
            legend.append("    ● validation ", style=self._style(VALIDATION_COLOUR))
            legend.append(_latest(state, "val"))
            texts = [f"{sign} {text}" for sign, text in MARKS.values() if sign in {each for _, each in _marks(state)}]
            if len(state.curves["train/loss"].steps) > self.app.size.width:
                texts.insert(0, "· lowest and highest")  # of the points that share a column
            for each in texts:
                if legend.cell_len + len(each) < room:
                    legend.append(f"   {each}", style="dim")
        self.query_one(Lines).show(legend)

    def _draw(self) -> None:
        if not self.app.is_running:  # the charts are taken down one by one
            return
        runs = self._runs
        last = max((max(state.total_steps, state.step) for _, state in runs), default=1)
        ticks = _epoch_ticks(runs)
        marks = _marks(runs[0][1]) if len(runs) == 1 else []
        for kind, chart in zip(KINDS, self.query(Chart), strict=True):
            series: list[Series] = []
            for number, (_, state) in enumerate(runs):
                train, validation, mark = TRAIN_COLOUR, VALIDATION_COLOUR, "●"
                if len(runs) > 1:
                    train = validation = _run_colour(number)
                    mark = _sign(number)
                series.append(Series("train", *self._train_points(state, kind), train))
                curve = state.curves[f"val/{kind}"]
                series.append(Series("validation", tuple(curve.steps), tuple(curve.values), validation, mark=mark))
            chart.show(series, x_end=last, ticks=ticks, marks=marks)
        shown = {id(state) for _, state in runs}
        self._means = {key: known for key, known in self._means.items() if key[0] in shown}

    def _train_points(self, state: RunState, kind: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        from tui.widgets.decimation import RunningMean  # numpy, which the first frame does not need

        if (key := (id(state), kind)) not in self._means:
            self._means[key] = state, RunningMean(state.curves[f"train/{kind}"])
        return self._means[key][1].points()

    def _style(self, variable: str) -> str:
        return self.app.theme_variables[variable]


def _run_colour(number: int) -> str:
    return f"run-{number % RUN_COLOURS + 1}"


def _sign(number: int) -> str:
    """The last digit of a run's number, which distinguishes runs without colour too."""
    return str(number + 1)[-1]


def _marks(state: RunState) -> list[tuple[int, str]]:
    """Steps and signs of the run's marks; of several in one column the last is drawn, so important kinds come last."""
    order = list(MARKS)
    known = [mark for mark in state.marks if mark.kind in MARKS]
    return [(mark.step, MARKS[mark.kind][0]) for mark in sorted(known, key=lambda mark: order.index(mark.kind))]


def _latest(state: RunState, kind: str) -> str:
    loss, accuracy = state.curves[f"{kind}/loss"].last, state.curves[f"{kind}/accuracy"].last
    if loss is None or accuracy is None:
        return "–"
    return f"loss {loss:.3f}  acc {percent(accuracy)}"


def _epoch_ticks(runs: Sequence[tuple[str, RunState]]) -> list[tuple[int, str]]:
    """The end of each epoch of the longest run."""
    longest = max((state for _, state in runs), key=lambda state: state.total_steps, default=None)
    if longest is None or longest.started is None:
        return []
    size = longest.started.steps_per_epoch
    return [(n * size, f"epoch {n}" if n == 1 else str(n)) for n in range(1, longest.num_epochs + 1)]
