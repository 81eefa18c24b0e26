"""Train: a configuration that can be started, or a run with the keys that steer it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from core.errors import InputError
from core.formatting import clock, printable
from core.runs.state import RunState
from core.runs.status import LIVE, UNFINISHED
from core.training.control import Change, Ending
from tui.panes.pane import Pane
from tui.panes.train.proposal import proposal_heading, proposal_table
from tui.screens.confirm import Ask, AskText, message_of
from tui.screens.text import TextScreen
from tui.widgets.run_view import RunView

if TYPE_CHECKING:
    from core.config.schema import RunConfig
    from tui.panes.pane import Console
    from tui.run_session import RunSession

ENDINGS = {
    "y": "stop now and save",
    "e": "stop after this epoch",
    "d": "discard (stop without saving)",
    "n": "continue training",
}
REASON = "requested in the console"
"""The reason of a request, as the run's log shows it."""


class TrainPane(Pane, can_focus=True):
    """Shows the proposed configuration, this console's own run, or a run that was opened from disk."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "start"),
        Binding("p", "pause", "pause"),
        Binding("p", "resume", "resume"),
        Binding("x", "stop", "stop"),
        Binding("s,p,x", "explain", show=False),
        Binding("r", "learning_rate", "learning rate"),
        Binding("plus", "add_epochs", "add epochs", key_display="+"),
        Binding("v", "results", "results"),
        Binding("t", "traceback", "traceback"),
        Binding("i", "engine", "engine"),
        Binding("l", "log", "log"),
    ]

    def __init__(self, console: Console, *, id: str) -> None:
        super().__init__(console, id=id)
        self._drawn_status = ("", "", False)
        self._can_resume = False
        """Whether the run has ended early and has a checkpoint, or can start again."""

    @property
    def _session(self) -> RunSession:
        return self.console.session

    @property
    def run_state(self) -> RunState | None:
        """The run that is shown; None if there is none, or if a proposed configuration is shown instead."""
        session = self._session
        if session.proposed is not None and not session.is_live and session.watched is None:
            return None
        return session.current

    @property
    def _config_to_start(self) -> RunConfig | None:
        """The proposed configuration, else that of the run that this console trained last."""
        return self._session.proposed or self._session.own_config

    def compose(self) -> ComposeResult:
        yield RunView()
        with VerticalScroll(id="train-proposal", can_focus=False):
            yield Static(id="train-proposal-status", markup=False)
            yield Static(id="train-proposal-body", markup=False)

    def on_mount(self) -> None:
        self.update_run()

    def update_run(self) -> None:
        state = self.run_state
        view = self.query_one(RunView)
        view.display = state is not None
        self.query_one("#train-proposal").display = state is None
        status = (state.run, state.status, bool(state.epochs)) if state is not None else ("", "", False)
        if status != self._drawn_status:
            self._drawn_status = status
            run = self._session.current_run
            self._can_resume = status[1] in UNFINISHED and run is not None and run.can_resume(state or RunState())
            self.refresh_bindings()
        if state is not None:
            view.show(state, note=self._note(state))
        else:
            self._show_proposal()

    def _show_proposal(self) -> None:
        session = self._session
        heading = Text("No run yet", style="bold")
        body: Text | Table = Text.assemble(
            "Press ", ("1", "bold"), ", choose a preset and press ", ("enter", "bold"), "."
        )
        if session.watched_run is not None and session.watched is None:
            heading, body = Text(f"reading {printable(session.watched_run.name)} …", style="bold"), Text()
        elif session.proposed is not None:
            heading = proposal_heading(session.proposed)
            body = proposal_table(session.proposed, self.console.plans.get(session.proposed))
        self.query_one("#train-proposal-status", Static).update(heading)
        self.query_one("#train-proposal-body", Static).update(body)

    def _note(self, state: RunState) -> str:
        """Return what to show beside the status: where the run is, or what was requested."""
        session = self._session
        if session.watched is not None:
            return (state.status in LIVE and session.watched_owner) or "opened from disk"
        control = session.training.control
        if state.status not in LIVE:
            return ""
        if control.stop_requested:
            return "discarding …" if control.ending is Ending.DISCARD else "stopping after this step …"
        return "stops after this epoch" if control.ending else ""

    def leave_field(self) -> None:
        self.screen.set_focus(self)

    def activate(self) -> None:
        super().activate()
        self.update_run()

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """Offer in the footer only what applies to the run; the help screen lists all keys."""
        state = self.run_state
        live = state is not None and state.status in LIVE
        paused = state is not None and state.status == "paused"
        match action:
            case "start":
                return not live and self._config_to_start is not None
            case "pause":
                return live and not paused
            case "resume":
                return paused or self._can_resume
            case "learning_rate" | "stop":
                return live
            case "add_epochs":
                return live or (state is not None and state.status == "completed")
            case "results":
                return state is not None and bool(state.epochs)
            case "traceback":
                return bool(self._traceback)
            case "log":
                return state is not None and bool(state.log)
            case "engine":
                return bool(self._engine)
        return True

    def action_start(self) -> None:
        """Start the proposed configuration; after a run, start the same one again."""
        config = self._config_to_start
        if config is not None and self.console.start_run(config):
            self._session.proposed = None
            self.update_run()

    def action_explain(self) -> None:
        """Say why a key that steers a run does nothing."""
        state = self.run_state
        if state is None:
            start = "Press s to start one." if self._session.proposed else "Choose a preset first: press 1, then enter."
            self.app.notify(f"No run is live. {start}")
        elif state.status in LIVE:
            self.app.notify("A run is live. Stop it first with x.", severity="warning")
        else:
            other = ", + to add epochs" if state.status == "completed" else ""
            other = ", p to resume it" if self._can_resume else other
            self.app.notify(f"This run has ended. Press s to start a new one{other}.")

    def action_pause(self) -> None:
        # A second press before the run has paused cancels the first one.
        if self._session.watched is None and self._session.training.control.pause_requested:
            self._request(self._session.steering.resume)
        elif self._request(self._session.steering.pause):
            self.app.notify("Pausing after this step. Press p to resume.")

    def action_resume(self) -> None:
        """Resume a paused run; or, from its last checkpoint, a run that ended early."""
        state = self.run_state
        if state is not None and state.status in LIVE:
            self._request(self._session.steering.resume)
        elif (run := self._session.current_run) is not None:
            self.console.resume_run(run)

    def action_stop(self) -> None:
        self.app.push_screen(Ask("Stop this run?", ENDINGS), self._stop_answered)

    def _stop_answered(self, answer: str | None) -> None:
        control = self._session.steering
        match answer:
            case "y":
                self._request(lambda: control.stop(REASON))
            case "e":
                self._request(lambda: control.finish_epoch(REASON))
            case "d":
                self._request(lambda: control.discard(REASON))
        self.update_run()

    def action_learning_rate(self) -> None:
        question = "New peak learning rate, from the next step on:"
        ask = AskText(question, self._peak_learning_rate(), check=_check_change("learning_rate"))
        self.app.push_screen(ask, self._learning_rate_given)

    def _peak_learning_rate(self) -> str:
        """Return the rate that was requested last, else that of the configuration."""
        state, run = self.run_state, self._session.current_run
        if state is not None and state.peak_learning_rate is not None:
            return f"{state.peak_learning_rate:g}"
        try:
            config = run.config() if run is not None else self._session.own_config
        except InputError:
            config = None
        return f"{config.train.learning_rate:g}" if config is not None else ""

    def _learning_rate_given(self, typed: str | None) -> None:
        if typed:
            self._change("learning_rate", typed)

    def action_add_epochs(self) -> None:
        ask = AskText("How many epochs to add?", "1", check=_check_change("add_epochs"))
        self.app.push_screen(ask, self._add_epochs_given)

    def _add_epochs_given(self, typed: str | None) -> None:
        state = self.run_state
        if not typed or state is None:
            return
        if state.status in LIVE:
            self._change("add_epochs", typed)
        elif (run := self._session.current_run) is not None:
            self.console.resume_run(run, add_epochs=int(_number(typed)))

    def _change(self, action: str, typed: str) -> None:
        change = Change(action, _number(typed), REASON)
        self._request(lambda: self._session.steering.change(change))

    def _request(self, request: Callable[[], object]) -> bool:
        """Make a request; if that fails, notify the user and return False."""
        try:
            request()
        except InputError as error:
            self.app.notify(str(error), severity="error")
            return False
        return True

    # Details of the run

    async def action_results(self) -> None:
        """Show what the run's predictions are worth."""
        if (run := self._session.current_run) is not None:
            await self.console.show_results(run)

    def action_engine(self) -> None:
        """Show which implementation each part of the computation uses, and why."""
        if self._engine:
            width = max(map(len, self._engine))
            lines = [f"{name:<{width}}  {choice}" for name, choice in self._engine.items()]
            self.app.push_screen(TextScreen("Engine of this run", "\n".join(lines)))

    @property
    def _engine(self) -> dict[str, str]:
        state = self.run_state
        return state.started.engine if state is not None and state.started is not None else {}

    def action_log(self) -> None:
        """Show the whole log."""
        if (state := self.run_state) is not None:
            lines = [f"{clock(moment)} {message}" for moment, message in state.log]
            self.app.push_screen(TextScreen("Log of this run", "\n".join(lines)))

    def action_traceback(self) -> None:
        if self._traceback:
            self.app.push_screen(TextScreen("Traceback", self._traceback))

    @property
    def _traceback(self) -> str:
        state = self.run_state
        if state is None:
            return ""
        if state is self._session.own and self._session.own_traceback:
            return self._session.own_traceback
        return state.finished.traceback if state.finished is not None else ""


def _check_change(action: str) -> Callable[[str], str]:
    """Return a check of what is typed for this change: the problem, or an empty string."""
    return message_of(lambda typed: Change(action, _number(typed)))


def _number(typed: str) -> float:
    try:
        return float(typed)
    except ValueError:
        raise InputError(f"{typed!r} is not a number") from None
