"""Threads that inspect a model. A new inspection cancels the one before, and a live run has priority."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from textual.message import Message

from core.errors import InputError, Stopped
from core.training.preload import preload
from tui.messages import InspectionDone

CheckCancelled = Callable[[], None]
"""Raises if the inspection shall not continue; work calls it between its steps."""
Work = Callable[[CheckCancelled], Any]
REFUSED = "Not available while a run is training: it would take memory and time from the run."
CANCELLED = "Cancelled because a run has started. Try again when it has ended."


class Inspections:
    """At most one inspection computes at a time."""

    def __init__(self, post: Callable[[Message], Any], run_is_live: Callable[[], bool]) -> None:
        self._post, self._run_is_live = post, run_is_live
        self._number = 0
        self._lock = threading.Lock()

    def cancel(self) -> None:
        """Stop the current inspection at its next step; nothing is posted."""
        self._number += 1

    def start(self, page: str, work: Work, *, heavy: bool) -> None:
        """Run ``work`` in a thread and post InspectionDone to ``page``. A heavy one is cancelled if a run is live."""
        self._number += 1
        arguments = (self._number, page, work, heavy)
        threading.Thread(target=self._work, args=arguments, name=f"inspect-{page}", daemon=True).start()

    def _work(self, number: int, page: str, work: Work, heavy: bool) -> None:
        def check_cancelled() -> None:
            if number != self._number:
                raise Stopped
            if heavy and self._run_is_live():
                raise InputError(CANCELLED)

        try:
            preload()
            with self._lock:  # the one before ends soon; two at once would need the memory of both
                check_cancelled()
                message = InspectionDone(page, work(check_cancelled), "")
        except Stopped:
            return
        except InputError as error:
            message = InspectionDone(page, None, str(error))
        except Exception as error:
            message = InspectionDone(page, None, f"{type(error).__name__}: {error}".splitlines()[0])
        if number == self._number:
            self._post(message)
