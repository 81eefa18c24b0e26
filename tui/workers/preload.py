"""The thread that imports torch and transformers, which takes seconds."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from textual.message import Message


class LibraryLoader:
    """Posts LibrariesLoaded once. With ``enabled=False``, as in tests, it never starts."""

    def __init__(self, post: Callable[[Message], Any], *, enabled: bool) -> None:
        self._post = post
        self._may_start = enabled

    def start(self) -> None:
        """Start the thread, unless it was started before."""
        if self._may_start:
            self._may_start = False
            threading.Thread(target=self._work, name="libraries", daemon=True).start()

    def _work(self) -> None:
        from core.training.preload import preload
        from tui.messages import LibrariesLoaded

        started = time.monotonic()
        error = ""
        try:
            preload()
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        self._post(LibrariesLoaded(time.monotonic() - started, error))
