"""Inspections in the background: the newest wins, and a heavy one never runs beside a training."""

from __future__ import annotations

import threading

from tui.messages import InspectionDone, InspectionProgress
from tui.workers.inspection import WAITS_FOR_OTHER, WAITS_FOR_RUN, Inspections


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


def test_with_wait_a_heavy_inspection_that_a_run_interrupts_starts_again_after_the_run():
    posted: list[InspectionDone | InspectionProgress] = []
    done, live, waits = threading.Event(), threading.Event(), threading.Event()
    calls: list[int] = []

    def post(message):
        posted.append(message)
        if isinstance(message, InspectionDone):
            done.set()
        elif message.progress == WAITS_FOR_RUN:
            waits.set()

    def work(inspection):
        calls.append(1)
        if len(calls) == 1:
            live.set()
        inspection()
        return "result"

    inspections = Inspections(post, live.is_set, wait=True)
    inspections.start("Words", work, heavy=True)
    assert waits.wait(30)
    assert len(calls) == 1
    live.clear()
    assert done.wait(10)
    assert (posted[-1].result, len(calls)) == ("result", 2)


def test_a_waiting_inspection_that_is_cancelled_ends_without_a_result():
    posted: list[InspectionDone | InspectionProgress] = []
    waits = threading.Event()

    def post(message):
        posted.append(message)
        waits.set()

    inspections = Inspections(post, lambda: True, wait=True)
    inspections.start("Words", lambda _: "result", heavy=True)
    assert waits.wait(30)
    inspections.cancel()
    for thread in threading.enumerate():
        if thread.name == "inspect-Words":
            thread.join(10)
            assert not thread.is_alive()
    assert not [each for each in posted if isinstance(each, InspectionDone)]


def test_inspections_of_different_slots_do_not_cancel_each_other_and_wait_for_their_turn():
    posted: list[InspectionDone | InspectionProgress] = []
    running, go, waits, both = (threading.Event() for _ in range(4))

    def post(message):
        posted.append(message)
        if getattr(message, "progress", "") == WAITS_FOR_OTHER:
            waits.set()
        if len([each for each in posted if isinstance(each, InspectionDone)]) == 2:
            both.set()

    def first(inspection):
        running.set()
        go.wait(10)
        inspection()
        return 1

    inspections = Inspections(post, lambda: False)
    inspections.start("Words", first, heavy=True, slot="words")
    assert running.wait(30)
    inspections.start("Errors", lambda _: 2, heavy=True, slot="errors")
    assert waits.wait(10)
    go.set()
    assert both.wait(10)
    assert [each.result for each in posted if isinstance(each, InspectionDone)] == [1, 2]
