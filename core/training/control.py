"""What a person, a signal or another process asks of a run; looked at between two steps."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum

from core.errors import InputError
from core.runs.events import ControlReceived, Event, RunStarted


class Ending(IntEnum):
    """How a run is asked to end before its time; the larger one wins."""

    NONE = 0
    FINISH_EPOCH = 1
    """Trains this epoch to its end, validates, saves: status stopped."""
    STOP = 2
    """Makes no further step, saves: status stopped."""
    DISCARD = 3
    """Makes no further step and writes nothing more; on disk the run looks like one that was killed: interrupted."""


CHANGES = ("learning_rate", "add_epochs")


@dataclass(frozen=True, slots=True)
class Change:
    """A change that does not end the run: a new peak learning rate, or a number of epochs added."""

    action: str
    value: float
    reason: str = "asked for"

    def __post_init__(self) -> None:
        if self.action not in CHANGES:
            raise InputError(f"there is no change {self.action!r}; there are {', '.join(CHANGES)}")
        if self.action == "learning_rate" and not 0.0 < self.value <= 1.0:
            raise InputError(f"learning rate {self.value:g} must be greater than 0 and at most 1")
        if self.action == "add_epochs" and not (1 <= self.value <= 1000 and self.value == int(self.value)):
            raise InputError(f"add_epochs takes a whole number from 1 to 1000, not {self.value:.15g}")


class Control:
    """Thread-safe requests to a running ``train``. An ending cannot be taken back, only made more urgent."""

    POLL_S = 0.25
    """How often a run that is paused looks for requests of other processes."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._go = threading.Event()
        self._go.set()
        self._ending = Ending.NONE
        self._changes: list[Change] = []
        self._journal: dict[int, list[Change]] = {}
        self.reason = ""

    # Asking

    def stop(self, reason: str) -> None:
        """Ends the run at the next step boundary, keeping everything; also ends a pause."""
        self._end(Ending.STOP, reason)

    def finish_epoch(self, reason: str) -> None:
        """Ends the run after this epoch and its validation; also ends a pause."""
        self._end(Ending.FINISH_EPOCH, reason)

    def discard(self, reason: str) -> None:
        """Ends the run at the next step boundary and writes nothing more; also ends a pause."""
        self._end(Ending.DISCARD, reason)

    def _end(self, ending: Ending, reason: str) -> None:
        with self._lock:
            if ending > self._ending:
                self._ending, self.reason = ending, reason
        self._go.set()

    def pause(self) -> None:
        """Holds the run at the next step boundary, the model in memory."""
        self._go.clear()

    def resume(self) -> None:
        self._go.set()

    def change(self, change: Change) -> None:
        """Makes the change at the next step boundary, also while paused."""
        with self._lock:
            self._changes.append(change)

    # Looking

    @property
    def ending(self) -> Ending:
        return self._ending

    @property
    def stop_requested(self) -> bool:
        """Whether no further step is wanted."""
        return self._ending >= Ending.STOP

    @property
    def pause_requested(self) -> bool:
        return not self._go.is_set()

    def take_changes(self, step: int) -> list[Change]:
        """What is to be changed after ``step`` steps, each once: the journal's first, then what was asked for."""
        with self._lock:
            changes = [*self._journal.pop(step, ()), *self._changes]
            self._changes.clear()
        return changes

    def expect(self, journal: dict[int, list[Change]]) -> None:
        """Makes the changes of ``journal`` once so many steps are done: what a run that goes on was asked before."""
        with self._lock:
            for step, changes in journal.items():
                self._journal.setdefault(step, []).extend(changes)

    def is_held(self) -> bool:
        """Waits a moment for the end of a pause; whether it still lasts."""
        return not self._go.wait(self.POLL_S)


def journal_of(events: Iterable[Event], *, step: int = 0, made: int = 0) -> dict[int, list[Change]]:
    """The changes that a run's events tell of, by the number of steps after which they were made.

    Leaves out those that are in a checkpoint after ``step`` steps: all before it, and the first ``made`` in any case,
    for a checkpoint may be written before or after a change at its own step. A run that goes on from a checkpoint
    tells again of each change that it repeats; such a change counts once.
    """
    journal: list[tuple[int, Change]] = []
    repeated: list[tuple[int, Change]] = []
    for event in events:
        if isinstance(event, RunStarted) and event.checkpoint:
            repeated = _not_in_checkpoint(journal, event.step, event.changes_made)
        if not isinstance(event, ControlReceived) or event.value is None or event.action not in CHANGES:
            continue
        try:
            change = event.step, Change(event.action, event.value, event.reason)
        except InputError:  # a line that somebody else wrote
            continue
        if change in repeated:
            repeated.remove(change)
        else:
            journal.append(change)
    by_step: dict[int, list[Change]] = {}
    for at, change_made in _not_in_checkpoint(journal, step, made):
        by_step.setdefault(at, []).append(change_made)
    return by_step


def _not_in_checkpoint(journal: list[tuple[int, Change]], step: int, made: int) -> list[tuple[int, Change]]:
    in_order = sorted(journal, key=lambda entry: entry[0])
    return in_order[max(made, sum(at < step for at, _ in journal)) :]
