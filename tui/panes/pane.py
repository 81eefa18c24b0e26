"""The contract between the app and its panes: what a pane may ask of the app, and what every pane can do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from textual.containers import Vertical

if TYPE_CHECKING:
    from core.config.schema import RunConfig
    from core.runs.directory import Run
    from tui.messages import PlanReady
    from tui.run_session import RunSession


class Console(Protocol):
    """The part of the app that panes use."""

    root: Path
    """The directory of the runs."""
    first_preset: str | None
    """The preset that the command line names."""
    data: str | None
    """The data set that the command line names."""
    plans: dict[RunConfig, PlanReady]
    session: RunSession

    async def show_train(self, config: RunConfig) -> None:
        """Show a configuration in Train, where it can be started."""

    def start_run(self, config: RunConfig) -> bool:
        """Start a run and return True; or, if one is live, notify the user and return False."""

    def resume_run(self, run: Run, *, add_epochs: int = 0) -> bool:
        """Resume a run and return True; or, if one is live, notify the user and return False."""

    async def open_run(self, run: Run) -> None:
        """Show a run in Train: this console's own, or one that is read from disk."""

    async def show_results(self, run: Run, other: Run | None = None) -> None:
        """Show what a run's predictions are worth in Results, or compare it with another run."""

    async def show_text(self, text: str, label: str) -> None:
        """Show a text in the Tokenizer; ``label`` says where it is from."""

    def preset_saved(self, name: str) -> None:
        """Notify all panes that a preset was saved."""


class Pane(Vertical):
    """One of the views that the number keys switch between; ``console`` is the app."""

    def __init__(self, console: Console, *, id: str) -> None:
        super().__init__(id=id)
        self.console = console

    def activate(self) -> None:
        """Take the focus, because the pane has come to the front."""
        self.leave_field()

    def leave_field(self) -> None:
        """Move the focus from a text field to the main widget; the text stays as it is."""
        raise NotImplementedError

    def update_run(self) -> None:
        """Draw the current state of the run; called only while the pane is in front."""

    def run_ended(self) -> None:
        """A run of this console has ended."""

    def preset_saved(self, name: str) -> None:
        """A preset was saved under this name."""

    def unsaved_presets(self) -> list[str]:
        """Return the names of presets with edits that are not saved."""
        return []
