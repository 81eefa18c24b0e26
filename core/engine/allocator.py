"""Memory that a step frees stays with the process, where the next step finds it.

glibc maps each large block anew and gives it back when it is freed. A training step frees gigabytes of activations
and wants the same a moment later, and the system has to clear every page of them each time.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

# Names and numbers of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _MMAP_MAX, _ARENA_MAX = -1, -3, -4, -8
_MB = 1 << 20


def has_glibc() -> bool:
    """Whether memory comes from glibc, whose allocator can be told to keep it."""
    try:
        return (os.confstr("CS_GNU_LIBC_VERSION") or "").startswith("glibc")
    except (AttributeError, ValueError, OSError):
        return False


def share_one_arena() -> None:
    """Threads that are started from now on allocate where the first one does: their own arenas hold no large block."""
    if has_glibc():
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 1)


@contextmanager
def memory_kept(wanted: bool = True) -> Iterator[None]:
    """Within it, glibc neither maps large blocks apart nor gives freed memory back; after it, all that is free is.

    A thread must have been started after :func:`share_one_arena`. Does nothing where not ``wanted``.
    """
    if not wanted:
        yield
        return
    libc = ctypes.CDLL(None)
    libc.mallopt(_MMAP_MAX, 0)
    libc.mallopt(_TRIM_THRESHOLD, -1)
    try:
        yield
    finally:
        # Where glibc itself arrives once it has seen a few large blocks freed.
        libc.mallopt(_MMAP_MAX, 65536)
        libc.mallopt(_MMAP_THRESHOLD, 32 * _MB)
        libc.mallopt(_TRIM_THRESHOLD, 64 * _MB)
        libc.malloc_trim(0)
