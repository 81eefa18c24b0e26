"""The state of a run, computed from its events."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.runs.events import Event, Progressed
from core.runs.reader import RunUpdate
from core.runs.state import RunState, fold
from tests.core.support.events_of import control, epoch, finished, probes, saved, started, step, warned, whole_run


def test_the_state_of_a_complete_run_has_everything_that_a_view_shows() -> None:
    state = fold(whole_run())
    assert (state.run, state.preset, state.status) == ("20261124-090000-tiny", "tiny", "completed")
    assert (state.step, state.epoch, state.total_steps, state.elapsed) == (8, 2, 8, 8.0)
    assert state.curves["train/loss"].steps.tolist() == list(range(1, 9))
    assert state.curves["train/loss"].values.tolist() == [0.7 - i / 100 for i in range(1, 9)]
    assert state.curves["lr"].values.tolist() == [1e-3] * 8
    assert state.curves["val/accuracy"].steps.tolist() == [4, 8]
    assert state.curves["val/accuracy"].values.tolist() == [0.71, 0.72]
    assert state.curves["val/loss"].last == 0.5
    assert [e.epoch for e in state.epochs] == [1, 2]
    assert state.best_val_accuracy == 0.72
    assert state.samples_per_second == 16.0
    assert state.tokens_per_second == 160.0
    assert state.seconds_left is None
    assert [message for _, message in state.log] == [
        "started on cpu, float32",
        "warning: naïve Übung 🎬",
        "epoch 1: val loss 0.500, accuracy 71.0 %",
        "epoch 2: val loss 0.500, accuracy 72.0 %",
        "pause at step 1: key p",
        "resume at step 1: key p",
        "saved checkpoints/last",
        "completed: done",
    ]


def test_a_state_without_events_is_starting() -> None:
    state = RunState()
    assert (state.status, state.total_steps) == ("starting", 0)
    assert state.samples_per_second is state.tokens_per_second is state.seconds_left is state.best_val_accuracy is None
    assert all(curve.last is None for curve in state.curves.values())


@pytest.mark.parametrize(
    ("events", "status"),
    [
        ([started()], "running"),
        ([started(), control("pause")], "paused"),
        ([started(), control("pause"), control("resume")], "running"),
        ([started(), step(1), control("stop")], "running"),
        ([started(), control("stop"), finished("stopped", at=1)], "stopped"),
        ([warned("x")], "starting"),
        ([finished("failed", at=0, error="no such file")], "failed"),
    ],
)
def test_the_status_follows_the_events(events: list[Event], status: str) -> None:
    assert fold(events).status == status


def test_the_last_log_line_of_a_failed_run_is_its_error() -> None:
    assert fold([started(), finished("failed", error="loss is nan")]).log[-1][1] == "failed: loss is nan"


def test_progress_is_shown_until_the_next_step() -> None:
    state = fold([Progressed(time=0.0, elapsed=0.1, message="loading reviews")])
    assert state.activity == "loading reviews"
    state.apply(started())
    assert state.activity == ""
    state.apply(Progressed(time=0.0, elapsed=0.1, message="evaluating"))
    state.apply(step(1))
    assert state.activity == ""


def test_time_left_comes_from_the_speed_of_steps_and_evaluations_so_far() -> None:
    state = fold([started(epochs=3, steps=4, validation_examples=24), step(1), step(2)])
    # Ten steps of 0.5 s, and three evaluations of 24 reviews at a third of a training review's 1/16 s.
    assert state.seconds_left == pytest.approx(10 * 0.5 + 3 * 24 / 16 / 3)
    state.apply(step(3))
    state.apply(step(4))
    state.apply(epoch(1, at=4, seconds=3.0))
    assert state.seconds_left == pytest.approx(8 * 0.5 + 2 * (3.0 - 4 * 0.5))


def test_before_the_first_step_and_after_the_end_there_is_no_time_left() -> None:
    assert fold([started()]).seconds_left is None
    assert fold([started(), step(1), finished("stopped", at=1)]).seconds_left is None


def test_steps_without_reviews_give_no_time_left() -> None:
    assert fold([started(), step(1, examples=0)]).seconds_left is None


def test_a_loss_of_nan_is_in_the_curve() -> None:
    assert math.isnan(fold([started(), step(1, loss=math.nan)]).curves["train/loss"].values[0])


@given(st.integers(0, len(whole_run())))
def test_applying_the_events_in_two_parts_gives_the_same_state(cut: int) -> None:
    events = whole_run()
    state = fold(events[:cut])
    for event in events[cut:]:
        state.apply(event)
    assert state == fold(events)


def test_applying_events_changes_neither_the_events_nor_another_state() -> None:
    events = whole_run()
    first = fold(events)
    second = fold(events)
    second.apply(step(9))
    assert first == fold(events) != second
    assert events == whole_run()


def test_a_run_that_starts_again_has_nothing_of_its_first_attempt_but_the_time() -> None:
    again = [started(restarted=True), probes(0), step(1), step(2)]
    state = fold([started(), probes(0), *map(step, range(1, 5)), epoch(1, at=4), control("learning_rate"), *again])
    assert state.curves["train/loss"].steps.tolist() == [1, 2]
    assert state.probes[0].steps.tolist() == [0]
    assert not state.epochs
    assert not state.curves["val/loss"].steps
    assert [mark.kind for mark in state.marks] == ["start"]
    assert (state.step, state.epoch, state.steps_made) == (2, 1, 6)
    assert state.log[-1][1] == "started again at step 0: the run ended before its first checkpoint"


def test_a_checkpoint_is_logged_with_its_path() -> None:
    assert fold([saved("checkpoints/best")]).log[-1][1] == "saved checkpoints/best"


@pytest.mark.parametrize(
    ("events", "is_live", "status"),
    [
        ([started()], True, "running"),
        ([started()], False, "interrupted"),
        ([], False, "interrupted"),
        ([started(), control("pause")], False, "interrupted"),
        ([started(), finished("completed")], False, "completed"),
        ([started(), finished("completed")], True, "completed"),
        ([started(), finished("stopped"), started(step=3, checkpoint="checkpoints/step-3")], True, "running"),
    ],
)
def test_a_run_without_an_end_and_without_a_process_is_interrupted(
    events: list[Event], is_live: bool, status: str
) -> None:
    state = RunState()
    state.update(RunUpdate(list(events), is_live, 0))
    assert state.status == status


def test_a_process_that_resumes_an_interrupted_run_makes_it_live_again() -> None:
    state = RunState()
    state.update(RunUpdate([started(), step(1)], False, 0))
    assert state.status == "interrupted"
    state.update(RunUpdate([], True, 0))
    assert state.status == "running"
