"""Shared by the tests of the training loop: a tiny configuration, and a recorder of events."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.config.schema import RunConfig
from core.model.classifier import DistilBertClassifier
from core.runs.directory import Run
from core.runs.events import Event, RunFinished, StepLogged
from core.training import setup as training_setup
from core.training.control import Control
from core.training.loop import train

Listener = Callable[[Event], None]


def tiny_config(folder: Path, reviews: Path) -> RunConfig:
    """Four steps of eight reviews per epoch, two epochs, eight validation reviews."""
    return configured(
        RunConfig(preset="tiny"),
        model__checkpoint=str(folder),
        data__source=str(reviews),
        data__n_samples=40,
        data__max_length=16,
        train__batch_size=8,
        train__num_epochs=2,
        train__learning_rate=1e-3,
        engine__device="cpu",
        engine__dtype="float32",
        engine__threads=1,
    )


def configured(config: RunConfig, **changes: Any) -> RunConfig:
    for name, value in changes.items():
        config = config.set(name.replace("__", "."), value)
    return config


class Recorder:
    """Collects all events and lets a test act on them."""

    def __init__(self, act: Listener = lambda _: None) -> None:
        self.events: list[Event] = []
        self.act = act

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        self.act(event)

    def of(self, kind: type[Any]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    @property
    def losses(self) -> list[float]:
        return [event.loss for event in self.of(StepLogged)]

    @property
    def end(self) -> RunFinished:
        return self.of(RunFinished)[-1]


def run(config: RunConfig, root: Path, act: Callable[[Event, Control], None] = lambda *_: None) -> tuple[Run, Recorder]:
    control = Control()
    recorder = Recorder(lambda event: act(event, control))
    return train(config, root, control, recorder), recorder


def on_step(number: int, do: Callable[[Control], None]) -> Callable[[Event, Control], None]:
    def act(event: Event, control: Control) -> None:
        if isinstance(event, StepLogged) and event.step == number:
            do(control)

    return act


def built_models(monkeypatch: pytest.MonkeyPatch) -> list[DistilBertClassifier]:
    models: list[DistilBertClassifier] = []
    build = training_setup.build_classifier

    def built(*arguments: Any) -> DistilBertClassifier:
        models.append(build(*arguments))
        return models[-1]

    monkeypatch.setattr(training_setup, "build_classifier", built)
    return models
