"""What workers post to the app: small frozen messages. Only handlers touch widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from core.config.schema import RunConfig
    from core.runs.directory import Run
    from core.runs.events import Event
    from core.runs.state import RunState
    from core.runs.status import Status
    from core.runs.step_columns import StepBlock
    from core.sources.origin import Origin
    from core.tokenization.length_stats import Measured
    from tui.panes.tokenizer.state import Data, Playground
    from tui.workers.run_index import RunLine


@dataclass
class TrainingEvents(Message):
    """What the trainer says, in its order."""

    events: list[Event]


@dataclass
class TrainingEnded(Message):
    """The training thread is over; ``error`` is one line, empty where the events tell the end."""

    error: str
    traceback: str = ""


@dataclass
class RunOpened(Message):
    """A run as far as it is on disk; ``own`` where this console goes on with it, else it is only followed.

    The state is the receiver's from now on.
    """

    run: Run
    state: RunState
    own: bool
    owner: str = ""
    """Who writes it, in words; empty where nobody does."""


@dataclass
class RunFollowed(Message):
    """What the process that writes the followed run has added, and whether it lives."""

    run: Run
    events: list[Event]
    live: bool
    owner: str


@dataclass
class RunsListed(Message):
    """All runs, newest first, or one line of ``error``."""

    lines: tuple[RunLine, ...]
    error: str


@dataclass
class RunRead(Message):
    """A run with all its steps. The state is the receiver's from now on."""

    run: Run
    state: RunState


@dataclass
class RunGrew(Message):
    """What was added to a run since it was read, its status now, and how many lines of it are no event."""

    run: Run
    parts: list[StepBlock | Event]
    status: Status
    skipped: int


@dataclass
class LibrariesLoaded(Message):
    """torch, transformers and datasets are imported, or ``error`` says why not."""

    seconds: float
    error: str


@dataclass
class PlanReady(Message):
    """Where a preset's things would come from and how long it would take."""

    config: RunConfig
    origins: dict[str, str]
    seconds: float
    basis: str


@dataclass
class TokenizerReady(Message):
    """The playground's tokenizer, or the reason why there is none."""

    tokenizer: Tokenizer | None
    origin: Origin | None
    error: str


@dataclass
class PlaygroundReady(Message):
    """A text is encoded; ``number`` tells whether it is the newest one."""

    playground: Playground
    number: int


@dataclass
class ReviewsMeasured(Message):
    """The playground's reviews are read, or measured so far."""

    data: Data


@dataclass
class OtherTokenizerReady(Message):
    """The tokenizer to compare with, or the reason why there is none; ``name`` is what was asked for."""

    name: str
    tokenizer: Tokenizer | None
    words: str


@dataclass
class OtherMeasured(Message):
    """The reviews as the other tokenizer measures them."""

    tokenizer: Tokenizer
    measured: tuple[Measured, ...]


@dataclass
class LookDone(Message):
    """What a look at the model found for one page; ``error`` is one line, empty where it found something."""

    page: str
    result: Any
    error: str
