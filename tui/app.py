"""The console: five panes, one line of status that never lies, and the one live run behind it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.widgets import ContentSwitcher

from core.config.schema import RunConfig
from core.errors import InputError
from core.formatting import printable
from core.runs.directory import Run
from core.runs.status import LIVE
from tui.panes import PANES, make_pane
from tui.quit import Leaving
from tui.textual_private.compositor import SparingScreen
from tui.themes import ON_DARK, ON_LIGHT, dress
from tui.throttle import STEPS_S, Paced, can_wait
from tui.widgets.footer import Footer
from tui.widgets.topbar import TopBar
from tui.workers.preload import Loading

if TYPE_CHECKING:  # what the first frame does not need is imported where it is used
    from textual.command import Provider

    from core.runs.read_ahead import ReadAhead
    from core.runs.state import RunState
    from core.training.control import Control
    from core.training.requests import RemoteControl
    from tui.messages import LibrariesLoaded, PlanReady, RunFollowed, RunOpened, TrainingEnded, TrainingEvents
    from tui.panes.presets.pane import PresetsPane
    from tui.workers.run_tail import Following
    from tui.workers.training import ResumeFunction, TrainFunction, Training

GO = Binding.Group("panes", compact=True)


def _console_commands() -> type[Provider]:
    """Imported when the palette is first opened."""
    from tui.palette import ConsoleCommands

    return ConsoleCommands


class ImdbTui(App[int]):
    """The application. ``training`` owns the worker thread, ``live`` is the fold of what it said.

    ``watched`` is the run that was opened from the disk instead, if any: ended, or written by another process.
    """

    CSS_PATH = "app.tcss"
    TITLE = "imdb-tui"
    COMMANDS: ClassVar = App.COMMANDS | {_console_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(i), f"go('{name}')", name.title(), group=GO) for i, name in enumerate(PANES, start=1)),
        Binding("question_mark", "keys", "keys", key_display="?"),
        Binding("q", "leave", "quit"),
        Binding("escape", "leave_field", "leave the field", show=False),
    ]

    def __init__(
        self,
        root: Path,
        *,
        preset: str | None = None,
        data: str | None = None,
        watch: Run | None = None,
        ahead: ReadAhead | None = None,
        train: TrainFunction | None = None,
        resume: ResumeFunction | None = None,
        background: bool = True,
    ) -> None:
        super().__init__()
        self._unknown_theme = dress(self, os.environ.get("IMDB_TUI_THEME"))
        self.root, self.first_preset, self.data = root, preset, data
        self._train, self._resume = train, resume
        self.plans: dict[RunConfig, PlanReady] = {}
        self.live: RunState | None = None
        self.live_config: RunConfig | None = None
        self.live_traceback = ""
        self.watched: RunState | None = None
        self.watched_run: Run | None = None
        self.watched_owner = ""
        self.first_watch, self._ahead = watch, ahead
        self.libraries = "waiting"
        self._loading = Loading(self.post_message, wanted=background)
        self.leaving = Leaving(self)
        self._top = TopBar("presets" if watch is None else "train")
        self._drawing = Paced(self, self._redraw, pause=lambda: STEPS_S)

    @cached_property
    def training(self) -> Training:
        """The one run of this console, and its thread."""
        from tui.workers.training import Training

        return Training(self.post_message, self._train, self._resume)

    @cached_property
    def following(self) -> Following:
        """The run that is followed from the disk, if any."""
        from tui.workers.run_tail import Following

        return Following(self.post_message)

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, but one that survives the closing of its terminal where that can be had."""
        chosen = super().get_driver_class()
        if chosen.__name__ == "LinuxDriver":
            from tui.textual_private.driver import SturdyDriver

            return SturdyDriver
        return chosen

    def get_default_screen(self) -> SparingScreen:
        return SparingScreen()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Curve colours for Textual's own themes too."""
        return dict(ON_DARK if self.current_theme.dark else ON_LIGHT)

    def compose(self) -> ComposeResult:
        first = "presets" if self.first_watch is None else "train"
        yield self._top
        if self.first_watch is not None:
            self.watched_run = self.first_watch
            if opened := self.following.open(self.first_watch, at_once=True, ahead=self._ahead):
                self.watched, self.watched_owner = opened.state, opened.owner
        with ContentSwitcher(initial=first):
            yield make_pane(first, self.stylesheet)
        yield Footer(help_key="question_mark")

    def on_ready(self) -> None:
        """After the first frame. What there is by now stays, and is not looked through for garbage again."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()

    def on_mount(self) -> None:
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            if hasattr(signal, name):
                with suppress(ValueError, RuntimeError, NotImplementedError):  # not the main thread, as in tests
                    asyncio.get_running_loop().add_signal_handler(getattr(signal, name), self._on_signal, name)
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        if self._unknown_theme:
            self.notify(f"there is no theme {self._unknown_theme!r}; ctrl+p lists them", severity="warning")
        if self.first_watch is None or self.watched is not None:
            self.call_after_refresh(self._loading.start)

    # What runs in the background

    def on_libraries_loaded(self, message: LibrariesLoaded) -> None:
        self.libraries = message.error or "ready"
        self._update_top()
        if message.error:
            self.notify(message.error, title="the libraries do not load", severity="error", timeout=30)

    # Panes

    @property
    def pane(self) -> str:
        return self.query_one(ContentSwitcher).current or "presets"

    async def action_go(self, name: str) -> None:
        """Shows a pane, which is built the first time it is seen."""
        switcher = self.query_one(ContentSwitcher)
        if not self.query(f"#{name}"):
            await switcher.mount(make_pane(name, self.stylesheet))
        switcher.current = name
        pane: Any = self.query_one(f"#{name}")
        pane.shown()
        self._update_top()

    def action_help_quit(self) -> None:
        """Of ctrl+c, which Textual answers with a key of its own."""
        self.notify("q quits; from a field, escape and then q")

    def action_leave_field(self) -> None:
        """Escape leaves a text field for the pane's main widget; nothing typed is lost."""
        pane: Any = self.query_one(f"#{self.pane}")
        pane.leave_field()

    def action_keys(self) -> None:
        from tui.screens.keys import KeysScreen

        self.push_screen(KeysScreen(self.screen))

    # The run

    @property
    def run_is_live(self) -> bool:
        return self.training.is_live

    async def show_train(self, config: RunConfig) -> None:
        """Takes a configuration to the Train pane, where ``s`` starts it."""
        self.leave_watched()
        await self.action_go("train")
        pane: Any = self.query_one("#train")
        pane.propose(config)

    def start_run(self, config: RunConfig) -> bool:
        """Starts a run unless one is live, and says so either way."""
        began = self._begin(lambda: self.training.start(config, self.root), config.preset)
        if began:
            self.live_config = config
        return began

    def resume_run(self, run: Run, *, add_epochs: int = 0) -> bool:
        """Goes on with a run unless one is live, and says so either way."""
        return self._begin(lambda: self.training.resume(run, add_epochs), run.name[16:], run.name)

    def _begin(self, start: Callable[[], None], preset: str, run: str = "") -> bool:
        from core.runs.state import RunState

        if self.training.is_live:
            self.notify("one run at a time: stop this one first with x", severity="warning")
            return False
        self.leave_watched()
        self.live, self.live_traceback = RunState(run=run, preset=preset), ""
        start()
        self._drawing.now()
        return True

    # A run of another process, or one that has ended

    def open_run(self, run: Run) -> None:
        """Shows a run in Train: this console's own, or one that is followed from the disk."""
        if self.run_is_live and self.live is not None and self.live.run == run.name:
            self.leave_watched()
            self._drawing.soon()
            return
        self.watched_run = run
        self.following.open(run)

    def leave_watched(self) -> None:
        """Back to this console's own run."""
        self.following.close()
        self.watched = self.watched_run = None

    async def on_run_opened(self, message: RunOpened) -> None:
        if message.own:
            self.live = message.state
            self.live.status = "starting"
            try:
                self.live_config = message.run.config()
            except InputError:  # resuming says so
                self.live_config = None
        elif self.watched_run == message.run:
            self.watched, self.watched_owner = message.state, message.owner
        self._loading.start()  # it has waited for the reading of a long run
        if self.is_running and self.pane != "train":
            await self.action_go("train")
        self._drawing.now()

    def on_run_followed(self, message: RunFollowed) -> None:
        if self.watched is None or self.watched_run != message.run:
            return
        self.watched_owner = message.owner
        for event in message.events:
            self.watched.apply(event)
        if not message.live and self.watched.status in LIVE:
            self.watched.status = "interrupted"
        self._drawing.ask(wait=can_wait(message.events))

    @property
    def shown(self) -> RunState | None:
        """The run that Train shows."""
        return self.watched if self.watched is not None else self.live

    @property
    def shown_run(self) -> Run | None:
        """Its directory."""
        if self.watched is not None:
            return self.watched_run
        return Run(self.root / self.live.run) if self.live is not None and self.live.run else None

    @property
    def steering(self) -> Control | RemoteControl:
        """What the keys of Train act upon."""
        if self.watched is not None and self.watched_run is not None:
            from core.training.requests import RemoteControl

            return RemoteControl(self.watched_run)
        return self.training.control

    def on_plan_ready(self, _: PlanReady) -> None:
        self._drawing.soon()  # what Train proposes has its time and origins now

    def on_training_events(self, message: TrainingEvents) -> None:
        if self.live is not None:
            for event in message.events:
                self.live.apply(event)
            self._drawing.now()

    def on_training_ended(self, message: TrainingEnded) -> None:
        if message.error and self.live is not None:
            self.live.status, self.live_traceback = "failed", message.traceback
            self.notify(message.error, title="the run failed", severity="error", timeout=15)
        elif self.is_running and self.live is not None and self.live.finished is not None and self.pane != "train":
            self.notify(f"{self.live.run}: {self.live.status}")
        for pane in self.query("#presets"):
            cast("PresetsPane", pane).plan_anew()
        self._drawing.now()
        if self.leaving.when_done:
            self.exit(0)

    def _redraw(self) -> None:
        if not self.is_running:
            return
        self._update_top()
        if self.pane == "train":
            pane: Any = self.query_one("#train")
            pane.update_run()

    def _update_top(self) -> None:
        if self.is_running:  # when it no longer is, the widgets are taken down one by one
            self._top.update_bar(self.pane, self.live, self.libraries)

    def notify(self, message: str, *, markup: bool = False, **options: Any) -> None:
        """Textual's, but brackets in a message are only brackets."""
        super().notify(printable(message), markup=markup, **options)

    # Leaving

    async def action_quit(self) -> None:
        """Textual's own ctrl+q and its palette entry ask as ``q`` does."""
        self.action_leave()

    def action_leave(self) -> None:
        self.leaving.ask()

    def _on_signal(self, name: str) -> None:
        self.leaving.after_stop(f"signal {name}")
