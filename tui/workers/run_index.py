"""The runs of a directory, read by a thread, each event once; what it finds comes as messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.message import Message

from core.errors import InputError
from core.runs.directory import Run, list_runs
from core.runs.events import Event
from core.runs.reader import EventReader, take_in
from core.runs.state import RunState
from core.runs.status import LIVE, Status
from core.runs.step_columns import StepBlock
from tui.messages import RunGrew, RunLine, RunRead, RunsListed
from tui.workers.latest import Latest


@dataclass
class _Head:
    """A run without its steps, which is what a list of runs needs."""

    reader: EventReader
    state: RunState
    size: int = -1


@dataclass
class _Whole:
    """A run with all its steps. The state is this thread's only until it is posted."""

    reader: EventReader
    state: RunState
    parts: Iterator[StepBlock | Event]
    posted: Status | None = None


class Shelf:
    """Lists the runs of ``root`` and reads those that are asked for, as often as :meth:`ask` is called."""

    def __init__(self, root: Path, post: Callable[[Message], Any]) -> None:
        self._root, self._post = root, post
        self._worker = Latest("runs")
        self._wanted: frozenset[str] = frozenset()
        self._heads: dict[str, _Head] = {}
        self._wholes: dict[str, _Whole] = {}

    def ask(self, wanted: Iterable[str], keep: Iterable[str], *, anew: bool = False) -> None:
        """Posts RunsListed, and of the ``wanted`` runs what the receiver has not yet: RunRead once, then RunGrew.

        Of runs that it had and does not ``keep`` nothing is remembered. ``anew`` forgets everything first.
        """
        self._wanted = frozenset(wanted)
        kept = self._wanted | set(keep)
        self._worker.submit(lambda: self._read(kept, anew))

    def _read(self, kept: frozenset[str], anew: bool) -> None:
        if anew:
            self._heads.clear()
            self._wholes.clear()
        try:
            runs = list_runs(self._root)
        except InputError as error:
            self._wholes.clear()  # the receiver knows of no run now
            self._post(RunsListed((), str(error)))
            return
        lines = tuple(self._line(run) for run in runs)
        self._post(RunsListed(lines, ""))
        names = {run.name for run in runs}
        self._heads = {name: head for name, head in self._heads.items() if name in names}
        self._wholes = {
            name: whole
            for name, whole in self._wholes.items()
            if name in names and (name in kept or whole.posted is None)
        }
        for line in lines:
            if line.run.name in self._wanted:
                try:
                    self._read_whole(line)
                except OSError:  # deleted meanwhile, or not readable: what was read of it stands for it
                    self._give(self._wholes[line.run.name], line)

    def _line(self, run: Run) -> RunLine:
        """Reads what has been added to the run's events."""
        try:
            size = run.events_path.stat().st_size
        except OSError:
            size = 0
        head = self._heads.get(run.name)
        if head is None or size < head.size:  # new, or another run of that name
            self._wholes.pop(run.name, None)
            head = self._heads[run.name] = _Head(EventReader(run.events_path, steps=False), run.unread_state())
        if size > head.size:
            head.size = size
            with suppress(OSError):
                for event in head.reader.read():
                    head.state.apply(event)
        state = head.state
        return RunLine(run, run.status(state), state.preset, state.best_val_accuracy, state.elapsed, run.is_saved)

    def _read_whole(self, line: RunLine) -> None:
        name = line.run.name
        whole = self._wholes.get(name)
        if whole is None:
            reader = EventReader(line.run.events_path)
            whole = self._wholes[name] = _Whole(reader, line.run.unread_state(), reader.parts())
        if whole.posted is None:
            for part in whole.parts:
                take_in([part], whole.state)
                if name not in self._wanted:  # the cursor has moved on; a long run is read on when it comes back
                    return
            self._give(whole, line)
            return
        parts = list(whole.reader.parts())
        if parts or line.status != whole.posted:
            whole.posted = line.status
            self._post(RunGrew(line.run, parts, line.status, _skipped(whole.reader, line.status)))

    def _give(self, whole: _Whole, line: RunLine) -> None:
        """Posts the state, once."""
        if whole.posted is None:
            whole.state.status = whole.posted = line.status
            whole.state.skipped_lines = _skipped(whole.reader, line.status)
            self._post(RunRead(line.run, whole.state))


def _skipped(reader: EventReader, status: Status) -> int:
    """Lines that are no event; one that a dead run left half written is one of them."""
    return reader.skipped + (reader.torn() and status not in LIVE)
