"""A thread for work of which only the newest request matters."""

from __future__ import annotations

import threading
from collections.abc import Callable

Work = Callable[[], object]


class Latest:
    """Runs one request at a time; a new request replaces the one that waits."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: Work | None = None
        self._running = False

    def submit(self, work: Work) -> None:
        """Run ``work`` when the thread is free, unless a newer request replaces it first."""
        with self._lock:
            self._waiting = work
            if self._running:
                return
            self._running = True
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    @property
    def is_outdated(self) -> bool:
        """Whether a newer request waits; running work may check this and stop."""
        return self._waiting is not None

    @property
    def is_busy(self) -> bool:
        return self._running

    def _run(self) -> None:
        while True:
            with self._lock:
                work, self._waiting = self._waiting, None
                if work is None:
                    self._running = False
                    return
            work()
