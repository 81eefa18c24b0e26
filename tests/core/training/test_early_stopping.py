"""Early stopping, its patience across a resume, and the best checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.checkpoints.format import checkpoints
from core.config.schema import RunConfig
from core.errors import InputError
from core.training import loop as train_module
from core.training.evaluate import Evaluation, evaluate
from tests.core.support.resuming import resumed, stateful
from tests.core.support.training import configured, on_step, run


@pytest.fixture
def config(config: RunConfig) -> RunConfig:
    return stateful(config)


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
        names = {path.name for path in checkpoints(done.path / "checkpoints")}
        assert names == {"step-20", "step-24"} | ({"step-8"} if keep else set())


def test_a_resumed_run_continues_to_count_patience(
    config: RunConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    losses_are(monkeypatch, 0.3, 0.5, 0.4, 0.2)
    config = configured(config, train__early_stopping_patience=2, train__num_epochs=30)
    done, _ = run(config, tmp_path / "broken", on_step(9, lambda control: control.stop("enough")))
    assert resumed(done).end.reason == "early stopping: no better val/loss since step 4"
    assert len(done.state().epochs) == 3
