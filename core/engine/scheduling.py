"""Priorities of threads on Linux, where each thread has its own."""

from __future__ import annotations

import os
import sys
import threading
from contextlib import suppress

LOWEST = 19
"""The nice value of a thread that takes only idle processor time."""


def lower_priority(nice: int) -> None:
    """Set the nice value of the calling thread, and of threads that it starts from now on; a no-op elsewhere."""
    if hasattr(os, "setpriority") and sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)
