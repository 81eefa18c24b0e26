"""Compute threads have a processor each where there are as many, and what is lent is given back."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from core.engine import scheduling as priority

PROCESSORS = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
several = pytest.mark.skipif(len(PROCESSORS) < 2, reason="needs two processors that a thread can be kept on")
# A thread of its own in a process of its own: there is no pool of threads yet.
SECONDS = 1
PROGRAM = """
import json, os, sys, threading, time
import torch
from core.engine.scheduling import kept_on, spread_workers

SECONDS = int(sys.argv[2])

def computing():
    # The mask of each thread that has computed for a while.
    found = {}
    for name in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{name}/stat") as file:
            ticks = int(file.read().rsplit(")", 1)[1].split()[11])
        if ticks / os.sysconf("SC_CLK_TCK") > SECONDS / 4:
            found[int(name)] = sorted(os.sched_getaffinity(int(name)))
    return found

def work():
    threads, before = int(sys.argv[1]), computing()
    torch.set_num_threads(threads)
    own = spread_workers(threads)
    free = sorted(os.sched_getaffinity(0))
    with kept_on(own):
        kept = sorted(os.sched_getaffinity(0))
        matrix, end = torch.ones(1000, 1000), time.monotonic() + SECONDS
        while time.monotonic() < end:
            matrix @ matrix
        before[threading.get_native_id()] = kept
        new = [mask for name, mask in computing().items() if name not in before]
    after = sorted(os.sched_getaffinity(0))
    print(json.dumps([new, free, kept, after, torch.get_num_threads()]))

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


def placed(threads):
    """Masks of the workers; of the caller before, while and after it is kept; torch's threads."""
    command = [sys.executable, "-c", PROGRAM, str(threads), str(SECONDS)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@several
def test_each_compute_thread_has_a_processor_of_its_own():
    workers, free, kept, after, count = placed(len(PROCESSORS))
    assert sorted(workers) == [[processor] for processor in PROCESSORS[1:]]
    assert kept == PROCESSORS[:1]
    assert free == after == PROCESSORS
    assert count == len(PROCESSORS)


@several
def test_more_threads_than_processors_stay_where_the_scheduler_puts_them():
    workers, *own, count = placed(len(PROCESSORS) + 1)
    assert workers
    assert all(mask == PROCESSORS for mask in workers)
    assert own == [PROCESSORS] * 3  # nothing to keep it on
    assert count == len(PROCESSORS) + 1


def test_where_a_thread_cannot_be_kept_on_a_processor_nothing_is_asked_for(monkeypatch):
    monkeypatch.delattr(os, "sched_setaffinity", raising=False)
    own = priority.spread_workers(2)
    with priority.kept_on(own):
        pass
    assert own == set()


@several
def test_where_the_system_forbids_it_a_run_goes_on_as_it_is(monkeypatch):
    def forbidden(_, processors):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", forbidden)
    assert priority.spread_workers(len(PROCESSORS)) == set()
