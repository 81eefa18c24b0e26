"""Probe sentences are scored while a run trains, and training continues bit-identically."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config.schema import RunConfig
from core.inspection.target import find_target, resolve
from core.runs.events import CheckpointSaved, Event, ProbesScored, RunStarted, StepLogged
from core.runs.reader import read_events
from core.training.control import Control
from tests.core.support.resuming import assert_same, resumed, stateful
from tests.core.support.training import configured, on_step, run

SENTENCES = ("film 3 was a warm and moving joy", "film 4 was a dull and tedious bore", "unheard of")


def probed(config: RunConfig, every: int = 3) -> RunConfig:
    return configured(config, train__probe_sentences=SENTENCES, train__probe_steps=every)


def without_probes(config: RunConfig) -> RunConfig:
    return configured(config, train__probe_sentences=())


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_run_with_probes_is_bit_identical_to_one_without(config: RunConfig, tmp_path: Path, dtype: str) -> None:
    config = stateful(configured(config, engine__dtype=dtype))
    plain, without = run(without_probes(config), tmp_path / "plain")
    done, recorder = run(probed(config, 1), tmp_path / "probed")
    assert without.of(ProbesScored) == []
    assert recorder.losses == without.losses
    assert_same(done, plain, probes=False)


def test_probes_are_scored_before_the_first_step_every_n_steps_and_after_each_epoch(
    config: RunConfig, tmp_path: Path
) -> None:
    done, recorder = run(probed(config), tmp_path)
    scored = recorder.of(ProbesScored)
    assert [(event.step, event.epoch) for event in scored] == [(0, 1), (3, 1), (4, 1), (6, 2), (8, 2)]
    assert all(len(event.logits) == 3 and event.seconds > 0 for event in scored)
    (started,) = recorder.of(RunStarted)
    assert started.probe_sentences == list(SENTENCES)
    assert [event for event in read_events(done) if isinstance(event, ProbesScored)] == scored
    state = done.state()
    assert state.probe_sentences == list(SENTENCES)
    assert [list(curve.steps) for curve in state.probes] == [[0, 3, 4, 6, 8]] * 3
    assert list(state.probes[1].values) == [event.logits[1] for event in scored]
    assert state.probe_seconds == pytest.approx(sum(event.seconds for event in scored))


def test_without_an_interval_probes_are_scored_only_at_the_start_and_after_each_epoch(
    config: RunConfig, tmp_path: Path
) -> None:
    _, recorder = run(probed(config, 0), tmp_path)
    assert [event.step for event in recorder.of(ProbesScored)] == [0, 4, 8]


def test_an_epoch_that_ends_at_the_interval_is_scored_once(config: RunConfig, tmp_path: Path) -> None:
    _, recorder = run(probed(config, 2), tmp_path)
    assert [event.step for event in recorder.of(ProbesScored)] == [0, 2, 4, 6, 8]


def test_the_logits_are_those_of_the_stored_model(config: RunConfig, tmp_path: Path) -> None:
    from core.analysis.predict import predict

    done, recorder = run(probed(config), tmp_path)
    predictions = predict(resolve(find_target(done.name, tmp_path)), SENTENCES)
    last = recorder.of(ProbesScored)[-1].logits
    assert last == pytest.approx([one.logit for one in predictions], abs=1e-5)
    assert last[0] > last[1]


@pytest.mark.parametrize(("step", "scored_next"), [(2, 3), (3, 4), (4, 4), (5, 6)])
def test_a_resumed_run_has_the_probes_of_one_that_never_stopped(
    config: RunConfig, tmp_path: Path, step: int, scored_next: int
) -> None:
    config = probed(stateful(config))
    plain, _ = run(config, tmp_path / "plain")
    done, _ = run(config, tmp_path / "stopped", on_step(step, lambda control: control.stop("enough")))
    recorder = resumed(done)
    assert recorder.of(ProbesScored)[0].step == scored_next
    assert_same(done, plain)


def test_probes_after_the_checkpoint_that_a_run_resumes_from_are_scored_again(
    config: RunConfig, tmp_path: Path
) -> None:
    config = probed(stateful(config), 1)
    saved: list[int] = []

    def act(event: Event, control: Control) -> None:
        if isinstance(event, CheckpointSaved):
            saved.append(event.step)
        if isinstance(event, StepLogged) and saved:
            control.discard("gone")

    plain, _ = run(config, tmp_path / "plain")
    done, _ = run(config, tmp_path / "killed", act)
    before = done.state().probes[0].steps[-1]
    assert resumed(done).of(RunStarted)[0].step == saved[0] < before
    assert_same(done, plain)


def test_other_sentences_do_not_hinder_a_resume_and_start_new_curves(config: RunConfig, tmp_path: Path) -> None:
    done, _ = run(probed(config), tmp_path, on_step(5, lambda control: control.stop("enough")))
    path = done.path / "config.toml"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace('"unheard of"', '"another sentence"'), encoding="utf-8")
    assert resumed(done).end.status == "completed"
    state = done.state()
    assert state.probe_sentences == [*SENTENCES[:2], "another sentence"]
    assert [list(curve.steps) for curve in state.probes] == [[6, 8]] * 3
