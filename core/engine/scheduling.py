"""Which thread gives way to which, and which processor it computes on; on Linux, where a thread has both."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

LOWEST = 19
"""Takes only what all others leave of the processors."""
LARGE = 1 << 20
"""So many elements torch computes with all of its threads."""


def give_way(nice: int) -> None:
    """Lowers the calling thread's priority, and that of threads it starts from now on, to ``nice``; on Linux."""
    if hasattr(os, "setpriority") and sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), nice)


def spread_workers(threads: int) -> set[int]:
    """Starts the threads that torch computes with for the calling one, each on a processor of its own.

    Gives the processor that is left for the calling thread; none where there are more or fewer than ``threads``, and
    where a thread cannot be kept on one: nothing is changed then.

    A console that draws wakes up some times a second, and the scheduler makes room for it by putting two computing
    threads on one processor, where each waits for the other until it has moved one back.
    """
    import torch

    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_setaffinity") else set()
    if not 1 < threads == len(allowed):
        return set()
    first, *others = sorted(allowed)
    try:
        for count, processor in enumerate(others, start=2):
            # A thread starts where the one that starts it may be; this lets OpenMP start one more.
            with kept_on({processor}):
                torch.set_num_threads(count)
                torch.zeros(LARGE).add_(1)
    except OSError:  # a container forbids it
        return set()
    return {first}


@contextmanager
def kept_on(processors: set[int]) -> Iterator[None]:
    """Keeps the calling thread, and those that it starts meanwhile, on these processors; not at all with none."""
    if not processors:
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, processors)
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)
