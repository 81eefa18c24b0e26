"""Requests to a running training: pause, resume, end, change; the loop handles them between two steps."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from enum import IntEnum

from core.config.schema import LEAST_RATE
from core.errors import InputError
from core.runs.events import ControlReceived, Event, RunStarted


class Ending(IntEnum):
    """How a run is asked to end early; the larger value wins."""

    NONE = 0
    FINISH_EPOCH = 1
    """Finish this epoch, validate, save: status stopped."""
    STOP = 2
    """Make no further step, save: status stopped."""
    DISCARD = 3
    """Make no further step and write nothing more: status interrupted, as if the process was killed."""


CHANGES = ("learning_rate", "add_epochs")


@dataclass(frozen=True, slots=True)
class Change:
    """A change that does not end the run: a new peak learning rate, or a number of epochs added."""

    action: str
    value: float
    reason: str = "requested"

    def __post_init__(self) -> None:
        if self.action not in CHANGES:
            raise InputError(f"unknown change {self.action!r}; the changes are {', '.join(CHANGES)}")
        if self.action == "learning_rate" and not LEAST_RATE <= self.value <= 1.0:
            raise InputError(f"learning rate {self.value:g} must be greater than 0 and at most 1")
        if self.action == "add_epochs" and not (1 <= self.value <= 1000 and self.value == int(self.value)):
            raise InputError(f"add_epochs takes a whole number from 1 to 1000, not {self.value:.15g}")


class Control:
    """Thread-safe requests to a running ``train``. An ending cannot be withdrawn, only made more urgent."""

    POLL_S = 0.25
    """Seconds between two looks for requests of other processes while a run is paused."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a signal handler may interrupt the thread that holds it
        self._changed = threading.Condition(self._lock)
        """Notified when a paused run has something to do."""
        self._paused = False
        self._ending = Ending.NONE
        self._changes: list[Change] = []
        self._journal: dict[int, list[Change]] = {}
        self._to_score: list[tuple[Sequence[Sequence[int]], Future[list[float]]]] = []
        self.scored_step = 0
        """Steps of the model that computed the last logits requested; a callback of their future may read it."""
        self._refusal = ""
        """Why no texts are scored; empty while they are."""
        self.reason = ""

    # Called by the user interface

    def stop(self, reason: str) -> None:
        """End the run before the next step and save a checkpoint; also ends a pause."""
        self._end(Ending.STOP, reason)

    def finish_epoch(self, reason: str) -> None:
        """End the run after this epoch and its validation; also ends a pause."""
        self._end(Ending.FINISH_EPOCH, reason)

    def discard(self, reason: str) -> None:
        """End the run before the next step without saving; also ends a pause."""
        self._end(Ending.DISCARD, reason)

    def _end(self, ending: Ending, reason: str) -> None:
        with self._lock:
            if ending > self._ending:
                self._ending, self.reason = ending, reason
            self._paused = False
            self._changed.notify_all()

    def pause(self) -> None:
        """Pause the run before the next step; the model stays in memory."""
        with self._lock:
            self._paused = True

    def resume(self) -> None:
        """End a pause."""
        with self._lock:
            self._paused = False
            self._changed.notify_all()

    def change(self, change: Change) -> None:
        """Make the change before the next step, also during a pause."""
        with self._lock:
            self._changes.append(change)

    def request_logits(self, rows: Sequence[Sequence[int]]) -> Future[list[float]]:
        """The logits of texts, each a row of token ids, by the model as it is after the step that runs now.

        The training thread computes them between two steps, between two batches of a validation, and while the run is
        paused. A request that nobody needs any more can be cancelled. The result is an InputError if a row is not valid
        for the model, if several processes train, or if the run ends before it answers.
        """
        answer: Future[list[float]] = Future()
        with self._lock:
            if self._refusal:
                answer.set_exception(InputError(self._refusal))
            else:
                self._to_score.append((rows, answer))
                self._changed.notify_all()
        return answer

    # Called by the training loop

    @property
    def ending(self) -> Ending:
        return self._ending

    @property
    def stop_requested(self) -> bool:
        """Whether the run shall make no further step."""
        return self._ending >= Ending.STOP

    @property
    def pause_requested(self) -> bool:
        return self._paused

    def take_changes(self, step: int) -> list[Change]:
        """The changes to make after ``step`` steps, each once: those of the journal first, then new ones."""
        with self._lock:
            changes = [*self._journal.pop(step, ()), *self._changes]
            self._changes.clear()
        return changes

    def expect(self, journal: dict[int, list[Change]]) -> None:
        """Repeat the changes of ``journal``, each after its number of steps, as a resumed run must."""
        with self._lock:
            for step, changes in journal.items():
                self._journal.setdefault(step, []).extend(changes)

    def is_held(self) -> bool:
        """Wait up to ``POLL_S`` for the end of a pause or for texts to score; whether the run is still paused."""
        with self._changed:
            self._changed.wait_for(lambda: not self._paused or bool(self._to_score), self.POLL_S)
            return self._paused

    def answer_requests(self, score: Callable[[Sequence[Sequence[int]]], list[float]], step: int) -> None:
        """Compute the logits that were requested, after ``step`` steps; what ``score`` raises becomes the result."""
        while True:
            with self._lock:
                if not self._to_score:
                    return
                rows, answer = self._to_score.pop(0)
            if not answer.set_running_or_notify_cancel():
                continue
            self.scored_step = step
            try:
                logits = score(rows)
            except Exception as error:
                answer.set_exception(error)
            else:
                answer.set_result(logits)

    def refuse_requests(self, reason: str) -> None:
        """Score no texts from now on: the result of each request is an InputError with ``reason``."""
        with self._lock:
            self._refusal, waiting, self._to_score = reason, self._to_score, []
        for _, answer in waiting:
            if answer.set_running_or_notify_cancel():
                answer.set_exception(InputError(reason))


def journal_of(events: Iterable[Event], *, step: int = 0, made: int = 0) -> dict[int, list[Change]]:
    """The changes in a run's events, by the number of steps after which they were made.

    Leaves out the changes that a checkpoint after ``step`` steps already contains: all before that step, and the first
    ``made`` in any case, because a checkpoint may be written before or after a change at its own step. A resumed run
    records again each change that it repeats; such a change counts once.
    """
    journal: list[tuple[int, Change]] = []
    repeated: list[tuple[int, Change]] = []
    for event in events:
        if isinstance(event, RunStarted):
            repeated = _not_in_checkpoint(journal, event.step, event.changes_made)
        if not isinstance(event, ControlReceived) or event.value is None or event.action not in CHANGES:
            continue
        try:
            change = event.step, Change(event.action, event.value, event.reason)
        except InputError:  # not written by this program
            continue
        if change in repeated:
            repeated.remove(change)
        else:
            journal.append(change)
    by_step: dict[int, list[Change]] = {}
    for after_step, change_made in _not_in_checkpoint(journal, step, made):
        by_step.setdefault(after_step, []).append(change_made)
    return by_step


def _not_in_checkpoint(journal: list[tuple[int, Change]], step: int, made: int) -> list[tuple[int, Change]]:
    in_order = sorted(journal, key=lambda entry: entry[0])
    return in_order[max(made, sum(after_step < step for after_step, _ in journal)) :]
