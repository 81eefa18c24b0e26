"""How a run pauses, stops and fails, and which errors do not end it."""

from __future__ import annotations

import errno
import math
import os
import re
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from core.checkpoints import async_writer
from core.checkpoints.format import load_weights
from core.config.schema import RunConfig
from core.errors import InputError
from core.runs.directory import list_runs
from core.runs.events import (
    CheckpointSaved,
    ControlReceived,
    EpochFinished,
    Event,
    Progressed,
    RunStarted,
    StepLogged,
    Warned,
)
from core.runs.writer import RunWriter
from core.training import loop as train_module
from core.training import step as step_module
from core.training.control import Control
from core.training.loop import train
from tests.core.support.hub_server import loopback_hub
from tests.core.support.tiny import files_of
from tests.core.support.training import Recorder, built_models, configured, on_step, run


def test_a_pause_changes_no_loss(config: RunConfig, tmp_path: Path) -> None:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged) and event.step in (2, 4):
            control.pause()
        if isinstance(event, ControlReceived) and event.action == "pause":
            control.resume()

    _, plain = run(config, tmp_path)
    _, paused = run(config, tmp_path, act)
    assert paused.losses == plain.losses
    actions = [(event.step, event.action) for event in paused.of(ControlReceived)]
    assert actions == [(2, "pause"), (2, "resume"), (4, "pause"), (4, "resume")]


def test_a_paused_run_makes_no_step_until_it_is_stopped(config: RunConfig, tmp_path: Path) -> None:
    control, paused = Control(), threading.Event()

    def act(event: Event) -> None:
        if isinstance(event, StepLogged) and event.step == 3:
            control.pause()
        if isinstance(event, ControlReceived):
            paused.set()

    recorder = Recorder(act)
    thread = threading.Thread(target=train, args=(config, tmp_path, control, recorder))
    thread.start()
    assert paused.wait(60)
    thread.join(0.1)
    assert thread.is_alive()
    assert len(recorder.losses) == 3
    control.stop("requested")
    thread.join(60)
    assert not thread.is_alive()
    assert len(recorder.losses) == 3
    assert recorder.end.status == "stopped"


def test_a_stop_saves_everything_up_to_its_step(config: RunConfig, tmp_path: Path) -> None:
    done, recorder = run(config, tmp_path, on_step(6, lambda control: control.stop("enough")))
    assert (recorder.end.status, recorder.end.reason, recorder.end.step) == ("stopped", "enough", 6)
    assert [(event.step, event.action) for event in recorder.of(ControlReceived)] == [(6, "stop")]
    assert done.state().status == "stopped"
    assert len(done.state().curves["train/loss"].values) == 6
    assert sorted(path.name for path in (done.path / "checkpoints").iterdir()) == ["step-4", "step-6"]
    assert len(load_weights(done.path / "checkpoints" / "step-6")) == 22
    assert len(done.predictions(1)) == 8


def test_a_stop_ends_a_validation_before_its_last_batch(config: RunConfig, tmp_path: Path) -> None:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, Progressed) and event.message == "validating":
            control.stop("enough")

    _, recorder = run(configured(config, data__test_size=0.5, train__batch_size=4), tmp_path, act)
    assert recorder.end.status == "stopped"
    assert recorder.of(EpochFinished) == []
    assert [event.step for event in recorder.of(CheckpointSaved)] == [5]


def test_a_stop_right_after_an_epoch_does_not_save_its_weights_again(config: RunConfig, tmp_path: Path) -> None:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, EpochFinished):
            control.stop("enough")

    done, recorder = run(config, tmp_path, act)
    assert recorder.end.status == "stopped"
    assert [event.step for event in recorder.of(CheckpointSaved)] == [4]
    load_weights(done.path / "checkpoints" / "step-4")


def test_a_stop_before_the_first_step_leaves_no_checkpoint(config: RunConfig, tmp_path: Path) -> None:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, RunStarted):
            control.stop("enough")

    done, recorder = run(config, tmp_path, act)
    assert (recorder.end.status, recorder.losses) == ("stopped", [])
    assert not (done.path / "checkpoints").exists()


def test_a_stop_in_the_middle_of_a_download_ends_as_stopped(
    config: RunConfig, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, Progressed) and event.message.startswith("downloading"):
            control.stop("enough")

    with loopback_hub(monkeypatch, tmp_path / "cache") as server:
        server.repos["acme/tiny"] = files_of(folder)
        _, recorder = run(configured(config, model__checkpoint="acme/tiny"), tmp_path, act)
        assert server.asked_for("model.safetensors") == []
    assert (recorder.end.status, recorder.end.reason) == ("stopped", "enough")


@pytest.mark.parametrize("what", ["loss", "gradient"])
def test_a_loss_or_gradient_that_is_not_finite_ends_the_run_before_it_changes_the_weights(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    models, before = built_models(monkeypatch), {}
    loss_of = step_module.classification_loss

    def act(event: Event, _: Control) -> None:
        if isinstance(event, StepLogged) and event.step == 6:
            before.update({name: tensor.clone() for name, tensor in models[0].state_dict().items()})

    def broken(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        loss = loss_of(logits, labels)
        if before:
            factor = math.nan if what == "loss" else 1.0
            logits.register_hook(lambda gradient: gradient * math.inf)
            loss = loss * factor
        return loss

    monkeypatch.setattr(step_module, "classification_loss", broken)
    done, recorder = run(config, tmp_path, act)
    assert (recorder.end.status, recorder.end.reason, recorder.end.step) == ("failed", "loss is not finite", 6)
    assert "step 7 (epoch 2)" in recorder.end.error
    assert re.search(r"learning rate 0\.001, reviews (\d+, ){7}\d+;", recorder.end.error)
    assert "the weights are those of step 6" in recorder.end.error
    assert all(torch.equal(before[name], tensor) for name, tensor in models[0].state_dict().items())
    assert done.state().status == "failed"
    load_weights(done.path / "checkpoints" / "step-4")


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize(
    ("owner", "name"),
    [(async_writer, "save_checkpoint"), (RunWriter, "write_predictions"), (RunWriter, "write_environment")],
)
def test_a_full_disk_gives_one_warning_and_training_continues(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: ModuleType | type, name: str
) -> None:
    monkeypatch.setattr(owner, name, no_space)
    done, recorder = run(config, tmp_path)
    assert recorder.end.status == "completed"
    assert done.state().saving_fails_since == recorder.of(Warned)[0].time
    assert [event.message for event in recorder.of(Warned)] == [
        "Saving failed (No space left on device); training continues"
    ]
    assert len(recorder.losses) == 8


def test_events_that_a_full_disk_refused_are_written_once_there_is_room(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full, write = threading.Event(), os.write

    def limited(handle: int, content: bytes) -> int:
        if full.is_set() and content.startswith(b'{"event"'):
            no_space()
        return write(handle, content)

    def act(event: Event, _: Control) -> None:
        if isinstance(event, StepLogged):
            (full.set if event.step in (2, 3) else full.clear)()

    monkeypatch.setattr(os, "write", limited)
    done, recorder = run(config, tmp_path, act)
    assert recorder.end.status == "completed"
    assert [event.message for event in recorder.of(Warned)] == [
        "Saving failed (No space left on device); training continues",
        "Saving works again",
    ]
    state = done.state()
    assert state.curves["train/loss"].values.tolist() == recorder.losses
    assert (state.skipped_lines, state.saving_fails_since) == (0, None)


def test_an_unexpected_error_ends_the_run_as_failed_with_its_traceback(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom\nand more")

    monkeypatch.setattr(train_module, "evaluate", broken)
    done, recorder = run(config, tmp_path)
    assert (recorder.end.status, recorder.end.error) == ("failed", "RuntimeError: boom")
    assert "Traceback" in recorder.end.traceback
    assert "and more" in recorder.end.traceback
    assert done.state().status == "failed"


def test_a_keyboard_interrupt_ends_the_run_as_stopped_and_is_raised_again(config: RunConfig, tmp_path: Path) -> None:
    def interrupt(_: Control) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(config, tmp_path, on_step(2, interrupt))
    (found,) = list_runs(tmp_path)
    assert found.state().status == "stopped"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data__source": "/nowhere/reviews.csv"}, "file not found"),
        ({"data__test_size": 0.5, "train__batch_size": 21}, "make it smaller"),
        ({"data__max_length": 65}, "more than the checkpoint's 64 positions"),
        ({"model__freeze": ("bert",)}, "no module or parameter is named"),
        ({"model__checkpoint": "acme/absent"}, "'acme/absent' is not available"),
    ],
)
def test_invalid_input_is_raised_and_leaves_no_run(
    config: RunConfig, tmp_path: Path, change: dict[str, Any], message: str
) -> None:
    recorder = Recorder()
    with pytest.raises(InputError, match=message):
        train(configured(config, **change), tmp_path, Control(), recorder)
    assert (recorder.end.status, recorder.end.traceback) == ("failed", "")
    assert message in recorder.end.error
    assert list(tmp_path.glob("2*")) == []
