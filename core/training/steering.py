"""Between two steps: what was asked for by a person, a signal or another process, made and told."""

from __future__ import annotations

import torch

from core.checkpoints.progress import Progress
from core.engine.distributed import Ranks
from core.runs.events import ControlReceived
from core.runs.recorder import Recorder
from core.training.control import Control, Ending
from core.training.requests import Inbox


class Steering:
    """Turns requests into the loop's own state, on all ranks at the same step."""

    def __init__(self, control: Control, inbox: Inbox, say: Recorder, ranks: Ranks) -> None:
        self._control, self._inbox, self._say, self._ranks = control, inbox, say, ranks
        self.ending = Ending.NONE
        """As all ranks have agreed on it."""

    def between_steps(self, at: Progress, device: torch.device, *, save: bool) -> tuple[Progress, bool]:
        """The state with all changes made, and whether it is time to save, which the first rank decides (``save``).

        Waits here while paused. What :attr:`ending` is afterwards, it is on all ranks.
        """
        if self._ranks.leads:
            at = self.look(at)
            if self._control.pause_requested and self._control.ending is Ending.NONE:
                at = self._pause(at)
            mine = [self._control.ending, at.learning_rate, at.num_epochs, float(save)]
        else:
            mine = [self._control.ending, 0.0, 0.0, 0.0]
        ending, lr, num_epochs, save_all = self._ranks.most(mine, device)
        self.ending = Ending(int(ending))
        return at.agreed_by_ranks(learning_rate=lr, num_epochs=int(num_epochs)), bool(save_all)

    def look(self, at: Progress) -> Progress:
        """Takes requests of other processes, and makes what has been asked for since the last look."""
        self._inbox.deliver(self._control)
        for change in self._control.take_changes(at.step):
            if change.action == "add_epochs":
                at = at.with_added_epochs(int(change.value))
            else:
                at = at.with_learning_rate(change.value)
            self._note(at, change.action, change.reason, change.value)
        return at

    def _pause(self, at: Progress) -> Progress:
        self._note(at, "pause", "asked for")
        while self._control.is_held():
            at = self.look(at)
        if self._control.ending is Ending.NONE:
            self._note(at, "resume", "asked for")
        return at

    def note_ending(self, at: Progress, *, keep: bool = True) -> None:
        """Says that the run ends early, and at whose wish."""
        ending = max(self.ending, self._control.ending)
        reason = self._control.reason or "another rank was asked to"
        self._note(at, ending.name.lower(), reason, keep=keep)

    def _note(self, at: Progress, action: str, reason: str, value: float | None = None, *, keep: bool = True) -> None:
        event = ControlReceived(**self._say.now(), step=at.step, action=action, reason=reason, value=value)
        self._say.emit(event, keep=keep)
