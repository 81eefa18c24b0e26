"""Fakes for the tests of the console: a trainer that emits given events, run directories, a small checkpoint."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from core.config.schema import RunConfig
from core.runs.directory import Run
from core.runs.events import (
    ControlReceived,
    EpochFinished,
    Event,
    Progressed,
    RunFinished,
    RunStarted,
    Status,
    StepLogged,
    Warned,
)
from core.runs.writer import create_run
from core.training.control import Control
from tests.core.support import events_of

BEGAN = datetime(2026, 11, 24, 9, 0, 0, tzinfo=UTC)
ORIGINS = {
    "tokenizer": {"kind": "embedded", "name": "small vocabulary", "note": "", "sha256": ""},
    "weights": {"kind": "random", "name": "DistilBertModel", "note": "", "sha256": ""},
    "reviews": {"kind": "file", "name": "reviews.csv", "note": "", "sha256": "", "taken": 40, "available": 40},
}


def moment(elapsed: float) -> dict[str, float]:
    """``time`` and ``elapsed`` of an event that happens so many seconds into a run."""
    return {"time": BEGAN.timestamp() + elapsed, "elapsed": elapsed}


def started(*, preset: str = "quick", num_epochs: int = 3, steps_per_epoch: int = 10) -> RunStarted:
    return replace(
        events_of.started(epochs=num_epochs, steps=steps_per_epoch, origins=ORIGINS, preset=preset, threads=2),
        **moment(1.0),
        run=f"{BEGAN:%Y%m%d-%H%M%S}-{preset}",
        train_examples=steps_per_epoch * 16,
        validation_examples=40,
        parameters=12_345,
    )


def step(number: int, *, epoch: int = 1, loss: float | None = None, accuracy: float = 0.75) -> StepLogged:
    """Sixteen reviews in a second."""
    loss = 0.7 * 0.97**number if loss is None else loss
    event = events_of.step(number, epoch=epoch, loss=loss, accuracy=accuracy, lr=5e-5)
    return replace(event, **moment(1.0 + number), examples=16, tokens=1600, seconds=1.0)


def epoch(number: int, *, at: int, val_loss: float = 0.456, val_accuracy: float = 0.789) -> EpochFinished:
    event = events_of.epoch(number, at=at, val_accuracy=val_accuracy, seconds=11.0)
    return replace(event, **moment(1.5 + at), train_loss=0.567, train_accuracy=0.712, val_loss=val_loss)


def finished(status: Status, *, at: int, **changes: str) -> RunFinished:
    return replace(events_of.finished(status, at=at, **changes), **moment(2.0 + at))


def warned(message: str) -> Warned:
    return replace(events_of.warned(message), **moment(1.0))


def progressed(message: str) -> Progressed:
    return Progressed(**moment(0.5), message=message)


def whole_run(
    *,
    preset: str = "quick",
    epochs: int = 3,
    steps: int = 10,
    done: int | None = None,
    end: Status | None = "completed",
) -> list[Event]:
    """A run's events: all of its epochs or the first ``done``, and its end unless ``end`` is None."""
    events: list[Event] = [started(preset=preset, num_epochs=epochs, steps_per_epoch=steps)]
    last = 0
    for number in range(1, (epochs if done is None else done) + 1):
        for last in range(last + 1, number * steps + 1):  # noqa: B020 - continues where the epoch before ended
            events.append(step(last, epoch=number))
        events.append(epoch(number, at=last, val_loss=0.6 - 0.1 * number, val_accuracy=0.6 + 0.1 * number))
    if end is not None:
        events.append(finished(end, at=last))
    return events


def write_run(root: Path, config: RunConfig, events: Iterable[Event], *, minute: int = 0, saved: bool = True) -> Run:
    """A run directory as a trainer leaves it, made ``minute`` minutes after nine; its checkpoint is an empty folder."""
    writer = create_run(root, config, now=lambda: BEGAN.replace(minute=minute))
    for event in events:
        writer.append(event)
    writer.close()
    if saved:
        (writer.run.path / "checkpoints" / "step-1").mkdir(parents=True)
    return writer.run


class FakeTrainer:
    """Emits the events that a test hands it, raises the exceptions, and obeys its control between them."""

    def __init__(self) -> None:
        self.configs: list[RunConfig] = []
        self._items: queue.Queue[Event | BaseException] = queue.Queue()
        self._over = threading.Event()

    def emit(self, *items: Event | BaseException) -> None:
        for item in items:
            self._items.put(item)

    def release(self) -> None:
        """Lets a run that is still live return, so that no thread outlives its test."""
        self._over.set()

    def __call__(self, config: RunConfig, root: Path, control: Control, emit: Callable[[Event], None]) -> None:
        self.configs.append(config)
        paused = False
        while not self._over.is_set():
            if control.stop_requested:
                emit(ControlReceived(**moment(50.0), step=0, action="stop", reason=control.reason))
                emit(finished("stopped", at=0, reason=control.reason))
                return
            if control.pause_requested is not paused:
                paused = not paused
                action = "pause" if paused else "resume"
                emit(ControlReceived(**moment(20.0), step=0, action=action, reason="asked for"))
            try:
                item = self._items.get(timeout=0.005)
            except queue.Empty:
                continue
            if isinstance(item, BaseException):
                raise item
            emit(item)
            if isinstance(item, RunFinished):
                return


PIECES = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *("hello", "my", "name", "is", "kevin", "a", "film", "was", "warm", "and", "moving", "joy", "dull", "tedious"),
    *("bore", "##s", "##ing", "play", "red", "31", "[", "m", "!"),
)


def small_tokenizer() -> Any:
    """A WordPiece of a few words, made as the embedded one is."""
    from core.sources.embedded import wordpiece_tokenizer

    return wordpiece_tokenizer({piece: i for i, piece in enumerate(PIECES)})


def write_checkpoint(folder: Path) -> None:
    """A DistilBERT of one layer and width 16, as save_pretrained leaves it, with its tokenizer."""
    import torch
    from transformers import DistilBertConfig, DistilBertModel

    torch.manual_seed(0)
    config = DistilBertConfig(vocab_size=len(PIECES), dim=16, n_layers=1, n_heads=2, hidden_dim=32)
    DistilBertModel(config).save_pretrained(folder)
    small_tokenizer().save(str(folder / "tokenizer.json"))
