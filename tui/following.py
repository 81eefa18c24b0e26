"""The thread that follows a run of another process; it only posts messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from textual.message import Message

from core.event_reader import EventReader
from core.follow import EVERY_S
from core.runs import Run
from core.state import RunState
from core.statuses import LIVE
from tui.messages import RunFollowed, RunOpened

SHORT = 6_000_000
"""Bytes of events that are read in less time than a person sees: some 20,000 steps in 70 ms."""


class Following:
    """One run at a time, until another is opened or the console is left."""

    def __init__(self, post: Callable[[Message], Any]) -> None:
        self._post = post
        self._leave = threading.Event()

    def open(self, run: Run, *, at_once: bool = False) -> RunOpened | None:
        """Reads what there is of the run in a thread, posts its state, and then what is added to it.

        With ``at_once``, before there is a screen that could wait, a short run is read here and given, not posted.
        """
        self.close()
        self._leave = threading.Event()
        reader = EventReader(run.events_path)
        opened = _read(run, reader) if at_once and _is_short(run) else None
        # A daemon: reading needs no ending of its own.
        work = threading.Thread(
            target=self._work, args=(run, reader, opened, self._leave), name="following", daemon=True
        )
        work.start()
        return opened

    def close(self) -> None:
        self._leave.set()

    def _work(self, run: Run, reader: EventReader, opened: RunOpened | None, leave: threading.Event) -> None:
        if opened is None:
            opened = _read(run, reader)
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


def _read(run: Run, reader: EventReader) -> RunOpened:
    state = RunState(run=run.name, preset=run.name[16:])
    reader.fold_into(state)
    state.skipped_lines = reader.skipped
    state.status = run.status(state)
    return RunOpened(run, state, own=False, owner=_owner(run))


def _owner(run: Run) -> str:
    owner = run.owner()
    return f"process {owner.get('pid')} on {owner.get('host')}" if owner else ""
