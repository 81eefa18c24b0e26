"""The runs of a directory, read by a thread, each event once; what it finds is posted as messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from textual.message import Message

from core.errors import InputError
from core.runs.directory import Run, list_runs
from core.runs.events import Event
from core.runs.reader import RunReader, RunUpdate
from core.runs.state import RunState
from core.runs.step_columns import StepBlock
from tui.messages import RunGrew, RunLine, RunRead, RunsListed
from tui.workers.latest import Latest


@dataclass
class _Head:
    """A run without its steps, which is what a list of runs needs."""

    reader: RunReader
    state: RunState


@dataclass
class _Whole:
    """A run with all its steps. The state belongs to this thread until it is posted."""

    reader: RunReader
    state: RunState
    parts: Iterator[StepBlock | Event]
    posted: tuple[bool, int] | None = None
    """Whether the run was live and how many lines were unreadable when it was posted last; None before."""


class RunIndex:
    """Lists the runs of ``root``, and reads the wanted ones, each time :meth:`ask` is called."""

    def __init__(self, root: Path, post: Callable[[Message], Any]) -> None:
        self._root, self._post = root, post
        self._worker = Latest("runs")
        self._wanted: frozenset[str] = frozenset()
        self._heads: dict[str, _Head] = {}
        self._wholes: dict[str, _Whole] = {}

    def ask(self, wanted: Iterable[str], known: Iterable[str], *, afresh: bool = False) -> None:
        """Post RunsListed; then, of each wanted run, RunRead once and RunGrew whenever something was added.

        ``known`` are the runs whose states the receiver still has; the others are read again when they are wanted.
        ``afresh`` reads everything again.
        """
        self._wanted = frozenset(wanted)
        in_use = self._wanted | set(known)
        self._worker.submit(lambda: self._read(in_use, afresh))

    def _read(self, in_use: frozenset[str], afresh: bool) -> None:
        if afresh:
            self._heads.clear()
            self._wholes.clear()
        try:
            runs = list_runs(self._root)
        except InputError as error:
            self._wholes.clear()  # the receiver shows no run now
            self._post(RunsListed((), str(error)))
            return
        lines = tuple(self._line(run) for run in runs)
        self._post(RunsListed(lines, ""))
        names = {run.name for run in runs}
        self._heads = {name: head for name, head in self._heads.items() if name in names}
        self._wholes = {
            name: whole
            for name, whole in self._wholes.items()
            if name in names and (name in in_use or whole.posted is None)
        }
        for run in runs:
            if run.name in self._wanted:
                self._read_whole(run, self._heads[run.name].state.is_live)

    def _line(self, run: Run) -> RunLine:
        """Read what was added to the run's events."""
        head = self._heads.get(run.name)
        if head is None or head.reader.was_replaced:
            self._wholes.pop(run.name, None)
            head = self._heads[run.name] = _Head(RunReader(run, steps="last"), run.unread_state())
        state = head.state
        try:
            state.update(head.reader.read())
        except OSError:  # deleted meanwhile, or not readable
            state.is_live = run.is_live()
        return RunLine(
            run,
            state.status,
            state.preset,
            state.best_val_accuracy,
            state.elapsed,
            run.can_resume(state),
            state.skipped_lines,
        )

    def _read_whole(self, run: Run, is_live: bool) -> None:
        whole = self._wholes.get(run.name)
        if whole is None:
            reader = RunReader(run)
            whole = self._wholes[run.name] = _Whole(reader, run.unread_state(), reader.parts())
        if whole.posted is None:
            try:
                for part in whole.parts:
                    whole.state.apply(part)
                    if run.name not in self._wanted:  # the cursor has moved on; reading continues when it comes back
                        return
            except OSError:  # deleted meanwhile, or not readable: what was read of it is shown
                pass
            skipped = whole.reader.skipped_lines(is_live)
            whole.state.update(RunUpdate([], is_live, skipped))
            whole.posted = is_live, skipped
            self._post(RunRead(run, whole.state))
            return
        try:
            update = whole.reader.read()
        except OSError:
            return
        if update.parts or (update.is_live, update.skipped_lines) != whole.posted:
            whole.posted = update.is_live, update.skipped_lines
            self._post(RunGrew(run, update))
