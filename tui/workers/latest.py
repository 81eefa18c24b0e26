"""Work in a thread where only the newest matters: what waits is replaced, what runs is finished and then dropped."""

from __future__ import annotations

import threading
from collections.abc import Callable

Work = Callable[[], object]


class Latest:
    """At most one thread runs, and at most one piece of work waits for it: the one that was handed over last."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._waiting: Work | None = None
        self._running = False

    def submit(self, work: Work) -> None:
        """Runs ``work`` as soon as the thread is free, unless something newer comes first."""
        with self._lock:
            self._waiting = work
            if self._running:
                return
            self._running = True
        threading.Thread(target=self._run, name=self._name, daemon=True).start()

    @property
    def is_outdated(self) -> bool:
        """For the work itself to ask: something newer waits, so that it may stop."""
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
