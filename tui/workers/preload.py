"""The thread that imports torch and transformers, which takes seconds; nobody waits for it, not even when leaving."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from textual.message import Message


class Loading:
    """Posts LibrariesLoaded once; where it is not ``wanted``, as in tests, never."""

    def __init__(self, post: Callable[[Message], Any], *, wanted: bool) -> None:
        self._post = post
        self._waits = wanted

    def start(self) -> None:
        """Begins, unless it has begun."""
        if self._waits:
            self._waits = False
            threading.Thread(target=self._work, name="libraries", daemon=True).start()

    def _work(self) -> None:
        from core.training.preload import preload
        from tui.messages import LibrariesLoaded

        began = time.monotonic()
        error = ""
        try:
            preload()
        except Exception as problem:
            error = f"{type(problem).__name__}: {problem}"
        self._post(LibrariesLoaded(time.monotonic() - began, error))
