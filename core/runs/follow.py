"""Follows a run that another process writes, by tailing its events."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.runs.directory import Run
from core.runs.events import Event
from core.runs.reader import EventReader
from core.runs.state import RunState
from core.runs.status import LIVE

EVERY_S = 0.3
"""How often new events are looked for: live within a second, also where the disk is slow."""


def follow(run: Run, wait: Callable[[float], bool]) -> Iterator[list[Event]]:
    """The run's events, in lists as they come; the first list has all that is there, and there may be empty ones.

    ``wait`` sleeps so many seconds and says whether to leave off, as ``threading.Event.wait`` does. Ends once nobody
    writes the run any more.
    """
    reader = EventReader(run.events_path)
    state = RunState()
    while True:
        live = run.is_live()  # before reading: what is written while it ends is then read for sure
        events = reader.read()
        for event in events:
            state.apply(event)
        yield events
        if not live or state.status not in LIVE or wait(EVERY_S):
            return
