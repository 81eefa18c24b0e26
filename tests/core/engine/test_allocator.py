"""What a step frees, the next one has: counted in pages that the system had to bring."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from core.engine.allocator import has_glibc

PROBE = """
import resource, sys, threading, torch
from core.engine.allocator import memory_kept, share_one_arena

torch.set_num_threads(1)

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    blocks = [torch.zeros(megabytes << 18) for megabytes in (60, 40, 70, 30)]
    del blocks
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def work():
    for _ in range(int(sys.argv[2])):
        faults()
    print(faults(), resident())

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1])

share_one_arena()
with memory_kept(sys.argv[1] == "kept"):
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
print(resident())
"""


def probe(how: str, *, after: int) -> tuple[int, int, int]:
    """Page faults of a round of allocations in a thread ``after`` so many, and pages resident then and at the end."""
    command = [sys.executable, "-c", PROBE, how, str(after)]
    out = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    during, resident, at_the_end = map(int, out.stdout.split())
    return during, resident, at_the_end


@pytest.mark.skipif(not has_glibc(), reason="only glibc's allocator can be told to keep its pages")
def test_freed_memory_is_found_again_in_a_thread_too_and_given_back_at_the_end() -> None:
    pages = 200 * (1 << 20) // os.sysconf("SC_PAGE_SIZE")
    faults, _, _ = probe("returned", after=8)
    assert faults > 0.9 * pages  # without it, each round brings all of its pages anew
    # glibc before 2.38 needs up to fifteen rounds until freed blocks fit those that are aligned.
    faults, resident, at_the_end = probe("kept", after=24)
    assert faults < 0.01 * pages
    assert resident - at_the_end > 0.4 * pages
