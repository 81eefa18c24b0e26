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
from tui.messages import RunFollowed, RunOpened


class Following:
    """One run at a time, until another is opened or the console is left."""

    def __init__(self, post: Callable[[Message], Any]) -> None:
        self._post = post
        self._leave = threading.Event()

    def open(self, run: Run) -> None:
        """Reads what there is of the run, posts its state, and then what is added to it."""
        self.close()
        self._leave = threading.Event()
        # A daemon: reading needs no ending of its own.
        threading.Thread(target=self._work, args=(run, self._leave), name="following", daemon=True).start()

    def close(self) -> None:
        self._leave.set()

    def _work(self, run: Run, leave: threading.Event) -> None:
        # Folded here, because a long run is many events; once it is posted the state is the app's.
        reader = EventReader(run.events_path)
        state = RunState(run=run.name, preset=run.name[16:])
        reader.fold_into(state)
        state.status = run.status(state)
        was_live = run.is_live()
        self._post(RunOpened(run, state, own=False, owner=_owner(run)))
        # A run that has ended may be taken up again, so this goes on.
        while not leave.wait(EVERY_S):
            live = run.is_live()  # before reading: what is written while it ends is then read for sure
            events = reader.read()
            if events or live != was_live:
                self._post(RunFollowed(run, events, live, _owner(run)))
            was_live = live


def _owner(run: Run) -> str:
    owner = run.owner()
    return f"process {owner.get('pid')} on {owner.get('host')}" if owner else ""
