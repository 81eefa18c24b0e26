"""Handles the requests of the user, of a signal or of another process between two steps."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

from core.checkpoints.progress import Progress
from core.engine.distributed import Ranks
from core.runs.events import ControlReceived
from core.runs.recorder import Recorder
from core.training.control import Control, Ending
from core.training.requests import Requests


class Steering:
    """Applies requests to the progress of the run, on all ranks at the same step, and records them."""

    def __init__(self, control: Control, requests: Requests, recorder: Recorder, ranks: Ranks) -> None:
        self._control, self._requests, self._recorder, self._ranks = control, requests, recorder, ranks
        self.ending = Ending.NONE
        """How the run is asked to end; the same on all ranks."""
        self.score: Callable[[Sequence[Sequence[int]]], list[float]] | None = None
        """Computes the logits of token ids with the model of the run; None before it is ready, or with several ranks.
        """

    def between_steps(self, progress: Progress, device: torch.device, *, save: bool) -> tuple[Progress, bool]:
        """The progress with all requested changes, and whether to save, which the first rank decides (``save``).

        Waits while the run is paused. Sets :attr:`ending`.
        """
        if self._ranks.is_main:
            progress = self.apply_changes(progress)
            self.answer_requests(progress.step)
            if self._control.pause_requested and self._control.ending is Ending.NONE:
                progress = self._pause(progress)
            mine = [self._control.ending, progress.learning_rate, progress.num_epochs, float(save)]
        else:
            mine = [self._control.ending, 0.0, 0.0, 0.0]
        ending, lr, num_epochs, save_all = self._ranks.maxima(mine, device)
        self.ending = Ending(int(ending))
        return progress.agreed_by_ranks(learning_rate=lr, num_epochs=int(num_epochs)), bool(save_all)

    def apply_changes(self, progress: Progress) -> Progress:
        """Read the requests of other processes, and apply all changes requested since the last call."""
        self._requests.deliver(self._control)
        for change in self._control.take_changes(progress.step):
            if change.action == "add_epochs":
                progress = progress.with_added_epochs(int(change.value))
            else:
                progress = progress.with_learning_rate(change.value)
            self._log(progress, change.action, change.reason, change.value)
        return progress

    def answer_requests(self, step: int) -> None:
        """Score the texts that users of the run ask for with the model after ``step`` steps."""
        if self.score is not None:
            self._control.answer_requests(self.score, step)

    def _pause(self, progress: Progress) -> Progress:
        self._log(progress, "pause", "requested")
        while self._control.is_held():
            progress = self.apply_changes(progress)
            self.answer_requests(progress.step)
        if self._control.ending is Ending.NONE:
            self._log(progress, "resume", "requested")
        return progress

    @property
    def reason(self) -> str:
        """Why the run ends early."""
        return self._control.reason or "requested on another rank"

    def log_ending(self, progress: Progress, *, keep: bool = True) -> None:
        """Record that the run ends early, and why."""
        ending = max(self.ending, self._control.ending)
        self._log(progress, ending.name.lower(), self.reason, keep=keep)

    def _log(
        self, progress: Progress, action: str, reason: str, value: float | None = None, *, keep: bool = True
    ) -> None:
        event = ControlReceived(**self._recorder.now(), step=progress.step, action=action, reason=reason, value=value)
        self._recorder.emit(event, keep=keep)
