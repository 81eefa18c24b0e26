"""Reuse of freed memory between training steps, on systems with glibc.

By default glibc asks the system for each large block and returns it when it is freed. A training step frees gigabytes
of activations and needs the same amount a moment later, and the system has to clear every page again.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

# Parameters of mallopt, from glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX = -1, -3, -4
_MB = 1 << 20


def has_glibc() -> bool:
    """Whether the C library is glibc, whose allocator can be configured at run time."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):
        return False


@contextmanager
def reuse_freed_memory(enabled: bool = True) -> Iterator[None]:
    """Within this context, glibc keeps freed memory for the next allocation; at its end, free memory is released.

    The settings apply to the whole process. Does nothing if not ``enabled``.
    """
    if not enabled:
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_MAX, 0)
    libc.mallopt(_TRIM_THRESHOLD, -1)
    try:
        yield
    finally:
        # glibc raises its thresholds to these maxima by itself after it has freed a few large blocks.
        libc.mallopt(_MMAP_MAX, 65536)
        libc.mallopt(_MMAP_THRESHOLD, 32 * _MB)
        libc.mallopt(_TRIM_THRESHOLD, 64 * _MB)
        libc.malloc_trim(0)
