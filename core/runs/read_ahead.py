"""A run read by a process of its own, while this one is still importing what will show it.

Importing Textual keeps one core busy for as long as a run of fifty thousand steps takes to be read, and in one process
the two would take turns. Where there is no second process to be had nothing is lost: the run is then read here.
"""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Iterator
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.runs.directory import Run
    from core.runs.reader import EventReader
    from core.runs.state import RunState


class ReadAhead:
    """Begins to read ``run`` at once. Make it before there are threads: a fork has only the one that makes it."""

    def __init__(self, run: Run) -> None:
        self._run, self._child, self._pipe = run, 0, -1
        if not hasattr(os, "fork"):
            return
        ours, theirs = os.pipe()
        try:
            self._child = os.fork()
        except OSError:  # no more processes are allowed
            os.close(ours)
            os.close(theirs)
            return
        if self._child == 0:
            os.close(ours)  # else the pipe would still have a reader when the console is gone, and this wait for ever
            _read_and_leave(run, theirs)
        os.close(theirs)
        self._pipe = ours

    def take(self) -> tuple[EventReader, RunState] | None:
        """The state of the run, and the reader that goes on from there; None where that came to nothing.

        Takes in what the other process reads while it reads. A second call gives None.
        """
        from core.runs.reader import take_in

        if self._child == 0:
            return None
        state, said = self._run.unread_state(), _Said(self._pipe)
        take_in(said, state)
        os.waitpid(self._child, 0)
        self._child = 0
        return None if said.reader is None else (said.reader, state)


class _Said:
    """What comes out of the pipe: parts of a run, and last the reader that has read them."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self.reader: EventReader | None = None

    def __iter__(self) -> Iterator[Any]:
        from core.runs.reader import EventReader

        with os.fdopen(self._pipe, "rb") as file:
            while self.reader is None:
                try:
                    part = pickle.load(file)  # written by this program's own fork
                except (EOFError, pickle.UnpicklingError):  # it was killed
                    return
                if isinstance(part, EventReader):
                    self.reader = part
                else:
                    yield part


def _read_and_leave(run: Run, pipe: int) -> None:
    """What the other process does. It never returns, and nothing that it inherited is done twice."""
    try:
        from core.engine.allocator import has_glibc, memory_kept
        from core.runs.reader import EventReader

        reader, said = EventReader(run.events_path), SimpleQueue[bytes]()
        # A pipe holds little, and nobody looks into it until Textual is there: another thread waits for that.
        writer = threading.Thread(target=_write, args=(said, pipe))
        writer.start()
        with memory_kept(has_glibc()):
            for part in reader.parts():
                said.put(pickle.dumps(part, protocol=pickle.HIGHEST_PROTOCOL))
        said.put(pickle.dumps(reader))
        said.put(b"")
        writer.join()
    finally:
        os._exit(0)


def _write(said: SimpleQueue[bytes], pipe: int) -> None:
    try:
        with os.fdopen(pipe, "wb") as file:
            while content := said.get():
                file.write(content)
                file.flush()
    except OSError:  # nobody is there any more who would read it
        os._exit(0)
