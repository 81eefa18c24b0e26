"""Memory that is reused while a run trains is released at its end."""

from __future__ import annotations

import subprocess
import sys

import pytest

from core.engine.allocator import has_glibc

PROGRAM = """
import ctypes, os
from core.engine.allocator import reuse_freed_memory

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = resident()
with reuse_freed_memory():
    block = bytearray(100_000_000)
    del block
    within = resident()
print(within - before, resident() - before)
"""


@pytest.mark.skipif(not has_glibc(), reason="needs glibc's allocator")
def test_freed_memory_stays_with_the_process_until_the_context_ends() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True, timeout=100)
    within, after = map(int, done.stdout.split())
    assert within > 90_000_000
    assert after < 10_000_000
