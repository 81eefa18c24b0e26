"""The thread that follows a run of another process; it only posts messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from textual.message import Message

from core.runs.directory import Run
from core.runs.follow import EVERY_S
from core.runs.read_ahead import ReadAhead
from core.runs.reader import EventReader
from core.runs.status import LIVE
from tui.messages import RunFollowed, RunOpened

_Read = tuple[EventReader, RunOpened]
SHORT = 6_000_000
"""Bytes of events that are read in less time than a person sees: some 20,000 steps in 70 ms."""


class Following:
    """One run at a time, until another is opened or the console is left."""

    def __init__(self, post: Callable[[Message], Any]) -> None:
        self._post = post
        self._leave = threading.Event()

    def open(self, run: Run, *, at_once: bool = False, ahead: ReadAhead | None = None) -> RunOpened | None:
        """Reads what there is of the run in a thread, posts its state, and then what is added to it.

        With ``at_once``, before there is a screen that could wait, a short run is read here and given, not posted.
        What is read ``ahead`` is only taken over.
        """
        self.close()
        self._leave = threading.Event()
        read = _read(run, ahead) if at_once and _is_short(run) else None
        # A daemon: reading needs no ending of its own.
        arguments = (run, ahead, read, self._leave)
        threading.Thread(target=self._work, args=arguments, name="following", daemon=True).start()
        return read[1] if read is not None else None

    def close(self) -> None:
        self._leave.set()

    def _work(self, run: Run, ahead: ReadAhead | None, read: _Read | None, leave: threading.Event) -> None:
        if read is not None:
            reader, opened = read
        else:
            reader, opened = _read(run, ahead)
            self._post(opened)
        # From now on the state is the app's.
        was_live = opened.state.status in LIVE
        # A run that has ended may be taken up again, so this goes on.
        while not leave.wait(EVERY_S):
            live = run.is_live()  # before reading: what is written while it ends is then read for sure
            events = reader.read()
            if events or live != was_live:
                self._post(RunFollowed(run, events, live, _owner(run)))
            was_live = live


def _is_short(run: Run) -> bool:
    try:
        return run.events_path.stat().st_size < SHORT
    except OSError:
        return True


def _read(run: Run, ahead: ReadAhead | None) -> _Read:
    reader, state = (ahead.take() if ahead is not None else None) or (EventReader(run.events_path), run.unread_state())
    reader.fold_into(state)  # all of it, or what has been added since
    state.skipped_lines = reader.skipped
    state.status = run.status(state)
    return reader, RunOpened(run, state, own=False, owner=_owner(run))


def _owner(run: Run) -> str:
    owner = run.owner()
    return f"process {owner.get('pid')} on {owner.get('host')}" if owner else ""
