"""Epochs added and learning rates changed during a run, also across a resume."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from core.checkpoints.format import checkpoints
from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.directory import Run
from core.runs.events import ControlReceived, EpochFinished, Event, StepLogged
from core.runs.reader import read_events
from core.training.control import Change, Control, journal_of
from tests.core.support.resuming import assert_same, resumed, stateful
from tests.core.support.training import Recorder, configured, on_step, run


@pytest.fixture
def config(config: RunConfig) -> RunConfig:
    return stateful(config)


@pytest.fixture
def plain(config: RunConfig, tmp_path: Path) -> Run:
    return run(config, tmp_path / "plain")[0]


def test_a_run_with_added_epochs_is_bit_identical_to_a_longer_run(config: RunConfig, tmp_path: Path) -> None:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, EpochFinished) and event.epoch == 3:
            control.change(Change("add_epochs", 2))

    asked, _ = run(config, tmp_path / "asked", act)
    done, _ = run(config, tmp_path / "done")
    with pytest.raises(InputError, match="is completed; --add-epochs N adds epochs"):
        resumed(done)
    recorder = resumed(done, add_epochs=2)
    assert [event.value for event in recorder.of(ControlReceived)] == [2]
    assert (recorder.end.status, recorder.end.reason) == ("completed", "finished 5 epochs")
    assert_same(done, asked)
    assert done.state().total_steps == 20
    with pytest.raises(InputError, match="is completed"):
        resumed(done)


def test_added_epochs_survive_a_crash_before_the_next_checkpoint(config: RunConfig, tmp_path: Path) -> None:
    whole, _ = run(config, tmp_path / "whole")
    resumed(whole, add_epochs=1)
    done, _ = run(config, tmp_path / "broken")
    resumed(
        done, lambda event, control: control.discard("gone") if isinstance(event, StepLogged) else None, add_epochs=1
    )
    assert done.state().status == "interrupted"
    resumed(done)
    assert_same(done, whole)


def test_a_change_at_the_step_of_the_checkpoint_is_made_once(config: RunConfig, tmp_path: Path) -> None:
    """Requested in a pause that ends with a stop, as a user does it."""

    def pause(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged) and event.step == 5:
            control.pause()
            control.change(Change("add_epochs", 1))
        if isinstance(event, ControlReceived) and event.action == "add_epochs":
            control.stop("enough")

    whole, _ = run(config, tmp_path / "whole", on_step(5, lambda control: control.change(Change("add_epochs", 1))))
    done, recorder = run(config, tmp_path / "stopped", pause)
    assert (recorder.end.status, recorder.end.step) == ("stopped", 5)
    recorder = resumed(done)
    assert recorder.of(ControlReceived) == []
    assert (recorder.end.status, recorder.end.reason) == ("completed", "finished 4 epochs")
    assert_same(done, whole)


def test_repeating_the_journal_of_learning_rates_repeats_the_curve(
    config: RunConfig, plain: Run, tmp_path: Path
) -> None:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged) and event.step in (3, 8):
            control.change(Change("learning_rate", 1e-2 / event.step))

    changed, recorder = run(config, tmp_path / "changed", act)
    assert [(e.step, e.value) for e in recorder.of(ControlReceived)] == [(3, 1e-2 / 3), (8, 1e-2 / 8)]
    curves, before = changed.state().curves, plain.state().curves
    assert curves["lr"].values[:3] == before["lr"].values[:3]
    scale = curves["lr"].values[3] / before["lr"].values[3]
    assert scale == pytest.approx(1e-2 / 3 / 1e-3)
    assert curves["train/loss"].values[4:] != before["train/loss"].values[4:]
    assert [mark.step for mark in changed.state().marks if mark.kind == "learning_rate"] == [3, 8]

    control = Control()
    control.expect(journal_of(read_events(changed)))
    from core.training.loop import train

    repeated = train(config, tmp_path / "repeated", control, Recorder())
    assert_same(repeated, changed)


def test_a_resumed_run_repeats_the_changes_after_its_checkpoint(config: RunConfig, tmp_path: Path) -> None:
    def die_at(step: int) -> Callable[[Event, Control], None]:
        def die(event: Event, _: Control) -> None:
            if isinstance(event, StepLogged) and event.step == step:
                raise RuntimeError("gone")

        return die

    def change(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged) and event.step == 6:
            control.change(Change("learning_rate", 5e-3))

    def change_and_die(event: Event, control: Control) -> None:
        change(event, control)
        die_at(7)(event, control)

    whole, _ = run(config, tmp_path / "whole", change)
    done, _ = run(config, tmp_path / "broken", change_and_die)
    assert checkpoints(done.path / "checkpoints")[0].name == "step-4"
    resumed(done, die_at(5))
    resumed(done)
    assert_same(done, whole)


def test_a_run_can_resume_with_another_learning_rate(config: RunConfig, tmp_path: Path) -> None:
    config = configured(config, train__lr_schedule="constant", train__warmup_ratio=0.0)
    done, _ = run(config, tmp_path, on_step(5, lambda control: control.stop("enough")))
    resumed(done, peak_learning_rate=2e-3)
    assert done.state().curves["lr"].values.tolist() == [1e-3] * 5 + [2e-3] * 7
