"""Work of which only the newest matters."""

from __future__ import annotations

import threading

from tui.workers.latest import Latest


def test_a_newer_request_replaces_the_waiting_one_and_the_running_one_finishes():
    latest, done = Latest("test"), []
    started, go, over = threading.Event(), threading.Event(), threading.Event()

    def first():
        started.set()
        assert go.wait(10)
        done.append(("first", latest.is_outdated))

    latest.submit(first)
    assert started.wait(10)
    latest.submit(lambda: done.append(("second", False)))
    latest.submit(lambda: (done.append(("third", latest.is_outdated)), over.set()))
    assert latest.is_busy
    go.set()
    assert over.wait(10)
    assert done == [("first", True), ("third", False)]


def test_work_after_a_pause_is_done_too():
    latest = Latest("test")
    for _ in range(3):
        done = threading.Event()
        latest.submit(done.set)
        assert done.wait(10)
