"""What leads out of the console: at once, after a question, when the run is done, or by a signal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from core.formatting import printable

if TYPE_CHECKING:
    from tui.app import ImdbTui


class Leaving:
    """Asks before anything is lost. ``when_done`` says that the console closes with the end of its run."""

    def __init__(self, app: ImdbTui) -> None:
        self._app = app
        self.when_done = False

    def ask(self) -> None:
        """Quits at once, or asks what to do with a live run, or with edits that are in no file."""
        from tui.screens.confirm import Ask

        app = self._app
        if not app.training.is_live:
            presets: Any = app.query("#presets")  # of a console that only watches they may never have been seen
            if edited := [name for pane in presets for name in pane.unsaved]:
                words = f"Edits of {', '.join(map(printable, edited))} are in no file (ctrl+s in Presets saves them)."
                app.push_screen(Ask(words, {"y": "leave without them", "n": "stay"}), self._answered)
            else:
                app.exit(0)
            return
        question = "A run is live. Leaving ends it at the next step; everything so far is kept."
        answers = {"y": "stop it and leave", "w": "leave when it is done", "n": "stay"}
        app.push_screen(Ask(question, answers), self._answered)

    def _answered(self, answer: str | None) -> None:
        if answer == "y":
            self.after_stop("the console was left")
        elif answer == "w":
            self.when_done = True
            self._app.notify("the console closes when the run is done")
            if not self._app.training.is_live:
                self._app.exit(0)

    def after_stop(self, reason: str) -> None:
        """Stops the run at its next step and exits when everything is saved."""
        self.when_done = True
        if self._app.training.is_live:
            self._app.training.control.stop(reason)
            self._app.notify("stopping at the next step …")
        else:
            self._app.exit(0)
