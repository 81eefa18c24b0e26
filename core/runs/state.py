"""The fold of a run's events: every view of a run shows the same state, made by the same ``apply``.

A live pane, a finished run, a run on another machine's disk and the headless progress line all fold the same events;
no number reaches a screen in another way.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from core.formatting import percent
from core.runs.events import (
    CheckpointSaved,
    ControlReceived,
    EpochFinished,
    Event,
    ProbesScored,
    Progressed,
    RunFinished,
    RunStarted,
    StepLogged,
    Warned,
)
from core.runs.status import LIVE, Status, status_of
from core.runs.step_columns import StepBlock

if TYPE_CHECKING:
    from core.runs.reader import RunUpdate


@dataclass(slots=True)
class Curve:
    """Points of one metric: after ``steps[i]`` optimizer updates it was ``values[i]``."""

    steps: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    rewinds: int = field(default=0, compare=False)
    """How often points have been removed: whoever draws from a copy must then copy again."""

    def add(self, step: int, value: float) -> None:
        self.steps.append(step)
        self.values.append(value)

    def rewind(self, step: int) -> None:
        """Remove every point after ``step``."""
        stored = bisect_right(self.steps, step)
        del self.steps[stored:], self.values[stored:]
        self.rewinds += 1

    @property
    def last(self) -> float | None:
        return self.values[-1] if self.values else None


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that a chart shows under its axis; ``kind`` is a control's action, ``checkpoint`` or ``start``."""

    step: int
    kind: str


METRICS = ("train/loss", "train/accuracy", "val/loss", "val/accuracy", "lr")


@dataclass(slots=True)
class RunState:
    """The fold of a run's events: everything a view of the run shows."""

    run: str = ""
    preset: str = ""
    recorded_status: Status = "starting"
    """The status according to the events alone; :attr:`status` also knows whether the process is alive."""
    is_live: bool = field(default=True, compare=False)
    """Whether the process that writes the run is alive, as far as is known."""
    started: RunStarted | None = None
    finished: RunFinished | None = None
    activity: str = ""
    """What is being done between steps, as text; empty while steps are made."""
    step: int = 0
    epoch: int = 0
    elapsed: float = 0.0
    curves: dict[str, Curve] = field(default_factory=lambda: {name: Curve() for name in METRICS})
    epochs: list[EpochFinished] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    """What else happened to the run, in the order of steps."""
    log: list[tuple[float, str]] = field(default_factory=list)
    """(time, text) of each epoch, checkpoint, control, warning and of the end."""
    skipped_lines: int = 0
    """Unreadable lines of events.jsonl."""
    examples: int = 0
    tokens: int = 0
    step_seconds: float = 0.0
    steps_made: int = 0
    """Steps that were computed, including those that were lost and repeated when the run was resumed."""
    num_epochs: int = 0
    peak_learning_rate: float | None = None
    """The peak rate that was set last while training; None while it is the configuration's."""
    saving_fails_since: float | None = None
    """When saving began to fail, in seconds since 1970; None while everything is saved."""
    last_step: StepLogged | None = None
    probe_sentences: list[str] = field(default_factory=list)
    probes: list[Curve] = field(default_factory=list)
    """The logits of each probe sentence; above 0 the prediction is positive."""
    probe_seconds: float = 0.0
    """How long training has waited for the probe sentences."""

    @property
    def status(self) -> Status:
        return status_of(self.recorded_status, self.is_live)

    def update(self, update: RunUpdate) -> None:
        """Apply what a reader found."""
        for part in update.parts:
            self.apply(part)
        self.is_live, self.skipped_lines = update.is_live, update.skipped_lines

    def restart(self) -> None:
        """Set the status of a run that this process is about to resume."""
        self.recorded_status, self.is_live = "starting", True

    def apply(self, event: Event | StepBlock) -> None:
        """Apply one event, or a block of steps with the same result as one after the other.

        Events must come in the order in which they were written.
        """
        self.elapsed = max(self.elapsed, event.elapsed)
        match event:
            case StepBlock():
                self._apply_block(event)
            case RunStarted():
                self._start(event)
            case Progressed():
                self.activity = event.message
            case StepLogged():
                self._apply_step(event)
            case ProbesScored():
                self.probe_seconds += event.seconds
                for curve, logit in zip(self.probes, event.logits, strict=False):
                    curve.add(event.step, logit)
            case EpochFinished():
                self.epochs.append(event)
                self.activity = ""
                self.curves["val/loss"].add(event.step, event.val_loss)
                self.curves["val/accuracy"].add(event.step, event.val_accuracy)
                self._note(
                    event,
                    f"epoch {event.epoch}: val loss {event.val_loss:.3f}, accuracy {percent(event.val_accuracy)}",
                )
            case CheckpointSaved():
                self.marks.append(Mark(event.step, "checkpoint"))
                self._note(event, f"saved {event.path}")
            case ControlReceived():
                self._control(event)
            case Warned():
                if event.saving_fails is not None:
                    self.saving_fails_since = event.time if event.saving_fails else None
                self._note(event, f"warning: {event.message}")
            case RunFinished():
                self.recorded_status, self.finished, self.activity = event.status, event, ""
                self._note(event, f"{event.status}: {event.error or event.reason}")

    def _start(self, event: RunStarted) -> None:
        self.run, self.preset, self.started, self.finished = event.run, event.preset, event, None
        self.recorded_status, self.activity, self.num_epochs = "running", "", event.num_epochs
        if event.probe_sentences != self.probe_sentences:
            self.probe_sentences = event.probe_sentences
            self.probes = [Curve() for _ in event.probe_sentences]
        if not event.checkpoint and not event.restarted:
            self.epoch = 1
            self._note(event, f"started on {event.device}, {event.dtype}")
            return
        self.saving_fails_since = None
        self.step, self.epochs = event.step, [e for e in self.epochs if e.epoch <= event.epochs_done]
        self.epoch = min(event.epochs_done + 1, event.num_epochs)
        last_kept = event.step if event.checkpoint else -1  # a run that starts again scores its probes at step 0 again
        self.marks = [mark for mark in self.marks if mark.step <= last_kept] + [Mark(event.step, "start")]
        for name, curve in self.curves.items():
            if name.startswith("val/"):
                curve.rewind(self.epochs[-1].step if self.epochs else 0)
            else:
                curve.rewind(event.step)
        for curve in self.probes:
            curve.rewind(last_kept)
        if not event.checkpoint:
            self.peak_learning_rate = None
            self._note(event, "started again at step 0: the run ended before its first checkpoint")
            return
        exactness = f"not bit-identical: {event.inexact}" if event.inexact else "bit-identical"
        self._note(event, f"resumed after step {event.step} from {event.checkpoint}, {exactness}")

    def _control(self, event: ControlReceived) -> None:
        self.marks.append(Mark(event.step, event.action))
        text = event.action.replace("_", " ")
        if event.action == "pause":
            self.recorded_status = "paused"
        elif event.action == "resume":
            self.recorded_status = "running"
        elif event.action == "learning_rate" and event.value is not None:
            self.peak_learning_rate = event.value
            text = f"learning rate {event.value:g}"
        elif event.action == "add_epochs" and event.value is not None:
            self.num_epochs += int(event.value)
            text = f"added {event.value:g} epoch{'s' if event.value > 1 else ''}"
        self._note(event, f"{text} at step {event.step}: {event.reason}")

    def _apply_step(self, event: StepLogged) -> None:
        self.activity = ""
        self.step, self.epoch, self.last_step = event.step, event.epoch, event
        self.examples += event.examples
        self.tokens += event.tokens
        self.step_seconds += event.seconds
        self.steps_made += 1
        self.curves["train/loss"].add(event.step, event.loss)
        self.curves["train/accuracy"].add(event.step, event.accuracy)
        self.curves["lr"].add(event.step, event.lr)

    def _apply_block(self, block: StepBlock) -> None:
        self.activity = ""
        self.step, self.epoch, self.last_step = block.last.step, block.last.epoch, block.last
        self.examples += int(block.examples.sum())
        self.tokens += int(block.tokens.sum())
        self.step_seconds = block.seconds_after(self.step_seconds)
        self.steps_made += len(block.step)
        for name, values in (("train/loss", block.loss), ("train/accuracy", block.accuracy), ("lr", block.lr)):
            self.curves[name].steps.frombytes(block.step.tobytes())
            self.curves[name].values.frombytes(values.tobytes())

    def _note(self, event: Event, text: str) -> None:
        self.log.append((event.time, text))

    @property
    def total_steps(self) -> int:
        return self.num_epochs * self.started.steps_per_epoch if self.started else 0

    @property
    def samples_per_second(self) -> float | None:
        """Reviews trained per second, over all steps so far; None before the first."""
        return self.examples / self.step_seconds if self.step_seconds > 0 else None

    @property
    def tokens_per_second(self) -> float | None:
        return self.tokens / self.step_seconds if self.step_seconds > 0 else None

    @property
    def seconds_left(self) -> float | None:
        """Estimate from what steps and evaluations have taken so far; None before the first step and at the end."""
        if self.steps_made == 0 or self.examples == 0 or self.started is None or self.status not in LIVE:
            return None
        left = (self.total_steps - self.step) * self.step_seconds / self.steps_made
        evaluations_left = self.num_epochs - len(self.epochs)
        if self.epochs:
            trained = self.step_seconds / self.steps_made * self.started.steps_per_epoch
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
