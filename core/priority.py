"""Which thread gives way to which, where a thread has a priority of its own."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

LOWEST = 19
"""Takes only what all others leave of the processors."""


def give_way(nice: int) -> None:
    """Lowers the calling thread's priority, and that of threads it starts from now on, to ``nice``; on Linux."""
    if hasattr(os, "setpriority") and sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
