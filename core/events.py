"""What a run says of itself: small frozen events, one JSON object a line, and their fold.

A run *is* its events. Every view of one (the live pane, a finished run, the headless progress line) is the
same fold, ``RunState.apply(event)``, over the same events; no number reaches a screen by another way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar, Literal

Status = Literal["starting", "running", "paused", "completed", "stopped", "failed", "interrupted"]
STATUS_SIGNS: dict[str, str] = {
    "starting": "○",
    "running": "●",
    "paused": "‖",
    "completed": "✓",
    "stopped": "■",
    "failed": "✗",
    "interrupted": "?",
}
LIVE: frozenset[str] = frozenset({"starting", "running", "paused"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Base of all events. ``time`` is seconds since 1970; ``elapsed`` is seconds of the run's own steady clock."""

    name: ClassVar[str] = ""
    kept: ClassVar[bool] = True
    """Whether the event belongs in events.jsonl, or only tells a watcher what is going on this moment."""
    time: float
    elapsed: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStarted(Event):
    """Data and model are ready; steps follow. ``origins`` has an entry a thing: tokenizer, weights, reviews."""

    name: ClassVar[str] = "run_started"
    run: str
    preset: str
    num_epochs: int
    steps_per_epoch: int
    train_examples: int
    validation_examples: int
    parameters: int
    device: str
    device_reason: str
    dtype: str
    dtype_reason: str
    threads: int
    origins: dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Progressed(Event):
    """A word on what is being done between steps: loading, downloading, evaluating."""

    name: ClassVar[str] = "progress"
    kept: ClassVar[bool] = False
    message: str
    done: int | None = None
    total: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class StepLogged(Event):
    """One optimizer update. ``step`` counts from 1 over the whole run; loss and accuracy are this batch's."""

    name: ClassVar[str] = "step"
    step: int
    epoch: int
    loss: float
    accuracy: float
    lr: float
    grad_norm: float
    examples: int
    tokens: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class EpochFinished(Event):
    """Means over one epoch, accuracies in 0..1; ``seconds`` has training and validation together."""

    name: ClassVar[str] = "epoch"
    epoch: int
    step: int
    train_loss: float
    train_accuracy: float
    val_loss: float
    val_accuracy: float
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckpointSaved(Event):
    """Weights are safely on disk at ``path``, relative to the run directory."""

    name: ClassVar[str] = "checkpoint"
    step: int
    path: str
    bytes: int
    seconds: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlReceived(Event):
    """A person, or a signal, asked for something: ``pause``, ``resume`` or ``stop``."""

    name: ClassVar[str] = "control"
    step: int
    action: str
    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Warned(Event):
    """Something a person should know that does not end the run."""

    name: ClassVar[str] = "warning"
    message: str


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFinished(Event):
    """The last event. ``error`` is one line and ``traceback`` the whole of it, both empty unless failed."""

    name: ClassVar[str] = "run_finished"
    status: Status
    step: int
    reason: str
    samples_per_second: float
    error: str = ""
    traceback: str = ""


EVENTS: dict[str, type[Event]] = {
    kind.name: kind
    for kind in (
        RunStarted,
        Progressed,
        StepLogged,
        EpochFinished,
        CheckpointSaved,
        ControlReceived,
        Warned,
        RunFinished,
    )
}


def to_line(event: Event) -> str:
    """The event as one line of JSON, without the newline; NaN and infinities become the strings that float() reads."""
    content = {key: _json_float(value) for key, value in asdict(event).items()}
    return json.dumps({"event": event.name, **content}, allow_nan=False)


def from_line(line: str) -> Event:
    """Reads one line of events.jsonl. Raises ValueError for a line that is no whole event of the known types."""
    try:
        content = json.loads(line)
    except RecursionError:
        raise ValueError("no event") from None
    name = content.get("event") if isinstance(content, dict) else None
    if not isinstance(name, str) or name not in EVENTS:
        raise ValueError("no event")
    kind = EVENTS[name]
    known = {spec.name: _typed(content[spec.name], str(spec.type)) for spec in fields(kind) if spec.name in content}
    try:
        event = kind(**known)
    except TypeError as error:
        raise ValueError(str(error)) from None
    if not (0 <= event.time <= _LATEST and 0 <= event.elapsed <= _LATEST):
        raise ValueError("an event of no moment")
    return event


_LATEST = 1e11
"""Seconds since 1970 that a calendar still has a date for."""


_TYPES: dict[str, tuple[type, ...]] = {
    "float": (float, int, str),
    "int": (int,),
    "int | None": (int, type(None)),
    "str": (str,),
    "Status": (str,),
    "dict[str, Any]": (dict,),
}
"""What JSON has for a field of each annotation; floats that are not finite are written as texts."""


def _typed(value: Any, annotation: str) -> Any:
    """A field's value as read from JSON. Raises ValueError for one that a view could stumble over."""
    if type(value) not in _TYPES[annotation] or (annotation == "Status" and value not in STATUS_SIGNS):
        raise ValueError(f"{value!r} is no {annotation}")
    if annotation.startswith("int") and value is not None and not 0 <= value < 2**63:
        raise ValueError(f"{value} counts nothing")
    if annotation.startswith("dict") and not all(isinstance(item, dict) for item in value.values()):
        raise ValueError("an origin that is not described")
    if annotation != "float":
        return value
    try:
        return float(value)
    except OverflowError:
        raise ValueError("too large a number") from None


def _json_float(value: Any) -> Any:
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


@dataclass(slots=True)
class Curve:
    """Points of one metric: ``steps[i]`` optimizer updates were done when it was ``values[i]``."""

    steps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, step: int, value: float) -> None:
        self.steps.append(step)
        self.values.append(value)

    @property
    def last(self) -> float | None:
        return self.values[-1] if self.values else None


METRICS = ("train/loss", "train/accuracy", "val/loss", "val/accuracy", "lr")


@dataclass(slots=True)
class RunState:
    """The fold of a run's events: everything a view of the run shows."""

    run: str = ""
    preset: str = ""
    status: Status = "starting"
    started: RunStarted | None = None
    finished: RunFinished | None = None
    activity: str = ""
    """What is being done right now, in words; empty while steps are made."""
    step: int = 0
    epoch: int = 0
    elapsed: float = 0.0
    curves: dict[str, Curve] = field(default_factory=lambda: {name: Curve() for name in METRICS})
    epochs: list[EpochFinished] = field(default_factory=list)
    log: list[tuple[float, str]] = field(default_factory=list)
    """(time, words) of what deserves a line: epochs, checkpoints, controls, warnings, the end."""
    skipped_lines: int = 0
    examples: int = 0
    tokens: int = 0
    step_seconds: float = 0.0
    last_step: StepLogged | None = None

    def apply(self, event: Event) -> None:
        """Takes in one event. Events must come in the order in which they were written."""
        self.elapsed = max(self.elapsed, event.elapsed)
        match event:
            case RunStarted():
                self.run, self.preset, self.started = event.run, event.preset, event
                self.status, self.activity, self.epoch = "running", "", 1
                self._note(event, f"started on {event.device}, {event.dtype}")
            case Progressed():
                self.activity = event.message
            case StepLogged():
                self._apply_step(event)
            case EpochFinished():
                self.epochs.append(event)
                self.activity = ""
                self.curves["val/loss"].add(event.step, event.val_loss)
                self.curves["val/accuracy"].add(event.step, event.val_accuracy)
                self._note(
                    event,
                    f"epoch {event.epoch}: val loss {event.val_loss:.3f}, accuracy {event.val_accuracy:.1%}",
                )
            case CheckpointSaved():
                self._note(event, f"saved {event.path}")
            case ControlReceived():
                if event.action == "pause":
                    self.status = "paused"
                elif event.action == "resume":
                    self.status = "running"
                self._note(event, f"{event.action} at step {event.step}: {event.reason}")
            case Warned():
                self._note(event, f"warning: {event.message}")
            case RunFinished():
                self.status, self.finished, self.activity = event.status, event, ""
                self._note(event, f"{event.status}: {event.error or event.reason}")

    def _apply_step(self, event: StepLogged) -> None:
        self.activity = ""
        self.step, self.epoch, self.last_step = event.step, event.epoch, event
        self.examples += event.examples
        self.tokens += event.tokens
        self.step_seconds += event.seconds
        self.curves["train/loss"].add(event.step, event.loss)
        self.curves["train/accuracy"].add(event.step, event.accuracy)
        self.curves["lr"].add(event.step, event.lr)

    def _note(self, event: Event, words: str) -> None:
        self.log.append((event.time, words))

    @property
    def total_steps(self) -> int:
        return self.started.num_epochs * self.started.steps_per_epoch if self.started else 0

    @property
    def samples_per_second(self) -> float | None:
        """Reviews trained a second, over all steps so far; None before the first."""
        return self.examples / self.step_seconds if self.step_seconds > 0 else None

    @property
    def tokens_per_second(self) -> float | None:
        return self.tokens / self.step_seconds if self.step_seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Estimate from what steps and evaluations have taken so far; None before the first step and at the end."""
        if self.step == 0 or self.examples == 0 or self.started is None or self.status not in LIVE:
            return None
        left = (self.total_steps - self.step) * self.step_seconds / self.step
        evaluations_left = self.started.num_epochs - len(self.epochs)
        if self.epochs:
            trained = self.step_seconds / self.step * self.started.steps_per_epoch
            mean_epoch = sum(epoch.seconds for epoch in self.epochs) / len(self.epochs)
            return left + max(mean_epoch - trained, 0.0) * evaluations_left
        # A forward pass costs about a third of a training step's forward and backward.
        per_example = self.step_seconds / self.examples / 3
        return left + per_example * self.started.validation_examples * evaluations_left

    @property
    def best_val_accuracy(self) -> float | None:
        return max((epoch.val_accuracy for epoch in self.epochs), default=None)


def fold(events: Iterable[Event]) -> RunState:
    """The state after all of ``events``."""
    state = RunState()
    for event in events:
        state.apply(event)
    return state
