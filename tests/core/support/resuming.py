"""Shared by the tests of resumed runs: resume a run, and compare two runs bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from core.checkpoints.format import checkpoints, load_weights
from core.config.schema import RunConfig
from core.runs.directory import Run
from core.runs.events import Event
from core.training.control import Control
from core.training.resume import resume
from tests.core.support.training import Recorder, configured


def stateful(config: RunConfig) -> RunConfig:
    """``config`` with everything that uses random numbers or has state: dropout, a schedule, a new order each epoch."""
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


def assert_same(left: Run, right: Run, *, probes: bool = True) -> None:
    """Assert that curves, probes, epochs, predictions and weights are bit-identical."""
    a, b = left.state(), right.state()
    assert a.probes == b.probes or not probes
    for name in a.curves:
        assert a.curves[name] == b.curves[name], name
    same = ("epoch", "step", "train_loss", "train_accuracy", "val_loss", "val_accuracy")
    assert [[getattr(e, f) for f in same] for e in a.epochs] == [[getattr(e, f) for f in same] for e in b.epochs]
    for epoch in a.epochs:
        assert left.predictions(epoch.epoch) == right.predictions(epoch.epoch)
        assert left.predictions(epoch.epoch, "train") == right.predictions(epoch.epoch, "train")
    weights, others = final_weights(left), final_weights(right)
    assert weights.keys() == others.keys()
    assert all(torch.equal(weights[name], others[name]) for name in weights)
    assert (a.status, a.step) == (b.status, b.step) == ("completed", a.total_steps)
