"""What is proposed, what runs, or what was opened: look at it, and steer it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from core.config.schema import RunConfig, field_types, format_value
from core.errors import InputError
from core.formatting import clock, duration, printable
from core.runs.state import RunState
from core.runs.status import LIVE, UNFINISHED
from core.training.control import Change, Ending
from tui.messages import PlanReady
from tui.panes.pane import Pane
from tui.screens.confirm import Ask, AskName, words_of
from tui.screens.text import TextScreen
from tui.widgets.run_view import RunView

if TYPE_CHECKING:
    from tui.panes.pane import Console
    from tui.run_session import RunSession

ENDINGS = {
    "y": "stop it at the next step, and save",
    "e": "end it after this epoch and its validation",
    "a": "discard it: nothing more is written",
    "n": "go on training",
}


class TrainPane(Pane, can_focus=True):
    """A configuration that waits for ``s``, or a run: this console's own, or one that another process writes."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("s", "start", "start"),
        Binding("p", "pause", "pause"),
        Binding("p", "unpause", "go on"),
        Binding("x", "stop", "stop"),
        Binding("s,p,x", "explain", show=False),
        Binding("r", "rate", "rate"),
        Binding("g", "go_on", "go on"),
        Binding("plus", "add_epochs", "epochs", key_display="+"),
        Binding("t", "traceback", "traceback"),
        Binding("i", "engine", "engine"),
        Binding("l", "log", "log"),
    ]

    def __init__(self, console: Console, *, id: str) -> None:
        super().__init__(console, id=id)
        self._shown_status = ("", "")
        self._may_go_on = False

    @property
    def _session(self) -> RunSession:
        return self.console.session

    @property
    def run_state(self) -> RunState | None:
        """The run that is shown, if one is."""
        session = self._session
        if session.proposed is not None and not session.is_live and session.watched is None:
            return None
        return session.current

    def compose(self) -> ComposeResult:
        yield RunView()
        with VerticalScroll(id="train-proposal", can_focus=False):
            yield Static(id="train-proposal-status", markup=False)
            yield Static(id="train-proposal-words", markup=False)

    def on_mount(self) -> None:
        self.update_run()

    def update_run(self) -> None:
        """Draws the run as it stands."""
        state = self.run_state
        view = self.query_one(RunView)
        view.display = state is not None
        self.query_one("#train-proposal").display = state is None
        status = (state.run, state.status) if state is not None else ("", "")
        if status != self._shown_status:
            self._shown_status = status
            run = self._session.current_run
            self._may_go_on = status[1] in UNFINISHED and run is not None and run.is_saved
            self.refresh_bindings()
        if state is not None:
            view.show(state, note=self._note(state))
            return
        words: Text | Table = Text.assemble("Press ", ("1", "bold"), ", choose a preset and press ", ("enter", "bold"))
        heading = Text("no run yet", style="bold")
        if self._session.watched_run is not None and self._session.watched is None:
            heading, words = Text(f"reading {printable(self._session.watched_run.name)} …", style="bold"), Text()
        elif (proposal := self._session.proposed) is not None:
            heading = Text.assemble((printable(proposal.preset), "bold"), " is ready · ", ("s", "bold"), " starts it")
            words = _proposal(proposal, self.console.plans.get(proposal))
        self.query_one("#train-proposal-status", Static).update(heading)
        self.query_one("#train-proposal-words", Static).update(words)

    def _note(self, state: RunState) -> str:
        if self._session.watched is not None:
            return (state.status in LIVE and self._session.watched_owner) or "opened from disk"
        control = self._session.training.control
        if state.status not in LIVE:
            return ""
        if control.stop_requested:
            return "discarding it …" if control.ending is Ending.DISCARD else "stopping at the next step …"
        return "ends after this epoch" if control.ending else ""

    def activate(self) -> None:
        super().activate()
        self.update_run()

    def leave_field(self) -> None:
        self.screen.set_focus(self)

    # Keys

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool:
        """The footer offers what there is to do with what is shown; help lists all."""
        state = self.run_state
        live = state is not None and state.status in LIVE
        match action:
            case "start":
                return not live
            case "pause" | "unpause":
                return live and (state is not None and state.status == "paused") is (action == "unpause")
            case "rate" | "stop":
                return live
            case "go_on":
                return self._may_go_on
            case "add_epochs":
                return live or (state is not None and state.status == "completed")
            case "traceback":
                return bool(self._traceback)
            case "log":
                return state is not None and bool(state.log)
            case "engine":
                return bool(self._engine)
        return True

    def action_start(self) -> None:
        """Starts what is proposed; after a run, the same again."""
        config = self._session.proposed or self._session.own_config
        if self._session.is_live:
            self.app.notify("one run at a time: stop this one first with x", severity="warning")
        elif config is None:
            self.app.notify("choose a preset first: 1, then enter", severity="warning")
        elif self.console.start_run(config):
            self._session.proposed = None
            self.update_run()

    def action_explain(self) -> None:
        """Why a key that steers a run has nothing to do here."""
        state = self.run_state
        if state is None:
            self.app.notify(
                "no run is live; " + ("s starts one" if self._session.proposed else "choose a preset first: 1, enter")
            )
        elif state.status in LIVE:
            self.app.notify("one run at a time: stop this one first with x", severity="warning")
        else:
            also = ", + adds epochs" if state.status == "completed" else ""
            also = ", g goes on where it was left" if self._may_go_on else also
            self.app.notify(f"this run has ended: s starts it anew{also}")

    def action_unpause(self) -> None:
        self._ask_for(self._session.steering.resume)

    def action_pause(self) -> None:
        # A second press before the run has paused takes the first one back.
        if self._session.watched is None and self._session.training.control.pause_requested:
            self.action_unpause()
        elif self._ask_for(self._session.steering.pause):
            self.app.notify("pausing at the next step; p goes on")

    def action_stop(self) -> None:
        self.app.push_screen(Ask("Stop this run? Its curves so far are kept.", ENDINGS), self._stop_answered)

    def _stop_answered(self, answer: str | None) -> None:
        control, why = self._session.steering, "asked for at the keyboard"
        match answer:
            case "y":
                self._ask_for(lambda: control.stop(why))
            case "e":
                self._ask_for(lambda: control.finish_epoch(why))
            case "a":
                self._ask_for(lambda: control.discard(why))
        self.update_run()

    def action_rate(self) -> None:
        ask = AskName("New peak learning rate, from the next step on:", self._peak(), check=_wrong("learning_rate"))
        self.app.push_screen(ask, self._rate_given)

    def _peak(self) -> str:
        """The rate that was asked for last, else the configuration's."""
        state, run = self.run_state, self._session.current_run
        if state is not None and state.peak_learning_rate is not None:
            return f"{state.peak_learning_rate:g}"
        try:
            config = run.config() if run is not None else self._session.own_config
        except InputError:
            config = None
        return f"{config.train.learning_rate:g}" if config is not None else ""

    def _rate_given(self, words: str | None) -> None:
        if words:
            self._change("learning_rate", words)

    def action_add_epochs(self) -> None:
        self.app.push_screen(AskName("How many epochs more?", "1", check=_wrong("add_epochs")), self._add_epochs_given)

    def _add_epochs_given(self, words: str | None) -> None:
        state = self.run_state
        if not words or state is None:
            return
        if state.status in LIVE:
            self._change("add_epochs", words)
            return
        if (run := self._session.current_run) is not None:
            self.console.resume_run(run, add_epochs=int(_number(words)))

    def _change(self, action: str, words: str) -> None:
        self._ask_for(
            lambda: self._session.steering.change(Change(action, _number(words), "asked for at the keyboard"))
        )

    def _ask_for(self, ask: Callable[[], object]) -> bool:
        """Asks; whether that could be done, else says why not."""
        try:
            ask()
        except InputError as error:
            self.app.notify(str(error), severity="error")
            return False
        return True

    def action_go_on(self) -> None:
        """Takes the shown run up again where its last checkpoint left it."""
        if (run := self._session.current_run) is not None:
            self.console.resume_run(run)

    def action_engine(self) -> None:
        """What computes the run, part by part, and why each part was taken."""
        if self._engine:
            width = max(map(len, self._engine))
            lines = [f"{name:<{width}}  {words}" for name, words in self._engine.items()]
            self.app.push_screen(TextScreen("What computes this run", "\n".join(lines)))

    def action_log(self) -> None:
        """All of the log, in whole lines."""
        if (state := self.run_state) is not None:
            lines = [f"{clock(moment)} {words}" for moment, words in state.log]
            self.app.push_screen(TextScreen("Log of the run", "\n".join(lines)))

    @property
    def _engine(self) -> dict[str, str]:
        state = self.run_state
        return state.started.engine if state is not None and state.started is not None else {}

    def action_traceback(self) -> None:
        if self._traceback:
            self.app.push_screen(TextScreen("How the run failed", self._traceback))

    @property
    def _traceback(self) -> str:
        state = self.run_state
        if state is None:
            return ""
        if state is self._session.own and self._session.own_traceback:
            return self._session.own_traceback
        return state.finished.traceback if state.finished is not None else ""


def _wrong(action: str) -> Callable[[str], str]:
    """What is wrong with an answer to the question for this change; empty where nothing is."""
    return words_of(lambda words: Change(action, _number(words)))


def _number(words: str) -> float:
    try:
        return float(words)
    except ValueError:
        raise InputError(f"{words!r} is no number") from None


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
