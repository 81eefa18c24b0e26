"""What a run says and keeps: events written first and then shown, and saving that may fail without ending it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from core.runs.events import Event, Progressed, RunFinished, Warned
from core.runs.status import Status
from core.runs.writer import RunWriter

Emit = Callable[[Event], None]


class Recorder:
    """Emits the events of one run. Without a ``writer``, as on all ranks but the first, it keeps nothing."""

    def __init__(self, writer: RunWriter | None, emit: Emit, *, elapsed: float = 0.0) -> None:
        """``elapsed`` are the seconds that the run has had before."""
        self.writer, self._show = writer, emit
        self._began = time.monotonic() - elapsed
        self.failing: set[str] = set()
        """Which parts of the run do not reach the disk."""

    def now(self) -> dict[str, Any]:
        """The moment of an event: the clock on the wall, and the run's own, which is never set back."""
        return {"time": time.time(), "elapsed": time.monotonic() - self._began}

    def emit(self, event: Event, *, keep: bool = True) -> None:
        """Written first, then shown; ``keep=False`` only shows."""
        if self.writer is not None and event.stored and keep:
            error = self.writer.append(event)
            if error is not None:
                self.saving_failed("events", error)
            else:
                self.saving_works("events")
        self._show(event)

    def progress(self, message: str, done: int | None = None, total: int | None = None) -> None:
        self.emit(Progressed(**self.now(), message=message, done=done, total=total))

    def warn(self, message: str, *, saving_fails: bool | None = None) -> None:
        self.emit(Warned(**self.now(), message=message, saving_fails=saving_fails))

    def finish(
        self,
        status: Status,
        reason: str,
        *,
        step: int,
        speed: float,
        error: str = "",
        trace: str = "",
        keep: bool = True,
    ) -> None:
        self.emit(
            RunFinished(
                **self.now(),
                status=status,
                step=step,
                reason=reason,
                samples_per_second=speed,
                error=error,
                traceback=trace,
            ),
            keep=keep,
        )

    @contextmanager
    def saving(self, part: str) -> Iterator[None]:
        """What of the run cannot be saved is said, once, and training goes on."""
        try:
            yield
        except OSError as error:
            self.saving_failed(part, error)
        else:
            self.saving_works(part)

    def saving_failed(self, part: str, error: OSError) -> None:
        first = not self.failing
        self.failing.add(part)
        if first:
            words = " ".join(str(error.strerror or error).split())
            self.warn(f"saving fails ({words}); training goes on", saving_fails=True)

    def saving_works(self, part: str) -> None:
        """Takes the warning back once everything that failed has reached the disk again."""
        if part in self.failing:
            self.failing.remove(part)
            if not self.failing:
                self.warn("saving works again", saving_fails=False)
