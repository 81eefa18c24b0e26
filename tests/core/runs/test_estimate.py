"""The estimated time of a run: from the measured time of a similar run, or else from its number of operations."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.config.schema import RunConfig
from core.runs import estimate as estimate_module
from core.runs.directory import Run, list_runs
from core.runs.estimate import estimate, operations
from core.runs.events import Event
from core.runs.writer import create_run
from tests.core.support.events_of import finished, started, step, whole_run

CONFIG = RunConfig(preset="tiny")
BEGAN = datetime(2026, 11, 24, 9, 0, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _full_sized_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Estimate as if no smaller encoder were embedded."""
    monkeypatch.setattr(estimate_module, "minilm_folder", lambda: None)


def a_run(root: Path, config: RunConfig = CONFIG, *, events: list[Event] | None = None, second: int = 0) -> Run:
    writer = create_run(root, config, now=lambda: BEGAN.replace(second=second))
    for event in whole_run() if events is None else events:
        writer.append(event)
    writer.close()
    return writer.run


def test_the_estimate_for_the_same_run_is_its_measured_time(tmp_path: Path) -> None:
    run = a_run(tmp_path)
    plan = estimate(CONFIG, list_runs(tmp_path), cores=2)
    assert plan.seconds == pytest.approx(8.0)
    assert plan.basis == f"measured by {run.name}"


def test_the_estimate_for_twice_the_epochs_is_twice_as_long(tmp_path: Path) -> None:
    a_run(tmp_path)
    plan = estimate(CONFIG.set("train.num_epochs", 6), list_runs(tmp_path), cores=2)
    assert plan.seconds == pytest.approx(16.0)


def test_the_estimate_is_based_on_the_newest_similar_completed_run(tmp_path: Path) -> None:
    a_run(tmp_path, second=1)
    newest = a_run(tmp_path, second=2)
    assert estimate(CONFIG, list_runs(tmp_path), cores=2).basis == f"measured by {newest.name}"


@pytest.mark.parametrize("name", ["model.init", "model.checkpoint", "engine.dtype", "engine.threads"])
def test_a_run_with_another_encoder_or_engine_is_not_used_for_an_estimate(tmp_path: Path, name: str) -> None:
    value = {"model.init": "scratch", "model.checkpoint": "own", "engine.dtype": "float32", "engine.threads": 1}[name]
    a_run(tmp_path, CONFIG.set(name, value))
    assert "replaced by a measured time" in estimate(CONFIG, list_runs(tmp_path), cores=2).basis


@pytest.mark.parametrize(
    "events", [[], [started(), step(1)], [started(), finished("stopped")], [started(), finished("failed", error="x")]]
)
def test_an_incomplete_run_is_not_used_for_an_estimate(tmp_path: Path, events: list[Event]) -> None:
    a_run(tmp_path, events=events)
    assert "replaced by a measured time" in estimate(CONFIG, list_runs(tmp_path), cores=2).basis


def test_a_damaged_run_is_not_used_for_an_estimate(tmp_path: Path) -> None:
    good = a_run(tmp_path, second=1)
    for second, content in ((2, b"[train"), (3, b"\xff")):
        (a_run(tmp_path, second=second).path / "config.toml").write_bytes(content)
    assert estimate(CONFIG, list_runs(tmp_path), cores=2).basis == f"measured by {good.name}"


def test_without_a_similar_run_more_cores_give_a_shorter_estimate() -> None:
    two, four = (estimate(CONFIG, [], cores=cores) for cores in (2, 4))
    assert "replaced by a measured time" in two.basis
    assert two.seconds == pytest.approx(2 * four.seconds)
    assert 60 < two.seconds < 24 * 3600


@pytest.mark.parametrize(
    ("name", "value"),
    [("data.n_samples", 4000), ("data.max_length", 512), ("train.num_epochs", 4), ("data.test_size", 0.1)],
)
def test_more_work_is_more_operations(name: str, value: float) -> None:
    assert operations(CONFIG.set(name, value)) > operations(CONFIG)


def test_the_embedded_encoder_takes_fewer_operations_than_distilbert(monkeypatch: pytest.MonkeyPatch) -> None:
    full = operations(CONFIG)
    monkeypatch.setattr(estimate_module, "minilm_folder", Path)
    assert operations(CONFIG) < full / 3
    assert operations(CONFIG.set("model.init", "scratch")) == full


def test_a_run_with_other_frozen_modules_is_not_used_for_an_estimate(tmp_path: Path) -> None:
    frozen = RunConfig().set("model.freeze", "distilbert")
    a_run(tmp_path, frozen)
    assert "replaced by a measured time" in estimate(RunConfig(), list_runs(tmp_path), 2).basis
    assert "measured" in estimate(frozen, list_runs(tmp_path), 2).basis


def test_fewer_layers_take_fewer_operations() -> None:
    config = RunConfig().set("model.init", "scratch")
    half = config.set("model.encoder.n_layers", 3)
    assert operations(half) == pytest.approx(operations(config) / 2)
