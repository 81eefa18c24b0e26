"""Threads that inspect a model or a run. A new inspection cancels the one before, and a live run has priority."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from textual.message import Message

from core.errors import InputError, Stopped
from core.training.preload import preload
from tui.messages import InspectionDone, InspectionProgress

CheckCancelled = Callable[[], None]
"""Raises if the inspection shall not continue; work calls it between its steps."""
Work = Callable[["Inspection"], Any]
REFUSED = "Not available while a run is training: it would take memory and time from the run."
CANCELLED = "Cancelled because a run has started. Try again when it has ended."
WAITS_FOR_RUN = "waits until the run has ended"
WAITS_FOR_OTHER = "waits until another computation has ended"
POLL_S = 0.1
"""How often a waiting inspection checks whether it may continue, and the least time between two progress messages."""


class _RunHasStarted(Exception):  # noqa: N818 - a reason to wait, not an error
    pass


class Inspection:
    """What its work gets: a call checks whether to continue, and :meth:`report` shows the progress."""

    def __init__(self, is_current: Callable[[], bool], run_is_live: Callable[[], bool], show: Callable[[str], None]):
        self._is_current, self._run_is_live, self._show = is_current, run_is_live, show
        self._reported = 0.0

    def __call__(self) -> None:
        """Raise if the inspection was cancelled, or if it is heavy and a run has started."""
        self.check_cancelled()
        if self._run_is_live():
            raise _RunHasStarted

    @property
    def must_end(self) -> bool:
        """Whether a call would raise; for work that has to store something before it ends."""
        return not self._is_current() or self._run_is_live()

    def check_cancelled(self) -> None:
        """Raise Stopped if the inspection was cancelled."""
        if not self._is_current():
            raise Stopped

    def report(self, progress: str, *, now: bool = False) -> None:
        """Show one line about the progress; messages that follow too quickly are left out unless ``now``."""
        if now or time.monotonic() - self._reported >= POLL_S:
            self._reported = time.monotonic()
            self._show(progress)


class Inspections:
    """At most one inspection computes at a time."""

    def __init__(self, post: Callable[[Message], Any], run_is_live: Callable[[], bool], *, wait: bool = False) -> None:
        """With ``wait``, a heavy inspection waits while a run is live; else it is cancelled with an error."""
        self._post, self._run_is_live, self._wait = post, run_is_live, wait
        self._numbers: dict[str, int] = {}
        self._lock = threading.Lock()

    def cancel(self, slot: str | None = None) -> None:
        """Stop the inspection of ``slot``, or all, at the next step; nothing is posted."""
        for each in list(self._numbers) if slot is None else [slot]:
            self._numbers[each] = self._numbers.get(each, 0) + 1

    def start(self, page: str, work: Work, *, heavy: bool, slot: str = "", libraries: bool = True) -> None:
        """Run ``work`` in a thread and post InspectionDone to ``page``.

        The inspection before with the same ``slot`` is cancelled. A heavy one never computes while a run is live.
        Without ``libraries``, torch and transformers are not imported first.
        """
        self.cancel(slot)
        number = self._numbers[slot]
        inspection = Inspection(
            lambda: self._numbers[slot] == number,
            self._run_is_live if heavy else lambda: False,
            lambda progress: self._post(InspectionProgress(page, progress)),
        )
        arguments = (inspection, page, work, libraries)
        threading.Thread(target=self._work, args=arguments, name=f"inspect-{page}", daemon=True).start()

    def _work(self, inspection: Inspection, page: str, work: Work, libraries: bool) -> None:
        try:
            if libraries:
                preload()
            message = InspectionDone(page, self._compute(inspection, work), "")
        except Stopped:
            return
        except InputError as error:
            message = InspectionDone(page, None, str(error))
        except Exception as error:
            message = InspectionDone(page, None, f"{type(error).__name__}: {error}".splitlines()[0])
        try:
            inspection.check_cancelled()
        except Stopped:
            return
        self._post(message)

    def _compute(self, inspection: Inspection, work: Work) -> Any:
        """Run ``work`` alone; if a run starts meanwhile, run it again after the run, or raise InputError."""
        while True:
            self._acquire(inspection)
            try:
                inspection()
                return work(inspection)
            except _RunHasStarted:
                if not self._wait:
                    raise InputError(CANCELLED) from None
            finally:
                self._lock.release()
            inspection.report(WAITS_FOR_RUN, now=True)
            while self._run_is_live():
                inspection.check_cancelled()
                time.sleep(POLL_S)
            inspection.report("", now=True)

    def _acquire(self, inspection: Inspection) -> None:
        """Wait for the one before: it ends soon if it was cancelled, and two at once would need the memory of both."""
        waits = False
        while not self._lock.acquire(timeout=POLL_S):
            inspection.check_cancelled()
            if not waits:
                waits = True
                inspection.report(WAITS_FOR_OTHER, now=True)
        if waits:
            inspection.report("", now=True)
