"""Drawing what changes often no more often than it is worth."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.message_pump import MessagePump
from textual.timer import Timer

if TYPE_CHECKING:
    from core.runs.events import Event
    from core.runs.step_columns import StepBlock

STEPS_S = 1.0
"""Where only steps are new, their numbers are drawn this often: a processor draws them or trains."""


class Paced:
    """Something to draw. However often it is asked for, so much time lies between; what is asked for is never lost."""

    def __init__(self, owner: MessagePump, draw: Callable[[], object], pause: Callable[[], float]) -> None:
        """``owner`` keeps the time while it runs; ``pause`` says how many seconds are to follow the last drawing."""
        self._owner, self._draw, self._pause = owner, draw, pause
        self._drawn = float("-inf")
        self._timer: Timer | None = None

    def ask(self, *, wait: bool) -> None:
        """Draws when the time has come, or what cannot ``wait`` at once."""
        if wait:
            self.soon()
        else:
            self.now()

    def soon(self) -> None:
        """Draws at once, or when the time has come."""
        if self._timer is not None or not self._owner.is_running:
            return
        left = self._drawn + self._pause() - time.monotonic()
        if left <= 0:
            self.now()
        else:
            self._timer = self._owner.set_timer(left, self.now)

    def now(self) -> None:
        """Draws, and with it what has been asked for."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._drawn = time.monotonic()
        self._draw()


def can_wait(events: Sequence[Event | StepBlock]) -> bool:
    """Whether they are only steps and counts, of which more follow; none at all says that a run has ended."""
    from core.runs.events import Progressed, StepLogged
    from core.runs.step_columns import StepBlock

    return bool(events) and all(
        isinstance(event, (StepLogged, StepBlock)) or (isinstance(event, Progressed) and bool(event.done))
        for event in events
    )
