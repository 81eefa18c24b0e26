"""One run: its status, numbers, curves, epochs and log. Live runs and runs that have ended are drawn the same way."""

from __future__ import annotations

import math

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static

from core.config.schema import field_names, format_value
from core.errors import InputError
from core.formatting import clock, duration, percent, printable
from core.runs.directory import Run
from core.runs.events import EpochFinished
from core.runs.state import RunState
from core.runs.status import LIVE
from core.runs.summary import difference_rows, progress_text, skipped_text, status_label
from core.sources.origin import Origin
from tui.widgets.curves import RunCurves
from tui.widgets.lines import Lines
from tui.widgets.probe_curves import ProbeCurves

BAR_CELLS = 32
ROOM_FOR_PROBES = (100, 34)
"""The width and height from which the curves of the probe sentences are shown."""


class RunView(Vertical):
    """Draws the state that it is given, wherever that comes from."""

    DEFAULT_CSS = """
    RunView { height: 1fr; }
    """

    _state: RunState | None = None
    _note = ""
    _below: tuple[list[EpochFinished], list[tuple[float, str]]] | None = None
    """The epochs and the log lines that were drawn last."""
    _beside: tuple[str, str, int, int] | None = None
    """Run, status and numbers of epochs and marks when the curves were drawn last."""

    def compose(self) -> ComposeResult:
        yield Lines(id="train-status")
        yield Lines(id="train-numbers")
        yield RunCurves()
        yield ProbeCurves()
        with Horizontal(id="train-foot"):
            yield Static(id="train-epochs", markup=False)
            yield Static(id="train-log", markup=False)

    def show(self, state: RunState, *, note: str = "") -> None:
        """Draw the run, with ``note`` beside its status."""
        self._state, self._note = state, note
        self.query_one("#train-numbers", Lines).show(self._numbers(state))
        # More points alone can wait; anything else is drawn at once.
        beside = state.run, state.status, len(state.epochs), len(state.marks)
        paced = state.status in LIVE and beside == self._beside
        self.query_one(RunCurves).show([(state.run, state)], paced=paced)
        if any(curve.steps for curve in state.probes):
            self.query_one(ProbeCurves).show(state, paced=paced)
        self._beside = beside
        self.on_resize()

    def on_resize(self) -> None:
        """Draw the status, a progress bar if there is room, and as many of the newest epochs and log lines as fit."""
        state = self._state
        if state is None:
            return
        probes = self.query_one(ProbeCurves)
        has_room = self.size.width >= ROOM_FOR_PROBES[0] and self.size.height >= ROOM_FOR_PROBES[1]
        if probes.display != (shown := has_room and any(curve.steps for curve in state.probes)):
            probes.display = shown
        status, bar = self._status(state), Text()
        if state.total_steps and self.size.width >= 120:
            bar = self._bar(state.step / state.total_steps)
        status.truncate(self.size.width - 2 - bar.cell_len, overflow="ellipsis", pad=True)
        self.query_one("#train-status", Lines).show(status.append_text(bar))
        lines = max(self.query_one("#train-foot").size.height, 3)
        below = state.epochs[-(lines - 1) :], state.log[-lines:]
        if below != self._below:  # most steps change neither
            self._below = below
            self.query_one("#train-epochs", Static).update(epoch_table(state, rows=lines - 1))
            self.query_one("#train-log", Static).update(_log(state, lines))

    def _status(self, state: RunState) -> Text:
        line = Text()
        line.append(f"{printable(state.preset)} {status_label(state.status)}", style="bold")
        if self._note:
            line.append(f" · {printable(self._note)}")
        if state.skipped_lines:
            line.append(f" · {skipped_text(state.skipped_lines)}", style=self.app.theme_variables["warning"])
        if state.status in LIVE:
            line.append(f"  {printable(progress_text(state))}")
        elif state.status == "interrupted" and state.finished is None:
            line.append(f"  at step {state.step}: the process that wrote it is gone  {duration(state.elapsed)}")
        elif state.finished is not None:
            where = "" if state.status == "completed" else f"  after step {state.step} of {state.total_steps}"
            why = printable(state.finished.error or state.finished.reason)
            line.append(f"{where}  {why}  {duration(state.elapsed)}")
        return line

    def _bar(self, share: float) -> Text:
        """The share of the run that is done, as a bar of half cells and in percent."""
        colours = self.app.theme_variables
        full, half = divmod(round(2 * BAR_CELLS * share), 2)
        done, rest = "━" * full + "╸" * half, "━" * (BAR_CELLS - full - half)
        colour = colours["primary" if share < 1 else "success"]
        return Text.assemble(" ", (done, colour), (rest, colours["panel"]), f" {math.floor(100 * share):>3}%")

    def _numbers(self, state: RunState) -> Text:
        """Whether saving fails, speed, learning rate, origins of weights and reviews, and device."""
        text = Text()
        if state.saving_fails_since is not None:
            since = f"✗ Saving has failed since {clock(state.saving_fails_since)} "
            text.append(since, style=f"bold {self.app.theme_variables['error']}")
        if state.started is None:
            return text
        lr = state.curves["lr"].last
        parts = [f"lr {lr:.1e}" if lr is not None else "lr –"]
        if state.finished is not None:
            parts.insert(0, f"{state.finished.samples_per_second:.1f} samples/s")
        if state.started.world_size > 1:
            parts.append(f"{state.started.world_size} processes")
        for thing in ("weights", "reviews"):
            origin = state.started.origins.get(thing, {})
            if origin:
                parts.append(f"{thing} {Origin(origin['kind'], origin['name']).describe()}")
        parts.append(f"{state.started.device} {state.started.dtype} ({state.started.dtype_reason})")
        text.append(printable(" · ".join(parts)))
        return text


def epoch_table(state: RunState, *, rows: int) -> Table:
    """The newest epochs, one row each."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for heading in ("epoch", "train loss", "acc", "val loss", "acc", "time"):
        table.add_column(heading, justify="right", no_wrap=True)
    for epoch in state.epochs[-rows:]:
        table.add_row(
            str(epoch.epoch),
            f"{epoch.train_loss:.3f}",
            percent(epoch.train_accuracy),
            f"{epoch.val_loss:.3f}",
            percent(epoch.val_accuracy),
            duration(epoch.seconds),
        )
    if not state.epochs:
        table.add_row("1", "…", "…", "…", "…", "…")
    return table


def _log(state: RunState, lines: int) -> Text:
    text = Text(overflow="ellipsis", no_wrap=True)
    for moment, message in state.log[-lines:]:
        text.append(f"{clock(moment)} ", style="dim")
        text.append(f"{printable(message)}\n")
    return text


def differences_table(runs: list[Run]) -> Table | Text:
    """The fields in which the configurations of ``runs`` differ, one column per run."""
    try:
        rows = difference_rows(runs)
    except InputError as error:
        return Text(f"✗ {printable(str(error))}")
    if not rows:
        return Text("their configurations are the same")
    table = Table(box=None, pad_edge=False)
    table.add_column("field", no_wrap=True)
    for number, run in enumerate(runs, start=1):
        table.add_column(Text(f"{number} {printable(run.name[16:] or run.name)}"), overflow="ellipsis")
    for name, values in rows:
        table.add_row(name, *(Text(printable(value)) for value in values))
    return table


def configuration_table(run: Run) -> Table | Text:
    """All fields of a run's configuration."""
    try:
        config = run.config()
    except InputError as error:
        return Text(f"✗ {printable(str(error))}")
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name in field_names():
        table.add_row(name, Text(printable(format_value(config.get(name)))))
    return table
