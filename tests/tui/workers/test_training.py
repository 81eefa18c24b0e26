"""The training thread: its priority, and how it posts events."""

from __future__ import annotations

import os
import sys
import threading

import pytest

from core.config.schema import RunConfig
from core.runs.events import Event
from tests.tui.fakes import epoch, started, step
from tui.workers.training import NICE, EventPoster, Training


@pytest.mark.skipif(sys.platform != "linux", reason="only there has a thread a priority of its own")
def test_the_training_thread_and_those_that_it_starts_have_low_priority(tmp_path):
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
def hourly(monkeypatch):
    """A poster that posts steps once an hour, and the events of each message."""
    monkeypatch.setattr("tui.workers.training.POST_S", 3600.0)
    messages: list[list[Event]] = []
    return EventPoster(lambda message: messages.append(message.events)), messages


def test_steps_are_posted_together_with_the_next_other_event(hourly):
    poster, messages = hourly
    events = [started(), step(1), step(2), epoch(1, at=2), step(3)]
    for event in events:
        poster.emit(event)
    assert messages == [[events[0]], events[1:4]]
    poster.flush()
    assert messages[2:] == [[events[4]]]
    poster.flush()
    assert len(messages) == 3


def test_a_step_is_posted_at_once_if_the_last_message_is_long_ago(hourly, monkeypatch):
    poster, messages = hourly
    poster.emit(step(1))
    poster.emit(step(2))
    assert messages == [[step(1)]]
    monkeypatch.setattr("tui.workers.training.POST_S", 0.0)
    poster.emit(step(3))
    assert messages == [[step(1)], [step(2), step(3)]]


def test_waiting_steps_are_posted_before_the_end_of_the_run(tmp_path, monkeypatch):
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
