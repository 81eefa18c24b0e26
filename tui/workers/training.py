"""The thread that trains a run; it only posts messages."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.message import Message

from core.config.schema import RunConfig
from core.engine.scheduling import lower_priority
from core.errors import InputError
from core.runs.directory import Run
from core.runs.events import Event
from core.training.control import Control
from core.training.preload import preload
from tui.messages import RunOpened, TrainingEnded, TrainingEvents
from tui.throttle import NUMBERS_S, can_wait

NICE = 10
"""Niceness of the training threads, so that the user interface has priority; with 5, frames were interrupted."""

POST_S = NUMBERS_S / 2
"""Seconds between two posts of steps; with steps of half of that or less, each drawing of the numbers has new ones."""

Post = Callable[[Message], Any]
Emit = Callable[[Event], None]
TrainFunction = Callable[[RunConfig, Path, Control, Emit], Any]
ResumeFunction = Callable[[Run, Control, Emit, int], Any]


def train_with_core(config: RunConfig, root: Path, control: Control, emit: Emit) -> None:
    """Run the training loop of core; import torch first, in the calling thread, if needed."""
    preload()
    from core.training.loop import train

    train(config, root, control, emit)


def resume_with_core(run: Run, control: Control, emit: Emit, add_epochs: int) -> None:
    """Resume a run, with so many more epochs."""
    preload()
    from core.training.resume import resume

    resume(run, control, emit, add_epochs=add_epochs)


class EventPoster:
    """Posts events: steps and counts together, a few times a second; all others at once."""

    def __init__(self, post: Post) -> None:
        self._post = post
        self._lock = threading.Lock()
        self._waiting: list[Event] = []
        self._posted = float("-inf")

    def emit(self, event: Event) -> None:
        with self._lock:
            self._waiting.append(event)
            if not can_wait(self._waiting) or time.monotonic() - self._posted >= POST_S:
                self._flush()

    def flush(self) -> None:
        """Post the events that wait."""
        with self._lock:
            self._flush()

    def _flush(self) -> None:
        if self._waiting:
            self._post(TrainingEvents(self._waiting))
            self._waiting, self._posted = [], time.monotonic()


class Training:
    """Trains one run at a time. The thread ends when its control requests a stop."""

    def __init__(self, post: Post, train: TrainFunction | None = None, resume: ResumeFunction | None = None) -> None:
        """``train`` and ``resume`` replace those of core."""
        self._post, self._train, self._resume = post, train or train_with_core, resume or resume_with_core
        self._thread: threading.Thread | None = None
        self.control = Control()

    @property
    def is_live(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, config: RunConfig, root: Path) -> None:
        """Start a new run. No other may be live."""
        self._begin(lambda control, emit: self._train(config, root, control, emit))

    def resume(self, run: Run, add_epochs: int = 0) -> None:
        """Resume a run, and first post its state so far. No other may be live."""

        def work(control: Control, emit: Emit) -> None:
            self._post(RunOpened(run, run.state(), own=True))
            self._resume(run, control, emit, add_epochs)

        self._begin(work)

    def _begin(self, work: Callable[[Control, Emit], Any]) -> None:
        assert not self.is_live
        self.control = Control()
        self._thread = threading.Thread(target=self._work, args=(work, self.control), name="training")
        self._thread.start()

    def stop_and_join(self, reason: str) -> None:
        """Request a stop and wait until the run is saved."""
        if self._thread is not None:
            self.control.stop(reason)
            self._thread.join()

    def _work(self, work: Callable[[Control, Emit], Any], control: Control) -> None:
        error, trace = "", ""
        lower_priority(NICE)
        poster = EventPoster(self._post)
        try:
            work(control, poster.emit)
        except InputError as problem:
            error = str(problem)
        except BaseException as problem:
            error, trace = f"{type(problem).__name__}: {problem}".splitlines()[0], traceback.format_exc()
        poster.flush()
        self._post(TrainingEnded(error, trace))
