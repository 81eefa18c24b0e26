"""The state of the runs behind the console, without any widgets."""

from __future__ import annotations

import pytest

from core.config.schema import RunConfig
from core.runs.state import RunState
from core.training.control import Control
from core.training.requests import RemoteControl
from tests.tui.fakes import finished, started, step, whole_run, write_run
from tui.messages import RunOpened, TrainingEnded, TrainingEvents
from tui.run_session import RunSession


@pytest.fixture
def session(tmp_path):
    """A session whose training thread ends at once, without any event."""
    session = RunSession(tmp_path, lambda _: True, train=lambda *_: None, resume=lambda *_: None)
    yield session
    session.stop_watching()
    session.training.stop_and_join("the test is over")


@pytest.fixture
def stopped_run(tmp_path):
    return write_run(tmp_path, RunConfig(preset="quick"), whole_run(done=1, end="stopped"))


def open_from_disk(session, run, *, own=False):
    session.watched_run = None if own else run
    session.take_opened(RunOpened(run, run.state(), own=own))


def test_the_current_run_is_the_watched_one_until_watching_stops(session, stopped_run):
    session.start(RunConfig(preset="scratch"))
    session.apply(TrainingEvents([started(preset="scratch"), step(1)]))
    own = session.current
    assert (own.preset, own.step) == ("scratch", 1)
    open_from_disk(session, stopped_run)
    assert session.current.status == "stopped"
    assert session.current_run == stopped_run
    session.stop_watching()
    assert session.current is own


def test_the_keys_steer_the_process_of_the_watched_run_or_this_consoles_own_thread(session, stopped_run):
    assert isinstance(session.steering, Control)
    open_from_disk(session, stopped_run)
    assert isinstance(session.steering, RemoteControl)


def test_starting_a_run_ends_watching_and_clears_the_traceback(session, stopped_run):
    session.own = RunState(preset="quick")
    session.end(TrainingEnded("ValueError: no", "Traceback …"))
    assert (session.own.status, session.own_traceback) == ("failed", "Traceback …")
    open_from_disk(session, stopped_run)
    session.start(RunConfig(preset="scratch"))
    assert (session.watched, session.own.preset, session.own_traceback) == (None, "scratch", "")


def test_a_resumed_run_has_its_earlier_curves_and_configuration(session, stopped_run):
    open_from_disk(session, stopped_run, own=True)
    assert (session.own.status, session.own.step, session.own_config) == ("starting", 10, stopped_run.config())


def test_a_run_that_was_opened_too_late_is_ignored(session, stopped_run):
    session.take_opened(RunOpened(stopped_run, stopped_run.state(), own=False))
    assert session.current is None


def test_an_error_after_the_end_of_the_run_makes_it_failed(session):
    session.own = RunState()
    session.apply(TrainingEvents([started(), finished("completed", at=30)]))
    session.end(TrainingEnded(""))
    assert session.own.status == "completed"
    session.end(TrainingEnded("OSError: disk full", "Traceback …"))
    assert session.own.status == "failed"
