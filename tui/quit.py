"""The ways to quit: at once, after a question, when the run has ended, or by a signal."""

from __future__ import annotations

import asyncio
import signal
from contextlib import suppress
from typing import TYPE_CHECKING

from core.formatting import printable
from tui.panes.pane import Pane

if TYPE_CHECKING:
    from textual.app import App

    from tui.run_session import RunSession


class QuitPrompt:
    """Asks before a run is stopped or edits are lost. ``after_run``: the app exits when its run has ended."""

    def __init__(self, app: App[int], session: RunSession) -> None:
        self._app, self._session = app, session
        self.after_run = False

    def ask(self) -> None:
        """Quit at once; or ask first, if a run is live or presets have unsaved edits."""
        from tui.screens.confirm import Ask

        if self._session.is_live:
            question = "A run is live. It will stop after the current step and save a checkpoint."
            answers = {"y": "stop the run and quit", "w": "quit when the run has ended", "n": "cancel"}
        elif edited := [name for pane in self._app.query(Pane) for name in pane.unsaved_presets()]:
            question = f"Unsaved edits: {', '.join(map(printable, edited))}. Save them with ctrl+s in Presets."
            answers = {"y": "quit without saving", "n": "cancel"}
        else:
            self._app.exit(0)
            return
        self._app.push_screen(Ask(question, answers), self._answered)

    def _answered(self, answer: str | None) -> None:
        if answer == "y":
            self.stop_and_quit("the user quit the console")
        elif answer == "w":
            self.after_run = True
            self._app.notify("the console will close when the run has ended")
            if not self._session.is_live:
                self._app.exit(0)

    def handle_signals(self) -> None:
        """Stop the run and quit on SIGTERM, SIGHUP and SIGINT."""
        for name in ("SIGTERM", "SIGHUP", "SIGINT"):
            if hasattr(signal, name):
                with suppress(ValueError, RuntimeError, NotImplementedError):  # not the main thread, as in tests
                    loop, reason = asyncio.get_running_loop(), f"signal {name}"
                    loop.add_signal_handler(getattr(signal, name), self.stop_and_quit, reason)

    def stop_and_quit(self, reason: str) -> None:
        """Stop the run after its current step, and exit when it is saved."""
        self.after_run = True
        if self._session.is_live:
            self._session.training.control.stop(reason)
            self._app.notify("stopping after this step …")
        else:
            self._app.exit(0)
