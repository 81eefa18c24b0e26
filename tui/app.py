"""The console: five panes, one line of status that never lies, and the one live run behind it."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any, ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.widgets import ContentSwitcher, Footer

from core.config import RunConfig
from core.events import RunState
from core.libraries import load_training_libraries
from core.report import printable
from tui.commands import ConsoleCommands
from tui.messages import LibrariesLoaded, PlanReady, TrainingEnded, TrainingEvent
from tui.panes.presets import PresetsPane
from tui.screens.confirm import Ask
from tui.screens.keys import KeysScreen
from tui.themes import DARK, LIGHT, ON_DARK, ON_LIGHT
from tui.training import TrainFunction, Training, train_for_real
from tui.widgets.topbar import TopBar

PANES = ("presets", "tokenizer", "model", "train", "runs")
GO = Binding.Group("panes", compact=True)
REDRAW_S = 0.1
"""What training changes is drawn at most this often, and only where it is visible."""


class ImdbTui(App[int]):
    """The application. ``training`` owns the worker thread, ``live`` is the fold of what it said."""

    CSS_PATH = "app.tcss"
    TITLE = "imdb-tui"
    COMMANDS: ClassVar = App.COMMANDS | {ConsoleCommands}
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
        train: TrainFunction = train_for_real,
        background: bool = True,
    ) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.register_theme(LIGHT)
        wanted = os.environ.get("IMDB_TUI_THEME", "")
        self.theme = wanted if wanted in self.available_themes else "imdb-dark"
        self.root, self.first_preset, self.data = root, preset, data
        self.training = Training(self.post_message, train)
        self.plans: dict[RunConfig, PlanReady] = {}
        self.live: RunState | None = None
        self.live_config: RunConfig | None = None
        self.libraries = "waiting"
        self._loader = threading.Thread(target=self._load_libraries, name="libraries", daemon=True)
        self._background = background
        self._leave_when_done = False
        self._dirty = False

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice, but one that survives the closing of its terminal where that can be had."""
        chosen = super().get_driver_class()
        if chosen.__name__ == "LinuxDriver":
            from tui.driver import SturdyDriver

            return SturdyDriver
        return chosen

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Curve colours for Textual's own themes too."""
        return dict(ON_DARK if self.current_theme.dark else ON_LIGHT)

    def compose(self) -> ComposeResult:
        yield TopBar()
        with ContentSwitcher(initial="presets"):
            yield PresetsPane(id="presets")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        self.set_interval(REDRAW_S, self._redraw)
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            if hasattr(signal, name):
                try:
                    loop.add_signal_handler(getattr(signal, name), self._on_signal, name)
                except (ValueError, RuntimeError, NotImplementedError):
                    return  # not the main thread, as in tests: signals are not ours there
        if self._background:
            self.call_after_refresh(self._loader.start)

    # What runs in the background

    def _load_libraries(self) -> None:
        """torch and transformers take seconds to import; nobody waits for it, not even when leaving."""
        began = time.monotonic()
        error = ""
        try:
            load_training_libraries()
            # Their million objects live as long as the process; a full collection would hold a key up for 0.3 s.
            gc.freeze()
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        self.post_message(LibrariesLoaded(time.monotonic() - began, error))

    @property
    def is_loading(self) -> bool:
        """Whether the libraries are being imported right now."""
        return self._loader.is_alive()

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
            await switcher.mount(_make_pane(name))
        switcher.current = name
        pane: Any = self.query_one(f"#{name}")
        pane.shown()
        self._update_top()

    def action_leave_field(self) -> None:
        """Escape leaves a text field for the pane's main widget; nothing typed is lost."""
        pane: Any = self.query_one(f"#{self.pane}")
        pane.leave_field()

    def action_keys(self) -> None:
        self.push_screen(KeysScreen(self.screen))

    # The run

    @property
    def run_is_live(self) -> bool:
        return self.training.is_live

    async def show_train(self, config: RunConfig) -> None:
        """Takes a configuration to the Train pane, where ``s`` starts it."""
        await self.action_go("train")
        pane: Any = self.query_one("#train")
        pane.propose(config)

    def start_run(self, config: RunConfig) -> bool:
        """Starts a run unless one is live, and says so either way."""
        if self.training.is_live:
            self.notify("one run at a time: stop this one first with x", severity="warning")
            return False
        self.live, self.live_config = RunState(preset=config.preset), config
        self.training.start(config, self.root)
        self._dirty = True
        self._update_top()
        return True

    def on_training_event(self, message: TrainingEvent) -> None:
        if self.live is not None:
            self.live.apply(message.event)
            self._dirty = True

    def on_training_ended(self, message: TrainingEnded) -> None:
        if message.error and self.live is not None:
            self.live.status = "failed"
            self.notify(message.error, title="the run failed", severity="error", timeout=15)
        elif self.live is not None and self.live.finished is not None and self.pane != "train":
            self.notify(f"{self.live.run}: {self.live.status}")
        self._dirty = True
        self._redraw()
        if self._leave_when_done:
            self.exit(0)

    def _redraw(self) -> None:
        if not self._dirty:
            return
        self._dirty = False
        self._update_top()
        if self.pane == "train":
            pane: Any = self.query_one("#train")
            pane.update_run()

    def _update_top(self) -> None:
        for bar in self.query(TopBar):
            bar.update_bar(self.pane, self.live, self.libraries)

    def notify(self, message: str, *, markup: bool = False, **options: Any) -> None:
        """Textual's, but brackets in a message are only brackets."""
        super().notify(printable(message), markup=markup, **options)

    # Leaving

    async def action_quit(self) -> None:
        """Textual's own ctrl+q and its palette entry ask as ``q`` does."""
        self.action_leave()

    def action_leave(self) -> None:
        """Quits at once, or asks what to do with a live run."""
        if not self.training.is_live:
            self.exit(0)
            return
        question = "A run is live. Leaving ends it at the next step; everything so far is kept."
        answers = {"y": "stop it and leave", "w": "leave when it is done", "n": "stay"}
        self.push_screen(Ask(question, answers), self._leave_answered)

    def _leave_answered(self, answer: str | None) -> None:
        if answer == "y":
            self.leave_after_stop("the console was left")
        elif answer == "w":
            self._leave_when_done = True
            self.notify("the console closes when the run is done")
            if not self.training.is_live:
                self.exit(0)

    def leave_after_stop(self, reason: str) -> None:
        """Stops the run at its next step and exits when everything is saved."""
        self._leave_when_done = True
        if self.training.is_live:
            self.training.control.stop(reason)
            self.notify("stopping at the next step …")
        else:
            self.exit(0)

    def _on_signal(self, name: str) -> None:
        self.leave_after_stop(f"signal {name}")


def _make_pane(name: str) -> Any:
    """Panes are imported when they are first seen, which keeps the first frame fast."""
    match name:
        case "tokenizer":
            from tui.panes.tokenizer import TokenizerPane

            return TokenizerPane(id=name)
        case "model":
            from tui.panes.model import ModelPane

            return ModelPane(id=name)
        case "train":
            from tui.panes.train import TrainPane

            return TrainPane(id=name)
        case _:
            from tui.panes.runs import RunsPane

            return RunsPane(id=name)
