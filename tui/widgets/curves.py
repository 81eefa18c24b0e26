"""Loss and accuracy beside each other, for one run or for several over one another."""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from core.report import percent
from core.state import RunState
from tui.widgets.chart import Chart, Series
from tui.widgets.envelope import Envelope

TRAIN_COLOUR, VALIDATION_COLOUR = "train-curve", "validation-curve"
RUN_COLOURS = 6
"""How many runs over one another have a colour of their own: the theme's run-1 to run-6."""


MARKS = {
    "checkpoint": ("▪", "saved"),
    "pause": ("‖", "pause"),
    "start": ("↻", "went on"),
    "prolong": ("+", "prolonged"),
    "learning_rate": ("λ", "rate changed"),
}
"""What stands under the axis, by the kind of :class:`core.state.Mark`."""


class RunCurves(Vertical):
    """Two charts and a legend. One run shows training and validation, several show validation over training."""

    DEFAULT_CSS = """
    RunCurves { height: 1fr; }
    RunCurves > Horizontal { height: 1fr; }
    RunCurves > .legend { height: 1; padding: 0 1; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._envelopes: dict[tuple[int, str, int], tuple[RunState, Envelope]] = {}
        """Beside each the state it follows, which keeps the key from being another's."""
        self._runs: Sequence[tuple[str, RunState]] = ()
        self._behind = False
        """Whether a curve has more points than its envelope has taken in."""

    def compose(self) -> ComposeResult:
        with Horizontal():
            yield Chart("loss")
            yield Chart("accuracy", percent=True)
        yield Static(classes="legend")

    def show(self, runs: Sequence[tuple[str, RunState]]) -> None:
        """Draws the curves of (name, state) pairs."""
        self._behind = False
        last = max((max(state.total_steps, state.step) for _, state in runs), default=1)
        ticks = _epoch_ticks(runs)
        legend = Text(no_wrap=True, overflow="ellipsis")
        loss: list[Series] = []
        accuracy: list[Series] = []
        for number, (name, state) in enumerate(runs):
            train, validation, mark = TRAIN_COLOUR, VALIDATION_COLOUR, "●"
            if len(runs) > 1:
                mark = str(number + 1)[-1]  # runs are told apart without colour too
                train = validation = f"run-{number % RUN_COLOURS + 1}"
                legend.append(f"━{mark} {name}   ", style=self._style(train))
            for kind, into in (("loss", loss), ("accuracy", accuracy)):
                steps, values, means = self._train_points(state, kind)
                into.append(Series("train", steps, values, train, means=means))
                curve = state.curves[f"val/{kind}"]
                into.append(Series("validation", tuple(curve.steps), tuple(curve.values), validation, mark=mark))
        if len(runs) == 1:
            state = runs[0][1]
            legend.append("━ train ", style=self._style(TRAIN_COLOUR))
            legend.append(_latest(state, "train"))
            legend.append("    ● validation ", style=self._style(VALIDATION_COLOUR))
            legend.append(_latest(state, "val"))
            if len(loss[0].steps) > self.app.size.width and legend.cell_len + 24 < self.app.size.width:
                legend.append("   · lowest and highest", style="dim")  # where the chart has more points than columns
            marks = _marks(state)
            for sign, words in MARKS.values():
                if sign in {each for _, each in marks} and legend.cell_len + len(words) + 6 < self.app.size.width:
                    legend.append(f"   {sign} {words}", style="dim")
        else:
            marks = []
        charts = list(self.query(Chart))
        charts[0].show(loss, x_end=last, ticks=ticks, marks=marks)
        charts[1].show(accuracy, x_end=last, ticks=ticks, marks=marks)
        self.query_one(".legend", Static).update(legend)
        shown = {id(state) for _, state in runs}
        self._envelopes = {key: kept for key, kept in self._envelopes.items() if key[0] in shown}
        self._runs = runs
        if self._behind:  # a long run that has just been opened: the rest after the keys that wait
            self.set_timer(0.001, self._catch_up)

    def _catch_up(self) -> None:
        """Some more points, and once they are all there the charts."""
        if not self._behind:  # something else has been shown meanwhile
            return
        self._behind = False
        for _, state in self._runs:
            for kind in ("loss", "accuracy"):
                self._follow(state, kind)
        if self._behind:
            self.set_timer(0.001, self._catch_up)
        else:
            self.show(self._runs)

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
