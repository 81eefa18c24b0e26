"""A resumed run is bit-identical to one that never stopped, also at any step and after its directory was moved."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from core.checkpoints.format import MANIFEST, TRAINING, checkpoints
from core.config.schema import RunConfig
from core.config.toml_file import to_toml
from core.errors import InputError
from core.runs import recorder as recorder_module
from core.runs.directory import Run, list_runs
from core.runs.events import CheckpointSaved, ControlReceived, EpochFinished, Event, RunStarted, StepLogged, Warned
from core.runs.reader import read_events
from core.runs.state import RunState
from core.runs.writer import RunWriter, create_run
from core.training import checkpointing as checkpointing_module
from core.training import step as step_module
from core.training.control import Change, Control
from core.training.resume import resume
from tests.core.support.resuming import assert_same, resumed, stateful
from tests.core.support.tiny import write_checkpoint
from tests.core.support.training import Recorder, configured, on_step, run


@pytest.fixture
def config(config: RunConfig) -> RunConfig:
    return stateful(config)


@pytest.fixture
def plain(config: RunConfig, tmp_path: Path) -> Run:
    return run(config, tmp_path / "plain")[0]


def killed_at(
    config: RunConfig, root: Path, *, step: int, act: Callable[[Event, Control], None] = lambda *_: None
) -> Run:
    """A run as a process leaves it that is killed right after ``step``, before the first checkpoint."""

    def die(event: Event, control: Control) -> None:
        act(event, control)
        if isinstance(event, StepLogged) and event.step == step:
            control.discard("killed")

    done, _ = run(configured(config, train__save_steps=0), root, die)
    assert not checkpoints(done.path / "checkpoints")
    return done


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
    with pytest.raises(InputError, match="file not found"):
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


def test_the_checkpoint_that_a_run_resumes_from_is_not_written_again(config: RunConfig, tmp_path: Path) -> None:
    config = configured(config, train__save_steps=1)
    done, _ = run(config, tmp_path / "stopped", on_step(5, lambda control: control.stop("enough")))
    manifest = checkpoints(done.path / "checkpoints")[0] / MANIFEST
    before = manifest.stat()
    recorder = resumed(done, lambda event, control: control.stop("at once"))
    assert recorder.of(CheckpointSaved) == []
    assert (manifest.stat().st_ino, manifest.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    assert resumed(done).of(CheckpointSaved)[0].step == 6


def test_a_run_killed_while_it_replaced_its_only_checkpoint_resumes_from_the_old_one(
    config: RunConfig, plain: Run, tmp_path: Path
) -> None:
    done, _ = run(config, tmp_path / "killed", on_step(3, lambda control: control.stop("enough")))
    (only,) = checkpoints(done.path / "checkpoints")
    only.rename(only.with_name(f".{only.name}.replaced-1a2b3c4d"))
    assert resumed(done).of(RunStarted)[0].step == 3
    assert_same(done, plain)


def test_a_run_killed_before_its_first_checkpoint_starts_again_bit_identically(
    config: RunConfig, plain: Run, tmp_path: Path
) -> None:
    done = killed_at(config, tmp_path / "killed", step=3)
    assert done.can_resume(done.state())
    recorder = resumed(done)
    (started,) = recorder.of(RunStarted)
    assert (started.step, started.checkpoint, started.restarted) == (0, "", True)
    assert_same(done, plain)
    state = done.state()
    assert sum("started again at step 0" in message for _, message in state.log) == 1
    assert state.epochs[-1].elapsed > state.epochs[0].elapsed > 0


def test_a_run_killed_before_its_set_up_or_stopped_at_step_0_starts_again(
    config: RunConfig, plain: Run, tmp_path: Path
) -> None:
    created = create_run(tmp_path / "created", config)
    created.close()
    stopped, _ = run(config, tmp_path / "stopped", lambda event, control: control.stop("at once"))
    for done in (created.run, stopped):
        assert resumed(done).of(RunStarted)[0].restarted
        assert_same(done, plain)


def test_a_run_that_starts_again_repeats_the_changes_that_were_made(config: RunConfig, tmp_path: Path) -> None:
    def change(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged) and event.step == 2:
            control.change(Change("learning_rate", 5e-4))
            control.change(Change("add_epochs", 1))

    plain, _ = run(config, tmp_path / "plain", change)
    done = killed_at(config, tmp_path / "killed", step=3, act=change)
    changes = resumed(done, lambda event, control: control.discard("again")
                      if getattr(event, "step", 0) == 3 else None)  # fmt: skip
    assert [event.action for event in changes.of(ControlReceived)][:2] == ["learning_rate", "add_epochs"]
    resumed(done)
    assert_same(done, plain)
    assert (done.state().num_epochs, done.state().peak_learning_rate) == (4, 5e-4)


@pytest.mark.parametrize("what", ["reviews", "weights"])
def test_a_run_starts_again_only_with_its_own_reviews_and_weights_and_is_never_removed(
    config: RunConfig, folder: Path, tmp_path: Path, what: str
) -> None:
    own = Path(shutil.copytree(folder, tmp_path / "own-checkpoint"))
    reviews = Path(shutil.copy(config.data.source, tmp_path / "own.csv"))
    done = killed_at(configured(config, model__checkpoint=str(own), data__source=str(reviews)), tmp_path / "r", step=1)
    before = done.events_path.read_bytes()
    if what == "reviews":
        reviews.write_text(reviews.read_text(encoding="utf-8").replace(" a ", " one "), encoding="utf-8")
    else:
        write_checkpoint(own, seed=7)
    with pytest.raises(InputError, match=f"run {done.name} .*{what}"):
        resumed(done)
    assert done.events_path.read_bytes() == before
    assert done.config()


def test_the_first_checkpoint_comes_after_a_minute_and_the_next_after_save_seconds(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0.0]
    monkeypatch.setattr(checkpointing_module.time, "monotonic", lambda: clock[0])

    def act(event: Event, _: Control) -> None:
        clock[0] += 25.0 * isinstance(event, StepLogged)

    config = configured(config, train__num_epochs=1, train__batch_size=3, train__save_seconds=100.0)
    _, recorder = run(config, tmp_path, act)
    steps = [event.step for event in recorder.of(CheckpointSaved)]
    assert steps[0] == 3
    assert steps[1] >= 7  # later if the first one is still being written


@pytest.mark.parametrize("how", ["removed", "all damaged", "another configuration"])
def test_without_a_usable_checkpoint_resume_raises_one_line_and_writes_nothing(
    config: RunConfig, tmp_path: Path, how: str
) -> None:
    done, _ = run(config, tmp_path, on_step(2, lambda control: control.stop("enough")))
    if how == "removed":
        shutil.rmtree(done.path / "checkpoints")
        assert not done.can_resume(done.state())
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
    expected = {"removed": "were removed", "all damaged": "manifest", "another configuration": "train.batch_size"}
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
    assert any("not bit-identical: dtype bfloat16" in message for _, message in done.state().log)
    assert recorder.end.status == "completed"


def test_a_resume_with_unusable_reviews_leaves_the_run_unchanged(config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(config, tmp_path)
    before = done.events_path.read_bytes()
    few = tmp_path / "few.csv"
    few.write_text("review,sentiment\n" + "a film,positive\nbad,negative\n" * 10, encoding="utf-8")
    for data, message in ((str(few), "was trained on other reviews"), ("/nowhere.csv", "file not found")):
        with pytest.raises(InputError, match=message):
            resume(done, Control(), Recorder(), add_epochs=1, data=data)
    assert done.events_path.read_bytes() == before
    assert done.state().status == "completed"
    assert resumed(done, add_epochs=1).end.status == "completed"


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


def test_the_live_state_of_a_resumed_run_is_its_stored_state(config: RunConfig, tmp_path: Path) -> None:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, CheckpointSaved):
            control.discard("gone")

    done, first = run(config, tmp_path, act)
    second = resumed(done)
    live = RunState()
    for event in [*first.events, *second.events]:
        live.apply(event)
    stored = done.state()
    assert (live.curves, live.epochs, live.step) == (stored.curves, stored.epochs, stored.step)
    assert stored.steps_made == len(first.losses) + 8
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
from core.config.toml_file import from_toml
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
    assert any("Saving failed (File too large" in message or "too large" in message for _, message in state.log)
    assert [path.name for path in checkpoints(done.path / "checkpoints")] == ["step-4"]
    resumed(done)
    assert_same(done, plain)
