"""Reads a run's events.jsonl, whole or as it grows; a line that is no event never ends it."""

from __future__ import annotations

from pathlib import Path

from core.events import Event, StepLogged, from_line


class EventReader:
    """Reads events.jsonl as it grows. A line that is no event is counted in ``skipped`` and passed over."""

    def __init__(self, path: Path, *, steps: bool = True) -> None:
        self.path = path
        self.skipped = 0
        self._offset = 0
        self._steps = steps

    def read(self) -> list[Event]:
        """The events whose lines were completed since the last call.

        With ``steps=False`` only the last step of those is among them, which makes listing many runs fast.
        """
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                content = file.read()
        except FileNotFoundError:
            return []
        whole = content.rfind(b"\n") + 1
        self._offset += whole
        events: list[Event] = []
        wants_step = True
        for line in reversed(content[:whole].split(b"\n")[:-1]):
            if not wants_step and line.startswith(b'{"event": "step"'):
                continue
            try:
                events.append(from_line(line.decode("utf-8")))
            except ValueError:
                self.skipped += 1
            else:
                wants_step = wants_step and (self._steps or not isinstance(events[-1], StepLogged))
        return events[::-1]

    def torn(self) -> bool:
        """Whether the file ends in the middle of a line."""
        try:
            return self.path.stat().st_size > self._offset
        except FileNotFoundError:
            return False
