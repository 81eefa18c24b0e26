"""The thread of a run: it gives way to the one that answers keys, and only it."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from core.config import RunConfig
from tui.training import NICE, Training


@pytest.mark.skipif(sys.platform != "linux", reason="only there has a thread a priority of its own")
def test_a_runs_thread_and_those_it_starts_give_way_and_no_other_does(tmp_path):
    seen = []

    def look():
        seen.append(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))

    def train(*_):
        look()
        started = threading.Thread(target=look)
        started.start()
        started.join()

    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    training = Training(lambda _: None, train)
    training.start(RunConfig(), tmp_path)
    training.stop_and_join("the test is over")
    look()
    assert seen == [max(before, NICE), max(before, NICE), before]
