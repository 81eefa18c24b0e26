"""Inspections in the background: the newest wins, and a heavy one never runs beside a training."""

from __future__ import annotations

import threading

from tui.messages import InspectionDone
from tui.workers.inspection import Inspections


def test_a_new_inspection_cancels_the_one_before_and_only_its_result_is_posted():
    posted: list[InspectionDone] = []
    running, go, done = threading.Event(), threading.Event(), threading.Event()
    ended: list[str] = []

    def post(message):
        posted.append(message)
        done.set()

    def long(check_cancelled):
        running.set()
        go.wait(10)
        try:
            check_cancelled()
        finally:
            ended.append("left")

    inspections = Inspections(post, lambda: False)
    inspections.start("Trace", long, heavy=True)
    assert running.wait(30)
    inspections.start("Weights", lambda _: "numbers", heavy=True)
    go.set()
    assert done.wait(10)
    assert [(one.page, one.result, one.error) for one in posted] == [("Weights", "numbers", "")]
    assert ended == ["left"]


def test_a_heavy_inspection_is_cancelled_when_a_run_starts():
    posted: list[InspectionDone] = []
    done, live = threading.Event(), threading.Event()

    def work(check_cancelled):
        check_cancelled()
        live.set()
        check_cancelled()

    inspections = Inspections(lambda message: (posted.append(message), done.set()), live.is_set)
    inspections.start("Trace", work, heavy=True)
    assert done.wait(30)
    assert "Cancelled because a run has started" in posted[0].error
