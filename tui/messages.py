"""The messages that background threads post to the console, with the data that they carry.

A thread only posts; the handlers of the app and the panes are the only code that touches widgets. The messages of one
pane's own threads are in that pane's package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from core.config.schema import RunConfig
    from core.runs.directory import Run
    from core.runs.events import Event
    from core.runs.reader import RunUpdate
    from core.runs.state import RunState
    from core.runs.status import Status


@dataclass
class TrainingEvents(Message):
    """Events of the run that this console trains, in order."""

    events: list[Event]


@dataclass
class TrainingEnded(Message):
    """The training thread has ended. ``error`` is one line, empty if a RunFinished event describes the end."""

    error: str
    traceback: str = ""


@dataclass
class RunOpened(Message):
    """A run was read from disk: to be resumed by this console (``own``), or only to be watched.

    The receiver owns the state from now on.
    """

    run: Run
    state: RunState
    own: bool
    owner: str = ""
    """The process that writes it, such as "process 12 on host"; empty if there is none."""


@dataclass
class RunFollowed(Message):
    """What was added to the watched run."""

    run: Run
    update: RunUpdate
    owner: str
    """As in :class:`RunOpened`."""


@dataclass(frozen=True, slots=True)
class RunLine:
    """One row of the list of runs; ``elapsed`` is in seconds."""

    run: Run
    status: Status
    preset: str
    val_accuracy: float | None
    elapsed: float
    can_resume: bool
    skipped_lines: int
    """Unreadable lines of its events.jsonl."""


@dataclass
class RunsListed(Message):
    """All runs, newest first; or ``error``, one line with the reason why they cannot be listed."""

    lines: tuple[RunLine, ...]
    error: str


@dataclass
class RunRead(Message):
    """A run was read with all its steps. The receiver owns the state from now on."""

    run: Run
    state: RunState


@dataclass
class RunGrew(Message):
    """What was added to a run since it was read."""

    run: Run
    update: RunUpdate


@dataclass
class LibrariesLoaded(Message):
    """torch, transformers and datasets are imported; or ``error`` is the reason why they cannot be."""

    seconds: float
    error: str


@dataclass
class PlanReady(Message):
    """Where a preset's tokenizer, weights and reviews would come from, and an estimate of its time in seconds."""

    config: RunConfig
    origins: dict[str, str]
    seconds: float
    basis: str


@dataclass
class InspectionDone(Message):
    """The result of an inspection of the model for one page; or ``error``, one line."""

    page: str
    result: Any
    error: str


@dataclass
class InspectionProgress(Message):
    """One line about an inspection that computes or waits; empty when it no longer waits."""

    page: str
    progress: str
