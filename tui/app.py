"""The app: it switches between panes, receives the messages of the threads, and draws the state of the run."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import App, ComposeResult, SystemCommand
from textual.binding import Binding, BindingType
from textual.driver import Driver
from textual.screen import Screen
from textual.widgets import ContentSwitcher

from core.config.schema import RunConfig, configure
from core.errors import InputError
from core.formatting import printable
from core.runs.directory import Run
from tui.panes import PANES, make_pane
from tui.panes.pane import Pane
from tui.quit import QuitPrompt
from tui.run_session import RunSession
from tui.themes import ON_DARK, ON_LIGHT, apply_theme
from tui.throttle import NUMBERS_S, Throttle, can_wait
from tui.widgets.footer import Footer
from tui.widgets.topbar import TopBar
from tui.workers.preload import LibraryLoader

if TYPE_CHECKING:  # modules that the first frame does not need are imported when they are first used
    from textual.command import Provider

    from tui.messages import LibrariesLoaded, PlanReady, RunFollowed, RunOpened, TrainingEnded, TrainingEvents
    from tui.workers.training import ResumeFunction, TrainFunction

PANE_KEYS = Binding.Group("panes", compact=True)


def _console_commands() -> type[Provider]:
    """Import the palette when it is first opened."""
    from tui.palette import ConsoleCommands

    return ConsoleCommands


class ImdbTui(App[int]):
    """The application: ``session`` has the state of its runs, ``plans`` the origins and time of each configuration."""

    CSS_PATH = "app.tcss"
    TITLE = "imdb-tui"
    COMMANDS: ClassVar = App.COMMANDS | {_console_commands}
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(str(i), f"go('{name}')", name.title(), group=PANE_KEYS) for i, name in enumerate(PANES, start=1)),
        Binding("question_mark", "keys", "keys", key_display="?"),
        Binding("q", "quit", "quit"),
        Binding("ctrl+z", "suspend_process", "suspend; fg continues", show=False),
        Binding("escape", "leave_field", "leave a field", show=False),
    ]

    def __init__(
        self,
        root: Path,
        *,
        preset: str | None = None,
        data: str | None = None,
        watch: Run | None = None,
        train: TrainFunction | None = None,
        resume: ResumeFunction | None = None,
        background: bool = True,
    ) -> None:
        """``train`` and ``resume`` replace those of core in tests; ``background=False`` imports no torch there."""
        super().__init__()
        self._unknown_theme = apply_theme(self, os.environ.get("IMDB_TUI_THEME"))
        self.root, self.first_preset, self.data = root, preset, data
        self.plans: dict[RunConfig, PlanReady] = {}
        self.session = RunSession(root, self.post_message, train, resume)
        self.first_watch = watch
        self.libraries = "waiting"
        self._library_loader = LibraryLoader(self.post_message, enabled=background)
        self.quit_prompt = QuitPrompt(self, self.session)
        self._top = TopBar(PANES, "presets" if watch is None else "train")
        self._throttle = Throttle(self, self._redraw, NUMBERS_S)

    def get_driver_class(self) -> type[Driver]:
        """Textual's choice; on Linux, a subclass that survives the closing of its terminal."""
        chosen = super().get_driver_class()
        if chosen.__name__ == "LinuxDriver":
            from tui.textual_private.driver import SturdyDriver

            return SturdyDriver
        return chosen

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Add the colours of the curves to Textual's own themes."""
        return dict(ON_DARK if self.current_theme.dark else ON_LIGHT)

    def compose(self) -> ComposeResult:
        first = "presets" if self.first_watch is None else "train"
        yield self._top
        if self.first_watch is not None:
            self.session.watch(self.first_watch)
        with ContentSwitcher(initial=first):
            yield make_pane(first, self, self.stylesheet)
        yield Footer(help_key="question_mark")

    def on_ready(self) -> None:
        """After the first frame: collect garbage again, but not among the objects that exist by now."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()

    def on_mount(self) -> None:
        self.quit_prompt.handle_signals()
        self.app_resume_signal.subscribe(self, lambda _: self.refresh(layout=True))
        if self._unknown_theme:
            self.notify(f"There is no theme {self._unknown_theme!r}. Press ctrl+p to list them.", severity="warning")
        if self.first_watch is None:
            self.call_after_refresh(self._library_loader.start)

    def on_libraries_loaded(self, message: LibrariesLoaded) -> None:
        self.libraries = message.error or "ready"
        self._update_top()
        if message.error:
            self.notify(message.error, title="torch cannot be imported", severity="error", timeout=30)

    # Panes

    @property
    def pane(self) -> str:
        """The name of the pane in front."""
        return self.query_one(ContentSwitcher).current or "presets"

    def _current_pane(self) -> Pane:
        return self.query_one(f"#{self.pane}", Pane)

    async def action_go(self, name: str) -> None:
        """Show a pane; it is created the first time."""
        switcher = self.query_one(ContentSwitcher)
        if not self.query(f"#{name}"):
            await switcher.mount(make_pane(name, self, self.stylesheet))
        switcher.current = name
        self._current_pane().activate()
        self._update_top()

    async def action_train_preset(self, name: str) -> None:
        """Show a preset in Train; used by the command palette."""
        from core.config.presets import load_preset

        try:
            await self.show_train(configure(load_preset(name), [], self.data))
        except InputError as error:
            self.notify(str(error), severity="error")

    async def action_quit(self) -> None:
        """Quit; ask first if a run is live or edits are not saved. Replaces Textual's action of this name."""
        self.quit_prompt.ask()

    def action_help_quit(self) -> None:
        """Answer ctrl+c. Replaces Textual's action of this name, which names ctrl+q."""
        self.notify("Press q to quit; in a text field, press escape first.")

    def action_leave_field(self) -> None:
        self._current_pane().leave_field()

    def action_keys(self) -> None:
        from tui.screens.keys import KeysScreen

        self.push_screen(KeysScreen(self.screen))

    def get_system_commands(self, screen: Screen[Any]) -> Iterator[SystemCommand]:
        """Textual's commands of the palette, with our help screen instead of its help panel.

        The panel shows the keys once more, and a mouse press on it ends the app with an error (textual 8.2.8).
        """
        for command in super().get_system_commands(screen):
            if command.title == "Keys":
                yield SystemCommand(command.title, "Show every key of this screen", self.action_keys)
            else:
                yield command

    # Runs

    async def show_train(self, config: RunConfig) -> None:
        """Show a configuration in Train, where it can be started."""
        self.session.stop_watching()
        self.session.proposed = config
        await self.action_go("train")

    def start_run(self, config: RunConfig) -> bool:
        """Start a run and return True; or, if one is live, notify the user and return False."""
        return self._begin(lambda: self.session.start(config))

    def resume_run(self, run: Run, *, add_epochs: int = 0) -> bool:
        """Resume a run and return True; or, if one is live, notify the user and return False."""
        return self._begin(lambda: self.session.resume(run, add_epochs))

    def _begin(self, start: Callable[[], None]) -> bool:
        if self.session.is_live:
            self.notify("A run is live. Stop it first with x in Train.", severity="warning")
            return False
        start()
        self._throttle.now()
        return True

    async def open_run(self, run: Run) -> None:
        """Show a run in Train: this console's own, or one that is read from disk."""
        if self.session.is_own(run):
            self.session.stop_watching()
            await self.action_go("train")
        else:
            self.session.watch(run)  # RunOpened follows

    async def show_results(self, run: Run, other: Run | None = None) -> None:
        """Show what a run's predictions are worth in Results, or compare it with another run."""
        from tui.panes.results.pane import ResultsPane

        await self.action_go("results")
        self.query_one(ResultsPane).open(run, other)

    async def show_text(self, text: str, label: str) -> None:
        """Show a text in the Tokenizer; ``label`` says where it is from."""
        from tui.panes.tokenizer.pane import TokenizerPane

        await self.action_go("tokenizer")
        self.query_one(TokenizerPane).show_text(text, label)

    async def on_run_opened(self, message: RunOpened) -> None:
        self.session.take_opened(message)
        if self.is_running and self.pane != "train":
            await self.action_go("train")
        self._throttle.now()
        self.call_after_refresh(self._library_loader.start)  # it waited until the run was read and drawn

    def on_run_followed(self, message: RunFollowed) -> None:
        if self.session.take_followed(message):
            self._throttle.ask(wait=can_wait(message.update.parts))

    def on_plan_ready(self, _: PlanReady) -> None:
        self._throttle.soon()  # Train shows the plan of the proposed configuration

    def on_training_events(self, message: TrainingEvents) -> None:
        self.session.apply(message)
        self._throttle.ask(wait=can_wait(message.events))

    def on_training_ended(self, message: TrainingEnded) -> None:
        self.session.end(message)
        run = self.session.own
        if message.error:
            self.notify(message.error, title="The run failed", severity="error", timeout=15)
        elif self.is_running and run is not None and run.finished is not None and self.pane != "train":
            self.notify(f"{run.run}: {run.status}")
        for pane in self.query(Pane):
            pane.run_ended()
        self._throttle.now()
        if self.quit_prompt.after_run:
            self.exit(0)

    def preset_saved(self, name: str) -> None:
        """Notify all panes that a preset was saved."""
        for pane in self.query(Pane):
            pane.preset_saved(name)

    def _redraw(self) -> None:
        if self.is_running:
            self._update_top()
            self._current_pane().update_run()

    def _update_top(self) -> None:
        if self.is_running:  # afterwards the widgets are removed one by one
            self._top.update_bar(self.pane, self.session.own, self.libraries)

    def notify(self, message: str, *, markup: bool = False, **options: Any) -> None:
        """Textual's method, without markup: messages may contain brackets."""
        super().notify(printable(message), markup=markup, **options)
