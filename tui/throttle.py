"""The throttle that limits how often the widgets that follow a run are drawn.

While a run trains, its numbers are drawn twice a second and its curves once a second; anything else that happens to it
(an epoch, a checkpoint, a pause, a warning, the end) is drawn at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual.message_pump import MessagePump
from textual.timer import Timer

if TYPE_CHECKING:
    from core.runs.events import Event
    from core.runs.step_columns import StepBlock

NUMBERS_S = 0.5
"""Seconds between two drawings of status, speed, progress and step numbers, when only these change."""
CURVES_S = 1.0
"""Seconds between two drawings of the curves, when they only have more points."""


class Throttle:
    """Calls ``draw`` at most once in ``every`` seconds; a request in between is carried out when the time has come."""

    def __init__(self, owner: MessagePump, draw: Callable[[], object], every: float) -> None:
        """``owner`` runs the timer, so nothing is drawn before or after it runs."""
        self._owner, self._draw, self._every = owner, draw, every
        self._drawn = float("-inf")
        self._timer: Timer | None = None

    def ask(self, *, wait: bool) -> None:
        """Draw at once, or, if the change can ``wait``, when the time has come."""
        if wait:
            self.soon()
        else:
            self.now()

    def soon(self) -> None:
        """Draw as soon as ``every`` seconds have passed since the last drawing."""
        if self._timer is not None or not self._owner.is_running:
            return
        left = self._drawn + self._every - time.monotonic()
        if left <= 0:
            self.now()
        else:
            self._timer = self._owner.set_timer(left, self.now)

    def now(self) -> None:
        """Draw at once, which also carries out a waiting request."""
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self._drawn = time.monotonic()
        self._draw()


def can_wait(events: Sequence[Event | StepBlock]) -> bool:
    """Whether ``events`` are only steps, probes and counts, of which more will follow; False if there are none."""
    from core.runs.events import ProbesScored, Progressed, StepLogged
    from core.runs.step_columns import StepBlock

    steps = (StepLogged, StepBlock, ProbesScored)
    return bool(events) and all(
        isinstance(event, steps) or (isinstance(event, Progressed) and bool(event.done)) for event in events
    )
