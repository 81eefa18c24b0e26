"""A resumed run is bit-identical to one that never stopped, wherever it stopped and wherever it was moved."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.checkpoints.format import MANIFEST, TRAINING, checkpoints, load_weights
from core.config.schema import RunConfig, to_toml
from core.errors import InputError
from core.runs import recorder as recorder_module
from core.runs.directory import Run, list_runs
from core.runs.events import CheckpointSaved, ControlReceived, EpochFinished, Event, RunStarted, StepLogged, Warned
from core.runs.reader import read_events
from core.runs.state import RunState
from core.runs.writer import RunWriter
from core.training import loop as train_module
from core.training import step as step_module
from core.training.control import Change, Control, journal_of
from core.training.evaluate import Evaluation, evaluate
from core.training.resume import resume
from tests.core.support.training import Recorder, configured, on_step, run


@pytest.fixture
def config(config: RunConfig) -> RunConfig:
    """With everything that has random numbers or state: dropout, a schedule, a new order each epoch."""
    return configured(
        config,
        model__head_dropout=0.3,
        train__lr_schedule="linear",
        train__warmup_ratio=0.2,
        train__reshuffle_each_epoch=True,
        train__num_epochs=3,
    )


def resumed(done: Run, act: Callable[[Event, Control], None] = lambda *_: None, **options: Any) -> Recorder:
    control = Control()
    recorder = Recorder(lambda event: act(event, control))
    resume(done, control, recorder, **options)
    return recorder


def final_weights(done: Run) -> dict[str, torch.Tensor]:
    return load_weights(checkpoints(done.path / "checkpoints")[0])


def assert_same(left: Run, right: Run) -> None:
    """Curves, epochs, predictions and weights are bit-identical."""
    a, b = left.state(), right.state()
    for name in a.curves:
        assert a.curves[name] == b.curves[name], name
    same = ("epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy")
    assert [[getattr(e, f) for f in same] for e in a.epochs] == [[getattr(e, f) for f in same] for e in b.epochs]
    for epoch in a.epochs:
        assert left.predictions(epoch.epoch) == right.predictions(epoch.epoch)
    weights, others = final_weights(left), final_weights(right)
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert (a.status, a.step) == (b.status, b.step) == ("completed", a.total_steps)


@pytest.fixture
def plain(config: RunConfig, tmp_path: Path) -> Run:
    return run(config, tmp_path / "plain")[0]


@pytest.mark.parametrize("step", [1, 3, 4, 7, 11])
def test_a_run_stopped_at_any_step_resumes_bit_identically(
    config: RunConfig, plain: Run, tmp_path: Path, step: int
) -> None:
    done, _ = run(config, tmp_path / "broken", on_step(step, lambda control: control.stop("enough")))
    assert done.state().status == "stopped"
    recorder = resumed(done)
    (started,) = recorder.of(RunStarted)
    assert (started.step, started.checkpoint, started.inexact) == (step, f"checkpoints/step-{step}", "")
    assert recorder.of(StepLogged)[0].step == step + 1
    assert_same(done, plain)


def test_a_run_stopped_at_every_step_resumes_bit_identically(config: RunConfig, plain: Run, tmp_path: Path) -> None:
    def stop_at_once(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged):
            control.stop("enough")

    done, _ = run(config, tmp_path / "broken", stop_at_once)
    for _ in range(11):
        resumed(done, stop_at_once)
    if done.state().status != "completed":
        resumed(done)
    assert_same(done, plain)
    elapsed = [event.elapsed for event in read_events(done)]
    assert elapsed == sorted(elapsed)


def test_a_run_stopped_during_a_validation_resumes_with_that_validation(config: RunConfig, tmp_path: Path) -> None:
    config = configured(config, data__test_size=0.5, train__batch_size=4)
    plain, _ = run(config, tmp_path / "plain")

    def act(event: Event, control: Control) -> None:
        if getattr(event, "message", "") == "validating":
            control.stop("enough")

    done, _ = run(config, tmp_path / "broken", act)
    assert (done.state().step, done.state().epochs) == (5, [])
    recorder = resumed(done)
    assert isinstance(next(e for e in recorder.events if isinstance(e, (StepLogged, EpochFinished))), EpochFinished)
    assert_same(done, plain)


def test_a_failed_run_resumes_from_its_last_checkpoint(
    config: RunConfig, plain: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loss_of, calls = step_module.classification_loss, []

    def breaks(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        calls.append(1)
        if len(calls) == 6:
            raise RuntimeError("a cosmic ray")
        return loss_of(logits, labels)

    with monkeypatch.context() as patch:
        patch.setattr(step_module, "classification_loss", breaks)
        done, recorder = run(config, tmp_path / "broken")
    assert recorder.end.status == "failed"
    assert resumed(done).of(RunStarted)[0].step == 4
    assert_same(done, plain)


def test_a_moved_run_resumes_without_its_sources(config: RunConfig, plain: Run, folder: Path, tmp_path: Path) -> None:
    own, moved_to = tmp_path / "own-checkpoint", tmp_path / "elsewhere"
    shutil.copytree(folder, own)
    reviews = tmp_path / "moved.csv"
    shutil.copy(config.data.source, reviews)
    there = configured(config, model__checkpoint=str(own), data__source=str(reviews))
    done, _ = run(there, tmp_path / "here", on_step(5, lambda control: control.stop("enough")))
    shutil.rmtree(own)
    reviews.unlink()
    moved_to.mkdir()
    moved = Run(Path(shutil.move(done.path, moved_to)))
    with pytest.raises(InputError, match="there is no such file"):
        resumed(moved)
    assert moved.state().status == "stopped"
    resumed(moved, data=config.data.source)
    assert_same(moved, plain)


def test_other_reviews_than_the_runs_own_are_refused(config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(config, tmp_path / "runs", on_step(2, lambda control: control.stop("enough")))
    other = tmp_path / "other.csv"
    other.write_text(Path(config.data.source).read_text(encoding="utf-8").replace(" a ", " one "), encoding="utf-8")
    with pytest.raises(InputError, match=r"was trained on other reviews: .*pass the original file with --data"):
        resumed(done, data=str(other))
    assert resumed(done).end.status == "completed"


def test_a_damaged_newest_checkpoint_is_skipped_with_a_warning(config: RunConfig, plain: Run, tmp_path: Path) -> None:
    config = configured(config, train__save_steps=1)
    done, _ = run(config, tmp_path / "broken", on_step(6, lambda control: control.stop("enough")))
    newest, before = checkpoints(done.path / "checkpoints")
    assert newest.name == "step-6"
    content = bytearray((newest / TRAINING).read_bytes())
    content[len(content) // 2] ^= 4
    (newest / TRAINING).write_bytes(content)
    recorder = resumed(done)
    assert "step-6: training.safetensors is damaged" in recorder.of(Warned)[0].message
    assert recorder.of(RunStarted)[0].step == int(before.name.removeprefix("step-"))
    a, b = done.state(), plain.state()
    assert a.curves == b.curves
    assert len(a.epochs) == 3


@pytest.mark.parametrize("how", ["none", "all damaged", "another configuration"])
def test_without_a_usable_checkpoint_resume_raises_one_line_and_writes_nothing(
    config: RunConfig, tmp_path: Path, how: str
) -> None:
    step = 0 if how == "none" else 2
    done, _ = run(config, tmp_path, lambda event, control: control.stop("enough") if (
        getattr(event, "step", None) == step) else None)  # fmt: skip
    if how == "all damaged":
        for path in checkpoints(done.path / "checkpoints"):
            (path / MANIFEST).unlink()
    if how == "another configuration":
        text = (done.path / "config.toml").read_text(encoding="utf-8")
        (done.path / "config.toml").write_text(text.replace("batch_size = 8", "batch_size = 4"), encoding="utf-8")
    before = done.events_path.read_bytes()
    with pytest.raises(InputError, match=f"run {done.name} has no checkpoint to resume from: ") as caught:
        resumed(done)
    assert "\n" not in str(caught.value)
    expected = {"none": "before it saved one", "all damaged": "manifest", "another configuration": "train.batch_size"}
    assert expected[how] in str(caught.value)
    assert done.events_path.read_bytes() == before
    assert done.state().status == "stopped"


def test_a_run_that_another_process_writes_is_refused(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RunWriter, "LOCK_PATIENCE_S", 0.05)
    done, _ = run(config, tmp_path, on_step(2, lambda control: control.stop("enough")))
    owner = RunWriter(done.path)
    with pytest.raises(InputError, match="is being written by process"):
        resumed(done)
    owner.close()
    assert resumed(done).end.status == "completed"


def test_resuming_on_another_engine_logs_that_the_run_is_not_bit_identical(config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(config, tmp_path, on_step(2, lambda control: control.stop("enough")))
    path = checkpoints(done.path / "checkpoints")[0] / MANIFEST
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["engine"] |= {"threads": 8, "dtype": "bfloat16"}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    recorder = resumed(done)
    assert recorder.of(RunStarted)[0].inexact == "dtype bfloat16 → float32, threads 8 → 1"
    assert any("not bit-identical: dtype bfloat16" in words for _, words in done.state().log)
    assert recorder.end.status == "completed"


# Adding epochs


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


def test_a_resume_with_unusable_reviews_leaves_the_run_unchanged(config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(config, tmp_path)
    before = done.events_path.read_bytes()
    few = tmp_path / "few.csv"
    few.write_text("review,sentiment\n" + "a film,positive\nbad,negative\n" * 10, encoding="utf-8")
    for data, words in ((str(few), "was trained on other reviews"), ("/nowhere.csv", "there is no such file")):
        with pytest.raises(InputError, match=words):
            resume(done, Control(), Recorder(), add_epochs=1, data=data)
    assert done.events_path.read_bytes() == before
    assert done.state().status == "completed"
    assert resumed(done, add_epochs=1).end.status == "completed"


# The learning rate


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


# The three endings


def test_finish_this_epoch_trains_to_its_end_validates_saves_and_stops(
    config: RunConfig, plain: Run, tmp_path: Path
) -> None:
    done, recorder = run(config, tmp_path / "b", on_step(5, lambda control: control.finish_epoch("tea")))
    state = done.state()
    assert (state.status, state.step, len(state.epochs)) == ("stopped", 8, 2)
    assert [(event.action, event.step) for event in recorder.of(ControlReceived)] == [("finish_epoch", 8)]
    assert checkpoints(done.path / "checkpoints")[0].name == "step-8"
    resumed(done)
    assert_same(done, plain)


def test_finish_this_epoch_in_the_last_one_completes_the_run(config: RunConfig, tmp_path: Path) -> None:
    _, recorder = run(config, tmp_path, on_step(10, lambda control: control.finish_epoch("tea")))
    assert recorder.end.status == "completed"


def test_a_discarded_run_writes_nothing_more_and_is_interrupted(config: RunConfig, plain: Run, tmp_path: Path) -> None:
    sizes: list[int] = []

    def act(event: Event, control: Control) -> None:
        if isinstance(event, CheckpointSaved):
            control.discard("never mind")
            (events,) = (tmp_path / "b").glob("*/events.jsonl")
            sizes.append(events.stat().st_size)

    done, recorder = run(config, tmp_path / "b", act)
    assert done.events_path.stat().st_size == sizes[0]
    assert [path.name for path in checkpoints(done.path / "checkpoints")] == ["step-4"]
    assert (recorder.end.status, recorder.end.reason) == ("interrupted", "never mind")
    assert done.state().status == "interrupted"
    resumed(done)
    assert_same(done, plain)


# Early stopping and the best checkpoint


def losses_are(monkeypatch: pytest.MonkeyPatch, *losses: float) -> None:
    """Replace the loss of each validation."""
    left = iter(losses)

    def validated(*arguments: Any) -> Evaluation:
        return replace(evaluate(*arguments), loss=next(left))

    monkeypatch.setattr(train_module, "evaluate", validated)


def test_early_stopping_ends_a_run_after_patience_epochs_without_a_better_metric(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses_are(monkeypatch, 0.5, 0.6, 0.4, 0.4, 0.45, 0.3)
    config = configured(config, train__early_stopping_patience=2, train__num_epochs=30)
    done, recorder = run(config, tmp_path)
    assert len(done.state().epochs) == 5
    ending = "early stopping: no better val/loss since step 12"
    assert (recorder.end.status, recorder.end.reason) == ("completed", ending)


def test_early_stopping_completes_a_run_and_added_epochs_reset_its_patience(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses_are(monkeypatch, 0.3, 0.5, 0.4, 0.2, 0.6, 0.7)
    config = configured(config, train__early_stopping_patience=2, train__num_epochs=4)
    done, _ = run(config, tmp_path)
    assert len(done.state().epochs) == 3
    with pytest.raises(InputError, match="is completed; --add-epochs N"):
        resumed(done)
    assert resumed(done, add_epochs=2).end.reason == "finished 6 epochs"
    assert len(done.state().epochs) == 6


def test_keep_best_keeps_the_best_checkpoint_beside_the_last_two(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configured(config, train__num_epochs=6)
    for keep in (True, False):
        losses_are(monkeypatch, 0.5, 0.3, 0.4, 0.4, 0.45, 0.35)
        done, _ = run(configured(config, train__keep_best=keep), tmp_path / str(keep))
        kept = {path.name for path in checkpoints(done.path / "checkpoints")}
        assert kept == {"step-20", "step-24"} | ({"step-8"} if keep else set())


def test_a_resumed_run_continues_to_count_patience(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses_are(monkeypatch, 0.3, 0.5, 0.4, 0.2)
    config = configured(config, train__early_stopping_patience=2, train__num_epochs=30)
    done, _ = run(config, tmp_path / "broken", on_step(9, lambda control: control.stop("enough")))
    assert resumed(done).end.reason == "early stopping: no better val/loss since step 4"
    assert len(done.state().epochs) == 3


# Out of memory


class Full:
    """A device that has memory for at most ``most`` reviews at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, most: int, error: Exception) -> None:
        loss_of = step_module.classification_loss

        def limited(logits: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
            if len(labels) > most:
                raise error
            return loss_of(logits, labels)

        monkeypatch.setattr(step_module, "classification_loss", limited)


OOM = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("[enforce fail at alloc_cpu.cpp:128] . DefaultCPUAllocator: not enough memory: you tried to allocate"),
    MemoryError(),
]


@pytest.mark.parametrize("error", OOM, ids=["cuda", "cpu", "python"])
def test_out_of_memory_continues_in_micro_batches_with_the_same_gradient(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    config = configured(config, model__head_dropout=0.0)
    plain, _ = run(config, tmp_path / "plain")
    Full(monkeypatch, 2, error)
    done, recorder = run(config, tmp_path / "full")
    assert recorder.end.status == "completed"
    messages = [event.message for event in recorder.of(Warned)]
    assert [message.split("micro-batches of ")[1][0] for message in messages] == ["4", "2"]
    assert all(message.startswith("step 1: out of memory") for message in messages)
    a, b = done.state().curves["train/loss"].values, plain.state().curves["train/loss"].values
    assert a[0] == pytest.approx(b[0], abs=1e-6)


def test_a_run_in_micro_batches_resumes_bit_identically(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Full(monkeypatch, 3, OOM[0])
    whole, _ = run(config, tmp_path / "whole")
    done, _ = run(config, tmp_path / "broken", on_step(5, lambda control: control.stop("enough")))
    recorder = resumed(done)
    assert recorder.of(Warned) == []
    assert_same(done, whole)


def test_if_a_single_review_does_not_fit_the_run_fails_with_advice(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Full(monkeypatch, 0, OOM[0])
    _, recorder = run(config, tmp_path)
    assert (recorder.end.status, recorder.end.reason) == ("failed", "out of memory")
    assert "a single review does not fit into memory (CUDA out of memory" in recorder.end.error
    assert "MB are free" in recorder.end.error


def test_the_live_state_of_a_resumed_run_is_its_stored_state(config: RunConfig, tmp_path: Path) -> None:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, CheckpointSaved):
            control.discard("gone")

    done, first = run(config, tmp_path, act)
    second = resumed(done)
    live = RunState()
    for event in [*first.events, *second.events]:
        live.apply(event)
    kept = done.state()
    assert (live.curves, live.epochs, live.step) == (kept.curves, kept.epochs, kept.step)
    assert kept.steps_made == len(first.losses) + 8
    assert [event.step for event in second.of(CheckpointSaved)] == [8, 12]


def test_a_clock_that_is_set_back_makes_no_duration_negative(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(10**6, 0, -10))
    monkeypatch.setattr(recorder_module.time, "time", lambda: float(next(ticks)))
    done, _ = run(config, tmp_path, on_step(5, lambda control: control.stop("enough")))
    resumed(done)
    events = read_events(done)
    assert [event.time for event in events] == sorted((event.time for event in events), reverse=True)
    elapsed = [event.elapsed for event in events]
    assert elapsed == sorted(elapsed)
    assert all(epoch.seconds >= 0 for epoch in done.state().epochs)
    assert 0 < done.state().elapsed < 100


LITTLE_ROOM = """
import resource, sys
from pathlib import Path
from core.config.schema import from_toml
from core.training.control import Control
from core.runs.events import CheckpointSaved
from core.training.loop import train

def act(event):
    if isinstance(event, CheckpointSaved):  # the first one; the next save starts after this event
        resource.setrlimit(resource.RLIMIT_FSIZE, (12_000, resource.RLIM_INFINITY))

config = from_toml(Path(sys.argv[1]).read_text(encoding="utf-8"), preset="tiny", where="")
train(config, Path(sys.argv[2]), Control(), act)
"""


@pytest.mark.slow
def test_a_checkpoint_that_cannot_be_written_gives_a_warning_and_the_last_one_stays(
    config: RunConfig, plain: Run, tmp_path: Path
) -> None:
    (tmp_path / "config.toml").write_text(to_toml(config), encoding="utf-8")
    subprocess.run([sys.executable, "-c", LITTLE_ROOM, tmp_path / "config.toml", tmp_path / "full"], check=True)
    (done,) = list_runs(tmp_path / "full")
    state = done.state()
    assert state.status == "completed"
    assert state.saving_fails_since is not None
    assert any("Saving failed (File too large" in words or "too large" in words for _, words in state.log)
    assert [path.name for path in checkpoints(done.path / "checkpoints")] == ["step-4"]
    resumed(done)
    assert_same(done, plain)
