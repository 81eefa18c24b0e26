"""Events of a run, for tests that need a run but no training."""

from __future__ import annotations

from typing import Any

from core.runs.events import (
    CheckpointSaved,
    ControlReceived,
    EpochFinished,
    Event,
    ProbesScored,
    RunFinished,
    RunStarted,
    StepLogged,
    Warned,
)

BEGAN = 1_700_000_000.0


def moment(elapsed: float) -> dict[str, float]:
    return {"time": BEGAN + elapsed, "elapsed": elapsed}


def started(*, epochs: int = 2, steps: int = 4, **changes: Any) -> RunStarted:
    """A run whose data and model are ready after one second."""
    content: dict[str, Any] = {
        "run": "20261124-090000-tiny",
        "preset": "tiny",
        "num_epochs": epochs,
        "steps_per_epoch": steps,
        "train_examples": steps * 8,
        "validation_examples": 12,
        "parameters": 1000,
        "device": "cpu",
        "device_reason": "no GPU",
        "dtype": "float32",
        "dtype_reason": "asked for",
        "threads": 1,
        "origins": {"reviews": {"kind": "file", "name": "reviews.csv"}},
        "probe_sentences": ["A warm film.", "A dull film."],
    }
    return RunStarted(**moment(1.0), **(content | changes))


def step(number: int, *, epoch: int = 1, elapsed: float | None = None, **changes: Any) -> StepLogged:
    """A step of eight reviews and eighty tokens in half a second."""
    content: dict[str, Any] = {"loss": 0.7 - number / 100, "accuracy": 0.5, "lr": 1e-3, "grad_norm": 1.0}
    counts = {"examples": 8, "tokens": 80, "seconds": 0.5}
    when = moment(1 + number / 2 if elapsed is None else elapsed)
    return StepLogged(**when, step=number, epoch=epoch, **(content | counts | changes))


def probes(number: int, *, epoch: int = 1, elapsed: float | None = None) -> ProbesScored:
    """Two probe sentences whose logits move apart."""
    when = moment(1 + number / 2 if elapsed is None else elapsed)
    return ProbesScored(**when, step=number, epoch=epoch, logits=[number / 10, -number / 20], seconds=0.01)


def epoch(number: int, *, at: int, val_accuracy: float = 0.75, seconds: float = 3.0) -> EpochFinished:
    return EpochFinished(
        **moment(1 + number * seconds),
        epoch=number,
        step=at,
        train_loss=0.6,
        train_accuracy=0.7,
        val_loss=0.5,
        val_accuracy=val_accuracy,
        seconds=seconds,
    )


def finished(status: Any = "completed", *, at: int = 8, **changes: Any) -> RunFinished:
    return RunFinished(
        **moment(8.0), **({"status": status, "step": at, "reason": "done", "samples_per_second": 16.0} | changes)
    )


def control(action: str, *, at: int = 1) -> ControlReceived:
    return ControlReceived(**moment(2.0), step=at, action=action, reason="key p")


def warned(message: str) -> Warned:
    return Warned(**moment(1.0), message=message)


def saved(path: str = "checkpoints/last", *, at: int = 8) -> CheckpointSaved:
    return CheckpointSaved(**moment(7.5), step=at, path=path, bytes=10, seconds=0.1)


def whole_run(*, epochs: int = 2, steps: int = 4) -> list[Event]:
    """One run with every kind of stored event: a warning, epochs of steps, probes, a pause, a checkpoint, the end."""
    events: list[Event] = [started(epochs=epochs, steps=steps), warned("naïve Übung 🎬")]
    for number in range(1, epochs + 1):
        at = number * steps
        events += [step(i, epoch=number) for i in range(at - steps + 1, at + 1)]
        events.append(probes(at, epoch=number))
        events.append(epoch(number, at=at, val_accuracy=0.7 + number / 100))
    return [*events, control("pause"), control("resume"), saved(at=epochs * steps), finished(at=epochs * steps)]
