"""Records the events of a run: each is written to events.jsonl, then emitted. A full disk does not end the run."""

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
    """Records the events of one run. Without a ``writer``, as on all ranks but the first, it only emits them."""

    def __init__(self, writer: RunWriter | None, emit: Emit, *, elapsed: float = 0.0) -> None:
        """``elapsed`` is how many seconds the run trained before it was resumed."""
        self.writer, self._emit = writer, emit
        self._start = time.monotonic() - elapsed
        self.failing: set[str] = set()
        """The parts of the run that cannot be saved at the moment."""

    def now(self) -> dict[str, Any]:
        """``time`` and ``elapsed`` of an event that happens now; ``elapsed`` never decreases."""
        return {"time": time.time(), "elapsed": time.monotonic() - self._start}

    def emit(self, event: Event, *, keep: bool = True) -> None:
        """Write the event, then emit it; with ``keep=False``, only emit it."""
        if self.writer is not None and event.stored and keep:
            error = self.writer.append(event)
            if error is not None:
                self.saving_failed("events", error)
            else:
                self.saving_works("events")
        self._emit(event)

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
        """Warn, once, if the body cannot save ``part``; training continues."""
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
            reason = " ".join(str(error.strerror or error).split())
            self.warn(f"Saving failed ({reason}); training continues", saving_fails=True)

    def saving_works(self, part: str) -> None:
        """Report that saving works again, once everything that failed is saved."""
        if part in self.failing:
            self.failing.remove(part)
            if not self.failing:
                self.warn("Saving works again", saving_fails=False)
