"""Loss and accuracy beside each other, for one run or for several over one another."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from core.formatting import percent
from core.runs.state import RunState
from tui.throttle import Paced
from tui.widgets.chart import Chart, Series
from tui.widgets.envelope import Envelope
from tui.widgets.lines import Lines

KINDS = ("loss", "accuracy")
TRAIN_COLOUR, VALIDATION_COLOUR = "train-curve", "validation-curve"
RUN_COLOURS = 6
"""How many runs over one another have a colour of their own: the theme's run-1 to run-6."""
SHARE = 0.0025
"""Of the time of a run that goes on, what drawing its curves may take: a processor draws them or trains."""

MARKS = {
    "checkpoint": ("▪", "saved"),
    "pause": ("‖", "pause"),
    "start": ("↻", "went on"),
    "add_epochs": ("+", "epochs added"),
    "learning_rate": ("λ", "rate changed"),
}
"""What stands under the axis, by the kind of :class:`core.runs.state.Mark`."""


class RunCurves(Vertical):
    """Two charts and a legend. One run shows training and validation, several show validation over training."""

    DEFAULT_CSS = """
    RunCurves { height: 1fr; }
    RunCurves > Horizontal { height: 1fr; }
    RunCurves > Lines { height: 1; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._envelopes: dict[tuple[int, str, int], tuple[RunState, Envelope]] = {}
        """Beside each the state it follows, which keeps the key from being another's."""
        self._runs: Sequence[tuple[str, RunState]] = ()
        self._behind = False
        """Whether a curve has more points than its envelope has taken in."""
        self._drawing = Paced(self, self._draw, pause=lambda: sum(chart.cost for chart in self.query(Chart)) / SHARE)

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Chart("loss")
            yield Chart("accuracy", percent=True)
        yield Lines(id="legend")

    def show(self, runs: Sequence[tuple[str, RunState]], *, paced: bool = False) -> None:
        """Draws the curves of (name, state) pairs; ``paced`` where only points are new, which can wait a moment."""
        self._runs = runs
        self._show_legend()
        self._drawing.ask(wait=paced)

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
            words = [f"{sign} {words}" for sign, words in MARKS.values() if sign in {each for _, each in _marks(state)}]
            if len(state.curves["train/loss"].steps) > self.app.size.width:
                words.insert(0, "· lowest and highest")  # where the chart has more points than columns
            for each in words:
                if legend.cell_len + len(each) < room:
                    legend.append(f"   {each}", style="dim")
        self.query_one(Lines).show(legend)

    def _draw(self) -> None:
        if not self.app.is_running:  # the charts are taken down one by one
            return
        runs = self._runs
        self._behind = False
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
                steps, values, means = self._train_points(state, kind)
                series.append(Series("train", steps, values, train, means=means))
                curve = state.curves[f"val/{kind}"]
                series.append(Series("validation", tuple(curve.steps), tuple(curve.values), validation, mark=mark))
            chart.show(series, x_end=last, ticks=ticks, marks=marks)
        shown = {id(state) for _, state in runs}
        self._envelopes = {key: kept for key, kept in self._envelopes.items() if key[0] in shown}
        if self._behind:  # a long run that has just been opened: the rest after the keys that wait
            self.set_timer(0.001, self._catch_up)

    def _catch_up(self) -> None:
        """Some more points, and once they are all there the charts."""
        if not self._behind:  # something else has been shown meanwhile
            return
        self._behind = False
        for _, state in self._runs:
            for kind in KINDS:
                self._follow(state, kind)
        if self._behind:
            self.set_timer(0.001, self._catch_up)
        else:
            self._drawing.now()

    def _train_points(self, state: RunState, kind: str) -> tuple[list[int], list[float], list[float]]:
        """The mean of the last batches, because one batch of 16 alone says little; only new points cost anything."""
        return self._follow(state, kind).points()

    def _follow(self, state: RunState, kind: str) -> Envelope:
        curve = state.curves[f"train/{kind}"]
        envelope = self._envelopes.setdefault((id(state), kind, curve.rewinds), (state, Envelope()))[1]
        if not envelope.follow(curve.steps, curve.values):
            self._behind = True
        return envelope

    def _style(self, variable: str) -> str:
        return self.app.theme_variables[variable]


def _run_colour(number: int) -> str:
    return f"run-{number % RUN_COLOURS + 1}"


def _sign(number: int) -> str:
    """The digit of one of several runs, by which they are told apart without colour too."""
    return str(number + 1)[-1]


def _marks(state: RunState) -> list[tuple[int, str]]:
    """What happened to the run, the more telling after the less, so that it is seen where both fall together."""
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
