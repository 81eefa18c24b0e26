"""The events of a run: small frozen dataclasses, one JSON object per line. A run *is* its events."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field, fields
from typing import Any, ClassVar

from core.runs.status import STATUS_SIGNS, Status


@dataclass(frozen=True, kw_only=True, slots=True)
class Event:
    """Base of all events. ``time`` is seconds since 1970; ``elapsed`` is seconds of the run's own steady clock."""

    name: ClassVar[str] = ""
    stored: ClassVar[bool] = True
    """Whether the event is written to events.jsonl; if not, it is only emitted."""
    time: float
    elapsed: float


@dataclass(frozen=True, kw_only=True, slots=True)
class RunStarted(Event):
    """Data and model are ready; steps follow. ``origins`` has one entry each for tokenizer, weights and reviews.

    A run that is resumed starts again: everything after ``step`` steps and ``epochs_done`` whole epochs is repeated.
    """

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
    world_size: int = 1
    """How many processes train together."""
    step: int = 0
    epochs_done: int = 0
    checkpoint: str = ""
    """The checkpoint from which the run is resumed, relative to its directory; empty if it starts at step 0."""
    restarted: bool = False
    """Whether the run starts again at step 0, because it ended before its first checkpoint."""
    inexact: str = ""
    """Why resuming is not bit-identical to an uninterrupted run; empty if it is."""
    changes_made: int = 0
    """How many changes of learning rate and number of epochs are in that checkpoint."""
    engine: dict[str, str] = field(default_factory=dict)
    """What the engine chose for each part, with the reason."""
    probe_sentences: list[str] = field(default_factory=list)
    """The sentences that are scored while the run trains."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Progressed(Event):
    """What is being done between steps: loading, downloading, evaluating."""

    name: ClassVar[str] = "progress"
    stored: ClassVar[bool] = False
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
class ProbesScored(Event):
    """The logit of each probe sentence after ``step`` steps, in the order of ``RunStarted.probe_sentences``.

    ``seconds`` is how long training waited for it.
    """

    name: ClassVar[str] = "probes"
    step: int
    epoch: int
    logits: list[float]
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
    """Everything needed to resume after ``step`` is on disk at ``path``, relative to the run directory.

    ``seconds`` is how long saving took in its own thread; ``stall_seconds`` how long training waited for it.
    """

    name: ClassVar[str] = "checkpoint"
    step: int
    path: str
    bytes: int
    seconds: float
    stall_seconds: float = 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class ControlReceived(Event):
    """The user or a signal asked for something, which takes effect after ``step``.

    ``action`` is pause, resume, stop, finish_epoch, discard, learning_rate (``value`` is the new peak rate) or
    add_epochs (``value`` is the number of epochs added).
    """

    name: ClassVar[str] = "control"
    step: int
    action: str
    reason: str
    value: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Warned(Event):
    """Something that the user should know and that does not end the run.

    ``saving_fails`` is True when saving begins to fail, and False when it works again.
    """

    name: ClassVar[str] = "warning"
    message: str
    saving_fails: bool | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class RunFinished(Event):
    """The last event. ``error`` is one line and ``traceback`` all of it; both are empty unless the run failed."""

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
        ProbesScored,
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
    """Reads one line of events.jsonl. Raises ValueError for a line that is not a complete event of a known type."""
    try:
        content = json.loads(line)
    except RecursionError:
        raise ValueError("not an event") from None
    name = content.get("event") if isinstance(content, dict) else None
    if not isinstance(name, str) or name not in EVENTS:
        raise ValueError("not an event")
    kind = EVENTS[name]
    known = {spec.name: _typed(content[spec.name], str(spec.type)) for spec in fields(kind) if spec.name in content}
    try:
        event = kind(**known)
    except TypeError as error:
        raise ValueError(str(error)) from None
    if not 0 <= event.elapsed <= MOST_SECONDS:
        raise ValueError("the elapsed seconds are out of range")
    return event


MOST_SECONDS = 1e11
"""The longest time of a run, in seconds. The time of day may be anything: a clock can be wrong."""


_TYPES: dict[str, tuple[type, ...]] = {
    "float": (float, int, str),
    "float | None": (float, int, str, type(None)),
    "bool": (bool,),
    "bool | None": (bool, type(None)),
    "int": (int,),
    "int | None": (int, type(None)),
    "str": (str,),
    "Status": (str,),
    "dict[str, Any]": (dict,),
    "dict[str, str]": (dict,),
    "list[str]": (list,),
    "list[float]": (list,),
}
"""The JSON types of a field of each annotation; floats that are not finite are written as strings."""


def _typed(value: Any, annotation: str) -> Any:
    """A field's value as read from JSON. Raises ValueError for a wrong type or an impossible value."""
    if type(value) not in _TYPES[annotation] or (annotation == "Status" and value not in STATUS_SIGNS):
        raise ValueError(f"{value!r} is not a {annotation}")
    if annotation.startswith("int") and value is not None and not 0 <= value < 2**63:
        raise ValueError(f"{value} is not a count")
    if annotation == "dict[str, Any]" and not all(isinstance(item, dict) for item in value.values()):
        raise ValueError("an origin is not an object")
    if annotation == "dict[str, str]" and not all(isinstance(item, str) for item in value.values()):
        raise ValueError("a choice of the engine is not a string")
    if annotation == "list[str]" and not all(isinstance(item, str) for item in value):
        raise ValueError("a sentence is not a string")
    if annotation == "list[float]":
        return [_typed(item, "float") for item in value]
    return _float(value) if annotation.startswith("float") and value is not None else value


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError("the number is too large") from None


def _json_float(value: Any) -> Any:
    if isinstance(value, list):
        return [_json_float(item) for item in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value
