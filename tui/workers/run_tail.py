"""The thread that reads a run from disk and then follows the events that its process adds; it only posts messages."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from textual.message import Message

from core.runs.directory import Run
from core.runs.reader import POLL_S, RunReader
from tui.messages import RunFollowed, RunOpened


class RunTail:
    """Follows one run at a time, until another is opened or the tail is closed."""

    def __init__(self, post: Callable[[Message], Any]) -> None:
        self._post = post
        self._leave = threading.Event()

    def open(self, run: Run) -> None:
        """Post RunOpened with everything that is on disk, then RunFollowed for whatever is added."""
        self.close()
        self._leave = threading.Event()
        # A daemon thread: it only reads, so it may end at any moment.
        threading.Thread(target=self._work, args=(run, self._leave), name="run-tail", daemon=True).start()

    def close(self) -> None:
        self._leave.set()

    def _work(self, run: Run, leave: threading.Event) -> None:
        reader, state = RunReader(run), run.unread_state()
        state.update(reader.read())
        shown = state.is_live, state.skipped_lines
        self._post(RunOpened(run, state, own=False, owner=_owner(run)))
        # From now on the state belongs to the app. A run that has ended may be resumed, so reading continues.
        while not leave.wait(POLL_S):
            update = reader.read()
            if update.parts or (update.is_live, update.skipped_lines) != shown:
                shown = update.is_live, update.skipped_lines
                self._post(RunFollowed(run, update, _owner(run)))


def _owner(run: Run) -> str:
    owner = run.owner()
    return f"process {owner.get('pid')} on {owner.get('host')}" if owner else ""
