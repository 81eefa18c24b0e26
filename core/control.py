"""What a person, or a signal, asks of a run; looked at between two steps."""

from __future__ import annotations

import threading


class Stopped(Exception):  # noqa: N818 - a request, not an error
    """Raised to leave something long, such as a download, because a stop was asked for."""


class Control:
    """Thread-safe requests to a running ``train``. A stop cannot be taken back."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._go = threading.Event()
        self._go.set()
        self.reason = ""

    def stop(self, reason: str) -> None:
        """Ends the run at the next step boundary, keeping everything; also ends a pause."""
        if not self._stop.is_set():
            self.reason = reason
            self._stop.set()
        self._go.set()

    def pause(self) -> None:
        """Holds the run at the next step boundary, the model in memory."""
        self._go.clear()

    def resume(self) -> None:
        self._go.set()

    @property
    def stop_requested(self) -> bool:
        return self._stop.is_set()

    @property
    def pause_requested(self) -> bool:
        return not self._go.is_set()

    def wait_while_paused(self) -> None:
        """Returns when resumed or stopped."""
        self._go.wait()
