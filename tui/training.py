"""The worker thread of a run: a plain thread with its own life, which only posts messages."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.message import Message

from core.config import RunConfig
from core.control import Control
from core.errors import InputError
from core.events import Event
from core.libraries import load_training_libraries
from tui.messages import TrainingEnded, TrainingEvent

Post = Callable[[Message], Any]
TrainFunction = Callable[[RunConfig, Path, Control, Callable[[Event], None]], Any]


def train_for_real(config: RunConfig, root: Path, control: Control, emit: Callable[[Event], None]) -> None:
    """core's loop; torch is imported in the calling thread if it is not there yet."""
    load_training_libraries()
    from core.train import train

    train(config, root, control, emit)


class Training:
    """One run at a time. The thread ends by itself when its control says stop."""

    def __init__(self, post: Post, train: TrainFunction = train_for_real) -> None:
        self._post, self._train = post, train
        self._thread: threading.Thread | None = None
        self.control = Control()

    @property
    def is_live(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self, config: RunConfig, root: Path) -> None:
        """Starts the thread; the caller has made sure that no run is live."""
        assert not self.is_live
        self.control = Control()
        self._thread = threading.Thread(target=self._work, args=(config, root, self.control), name="training")
        self._thread.start()

    def stop_and_join(self, reason: str) -> None:
        """Asks for a stop and waits until everything is saved."""
        if self._thread is not None:
            self.control.stop(reason)
            self._thread.join()

    def _work(self, config: RunConfig, root: Path, control: Control) -> None:
        error = ""
        try:
            self._train(config, root, control, lambda event: self._post(TrainingEvent(event)))
        except InputError as problem:
            error = str(problem)
        except BaseException as problem:
            error = f"{type(problem).__name__}: {problem}".splitlines()[0]
            control.reason = traceback.format_exc()
        self._post(TrainingEnded(error))
