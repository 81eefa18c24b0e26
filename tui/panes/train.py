"""The live training view: status, curves, epochs, log."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import ProgressBar, Static

from core.config import RunConfig, field_types, format_value
from core.events import LIVE, RunState
from core.report import clock, duration, percent, printable, progress_words, status_words
from core.sources import Origin
from tui.messages import PlanReady
from tui.screens.confirm import Ask
from tui.screens.text import TextScreen
from tui.widgets.curves import RunCurves

if TYPE_CHECKING:
    from tui.app import ImdbTui


class TrainPane(Vertical, can_focus=True):
    """What is proposed, or what runs, or what ran last."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "start"),
        Binding("p", "pause", "pause/go on"),
        Binding("x", "stop", "stop"),
        Binding("t", "traceback", "traceback"),
    ]

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._proposed: RunConfig | None = None

    @property
    def console(self) -> ImdbTui:
        return cast("ImdbTui", self.app)

    def compose(self) -> ComposeResult:
        with Horizontal(id="train-head"):
            yield Static(id="train-status", markup=False)
            yield ProgressBar(id="train-progress", show_eta=False, show_percentage=True)
        yield Static(id="train-numbers", markup=False)
        with VerticalScroll(id="train-proposal", can_focus=False):
            yield Static(id="train-proposal-words", markup=False)
        yield RunCurves()
        with Horizontal(id="train-foot"):
            yield Static(id="train-epochs", markup=False)
            yield Static(id="train-log", markup=False)

    def on_mount(self) -> None:
        self.update_run()

    def propose(self, config: RunConfig) -> None:
        """Puts a configuration up for ``s``."""
        self._proposed = config
        self.update_run()

    def update_run(self) -> None:
        """Draws the run as it stands; called at most ten times a second."""
        if not self.query("#train-status"):  # the app is being taken down
            return
        state = self.console.live
        proposal = self._proposed
        live = self.console.run_is_live
        running = state is not None and (proposal is None or live)
        for widget in ("#train-numbers", "RunCurves", "#train-foot"):
            self.query_one(widget).display = running
        self.query_one("#train-proposal").display = not running
        if running and state is not None:
            self._show_run(state)
            return
        self.query_one("#train-progress").display = False
        status = Text("no run yet", style="bold")
        words: Text | Table = Text.assemble("Press ", ("1", "bold"), ", choose a preset and press ", ("enter", "bold"))
        if proposal is not None:
            status = Text.assemble((printable(proposal.preset), "bold"), " is ready · ", ("s", "bold"), " starts it")
            words = _proposal(proposal, self.console.plans.get(proposal))
        self.query_one("#train-status", Static).update(status)
        self.query_one("#train-proposal-words", Static).update(words)

    def _show_run(self, state: RunState) -> None:
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append(f"{printable(state.preset)} {status_words(state.status)}", style="bold")
        if state.status in LIVE:
            asked = " · stopping at the next step …" if self.console.training.control.stop_requested else ""
            line.append(f"  {printable(progress_words(state))}{asked}")
        elif state.finished is not None:
            line.append(f"  {printable(state.finished.error or state.finished.reason)}  {duration(state.elapsed)}")
        self.query_one("#train-status", Static).update(line)
        bar = self.query_one(ProgressBar)
        bar.display = bool(state.total_steps) and self.size.width >= 120
        bar.update(total=state.total_steps or None, progress=state.step)
        self.query_one("#train-numbers", Static).update(_numbers(state))
        if state.finished is not None:
            self.refresh_bindings()
        self.query_one(RunCurves).show([(state.run, state)])
        lines = max(self.query_one("#train-foot").size.height, 3)
        self.query_one("#train-epochs", Static).update(epoch_table(state, rows=lines - 1))
        self.query_one("#train-log", Static).update(_log(state, lines))

    def shown(self) -> None:
        self.screen.set_focus(self)
        self.update_run()

    def leave_field(self) -> None:
        self.screen.set_focus(self)

    # Keys

    def action_start(self) -> None:
        """Starts what is proposed; after a run, the same again."""
        config = self._proposed or self.console.live_config
        if self.console.run_is_live:
            self.app.notify("one run at a time: stop this one first with x", severity="warning")
        elif config is None:
            self.app.notify("choose a preset first: 1, then enter", severity="warning")
        elif self.console.start_run(config):
            self._proposed = None
            self.update_run()

    def action_pause(self) -> None:
        if not self.console.run_is_live:
            self.app.notify("no run is live; s starts one")
            return
        control = self.console.training.control
        if control.pause_requested:
            control.resume()
        else:
            control.pause()
            self.app.notify("pausing at the next step; p goes on")

    def action_stop(self) -> None:
        if not self.console.run_is_live:
            self.app.notify("no run is live; s starts one")
            return
        question = "Stop this run at its next step? Its curves and weights so far are kept."
        self.app.push_screen(Ask(question, {"y": "stop it", "n": "go on training"}), self._stop_answered)

    def _stop_answered(self, answer: str | None) -> None:
        if answer == "y" and self.console.run_is_live:
            self.console.training.control.stop("stopped from the keyboard")
            self.update_run()

    def action_traceback(self) -> None:
        if self._traceback:
            self.app.push_screen(TextScreen("How the run failed", self._traceback))

    @property
    def _traceback(self) -> str:
        state = self.console.live
        return state.finished.traceback if state is not None and state.finished is not None else ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """The footer offers a traceback only where there is one."""
        return action != "traceback" or bool(self._traceback)


def _proposal(config: RunConfig, plan: PlanReady | None) -> Table:
    """What a run would do, from where, with which numbers, and what it costs."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    table.add_row("preset", Text(printable(config.title or config.preset), style="bold"))
    table.add_row("", Text(printable(config.description)))
    table.add_row("", "")
    if plan is not None:
        table.add_row("time", Text(f"about {duration(plan.seconds)}, {plan.basis}"))
        for thing, words in plan.origins.items():
            table.add_row(thing, Text(printable(words)))
        table.add_row("", "")
    for section in ("data", "train"):
        for key in field_types(section):
            table.add_row(key, Text(printable(format_value(config.get(f"{section}.{key}")))))
    return table


def epoch_table(state: RunState, *, rows: int) -> Table:
    """The newest epochs, one row each, numbers to the right."""
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


def _numbers(state: RunState) -> Text:
    """Speed, rate, where weights and reviews are from, and the device."""
    text = Text(no_wrap=True, overflow="ellipsis")
    if state.started is None:
        return text
    lr = state.curves["lr"].last
    parts = [f"lr {lr:.1e}" if lr is not None else "lr –"]
    if state.finished is not None:
        parts.insert(0, f"{state.finished.samples_per_second:.1f} samples/s")
    for thing in ("weights", "reviews"):
        origin = state.started.origins.get(thing, {})
        if origin:
            parts.append(f"{thing} {Origin(origin['kind'], origin['name']).words()}")
    parts.append(f"{state.started.device} {state.started.dtype} ({state.started.dtype_reason})")
    text.append(printable(" · ".join(parts)))
    return text


def _log(state: RunState, lines: int) -> Text:
    text = Text(overflow="ellipsis", no_wrap=True)
    for moment, words in state.log[-lines:]:
        text.append(f"{clock(moment)} ", style="dim")
        text.append(f"{printable(words)}\n")
    return text
