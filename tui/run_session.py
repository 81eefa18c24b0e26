"""The state of the console's runs: the one that it trains, and the one that it watches from disk.

This module has no widgets. The app passes the messages of the threads in, and redraws afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual.message import Message

from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.directory import Run

if TYPE_CHECKING:  # modules that the first frame does not need are imported when they are first used
    from core.runs.state import RunState
    from core.training.control import Control
    from core.training.requests import RemoteControl
    from tui.messages import RunFollowed, RunOpened, TrainingEnded, TrainingEvents
    from tui.workers.run_tail import RunTail
    from tui.workers.training import ResumeFunction, TrainFunction, Training


class RunSession:
    """At most one run trains at a time; meanwhile another one may be watched."""

    def __init__(
        self,
        root: Path,
        post: Callable[[Message], Any],
        train: TrainFunction | None = None,
        resume: ResumeFunction | None = None,
    ) -> None:
        """``train`` and ``resume`` replace those of core in tests."""
        self._root, self._post, self._train, self._resume = root, post, train, resume
        self.proposed: RunConfig | None = None
        """The configuration that the start key of Train starts."""
        self.own: RunState | None = None
        """The run that this console trains, or trained last."""
        self.own_config: RunConfig | None = None
        self.own_traceback = ""
        self.watched: RunState | None = None
        """A run that was opened from disk: one that has ended, or one of another process."""
        self.watched_run: Run | None = None
        self.watched_owner = ""
        """The process that writes the watched run; empty if there is none."""

    @cached_property
    def training(self) -> Training:
        """The thread that trains."""
        from tui.workers.training import Training

        return Training(self._post, self._train, self._resume)

    @cached_property
    def _run_tail(self) -> RunTail:
        from tui.workers.run_tail import RunTail

        return RunTail(self._post)

    @property
    def is_live(self) -> bool:
        """Whether this console is training a run."""
        return self.training.is_live

    @property
    def current(self) -> RunState | None:
        """The run that Train shows: the watched one, else this console's own."""
        return self.watched if self.watched is not None else self.own

    @property
    def current_run(self) -> Run | None:
        """The directory of the run that Train shows."""
        if self.watched is not None:
            return self.watched_run
        return Run(self._root / self.own.run) if self.own is not None and self.own.run else None

    @property
    def steering(self) -> Control | RemoteControl:
        """The control of the run that Train shows."""
        if self.watched is not None and self.watched_run is not None:
            from core.training.requests import RemoteControl

            return RemoteControl(self.watched_run)
        return self.training.control

    # This console's own run

    def start(self, config: RunConfig) -> None:
        """Start a new run. No other may be live."""
        self._reset(preset=config.preset)
        self.own_config = config
        self.training.start(config, self._root)

    def resume(self, run: Run, add_epochs: int = 0) -> None:
        """Resume a run, with so many more epochs. No other may be live."""
        self._reset(preset=run.name[16:], run=run.name)
        self.training.resume(run, add_epochs)

    def _reset(self, *, preset: str, run: str = "") -> None:
        from core.runs.state import RunState

        self.stop_watching()
        self.own, self.own_traceback = RunState(run=run, preset=preset), ""

    def apply(self, message: TrainingEvents) -> None:
        """Apply new events to the state of this console's run."""
        if self.own is not None:
            for event in message.events:
                self.own.apply(event)

    def end(self, message: TrainingEnded) -> None:
        """Record how the training thread ended."""
        if message.error and self.own is not None:
            self.own.recorded_status, self.own_traceback = "failed", message.traceback

    # A run of another process, or one that has ended

    def watch(self, run: Run) -> None:
        """Read a run in a thread and follow it."""
        self.watched_run = run
        self._run_tail.open(run)

    def stop_watching(self) -> None:
        """Return to this console's own run."""
        self._run_tail.close()
        self.watched = self.watched_run = None

    def is_own(self, run: Run) -> bool:
        """Whether this console is training the run."""
        return self.is_live and self.own is not None and self.own.run == run.name

    def take_opened(self, message: RunOpened) -> None:
        """Take over the state of a run that was read from disk."""
        if message.own:
            self.own = message.state
            self.own.restart()
            try:
                self.own_config = message.run.config()
            except InputError:  # the training thread reports it
                self.own_config = None
        elif self.watched_run == message.run:
            self.watched, self.watched_owner = message.state, message.owner

    def take_followed(self, message: RunFollowed) -> bool:
        """Apply what was added to the watched run; return whether the message was about that run."""
        if self.watched is None or self.watched_run != message.run:
            return False
        self.watched_owner = message.owner
        self.watched.update(message.update)
        return True
