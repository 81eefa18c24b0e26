"""The thread of a run: it gives way to the one that answers keys, and only it."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from core.config.schema import RunConfig
from core.runs.events import Event
from tests.tui.fakes import epoch, started, step
from tui.workers.training import NICE, Telling, Training


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


@pytest.fixture
def told(monkeypatch):
    """A telling that posts steps once an hour, and the steps or kinds of events in each message."""
    monkeypatch.setattr("tui.workers.training.POST_S", 3600.0)
    messages: list[list[Event]] = []
    return Telling(lambda message: messages.append(message.events)), messages


def test_steps_are_told_together_with_what_cannot_wait(told):
    telling, messages = told
    said = [started(), step(1), step(2), epoch(1, at=2), step(3)]
    for event in said:
        telling.emit(event)
    assert messages == [[said[0]], said[1:4]]
    telling.end()
    assert messages[2:] == [[said[4]]]
    telling.end()
    assert len(messages) == 3


def test_a_step_is_told_at_once_where_none_was_for_so_long(told, monkeypatch):
    telling, messages = told
    telling.emit(step(1))
    telling.emit(step(2))
    assert messages == [[step(1)]]
    monkeypatch.setattr("tui.workers.training.POST_S", 0.0)
    telling.emit(step(3))
    assert messages == [[step(1)], [step(2), step(3)]]


def test_what_waited_is_told_before_a_run_is_over(tmp_path, monkeypatch):
    monkeypatch.setattr("tui.workers.training.POST_S", 3600.0)
    posted = []

    def train(config, root, control, emit):
        emit(step(1))
        emit(step(2))
        raise ValueError("out of luck")

    training = Training(posted.append, train)
    training.start(RunConfig(), tmp_path)
    training.stop_and_join("the test is over")
    assert [message.events for message in posted[:2]] == [[step(1)], [step(2)]]
    assert posted[2].error == "ValueError: out of luck"
